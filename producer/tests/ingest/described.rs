//! `/openapi.json` says what is so.

use std::collections::BTreeSet;

use domain::{COLUMNS, RejectCode};
use producer::ingest::Problem;
use serde_json::Value;

use super::server::Server;
use super::{row, rows};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn described(server: &Server) -> Value {
    let answer = server.client().ask("GET", "/openapi.json", &[], b"").unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_path_and_method_is_described_and_no_other() {
    let server = Server::start();
    let described = described(&server);
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in METHODS {
            let status = server.client().ask(&method.to_uppercase(), path, &[], b"").unwrap().status;
            assert_ne!(status, 404, "{path}");
            assert_eq!(status == 405, item.get(method).is_none(), "{method} {path}: {status}");
        }
    }
}

#[test]
fn every_problem_is_described_with_its_status_and_code() {
    let described = described(&Server::start());
    let problems = Problem::all();
    let codes: BTreeSet<_> = problems.iter().map(|problem| problem.code().to_owned()).collect();
    let problem_schema = &described["components"]["schemas"]["Problem"];
    assert_eq!(texts(&problem_schema["properties"]["code"]["enum"]), codes);
    let responses = &described["paths"]["/v1/sightings"]["post"]["responses"];
    // What is said of other paths and methods is not said of this one.
    let mut statuses: BTreeSet<_> = problems
        .iter()
        .map(|problem| problem.status().to_string())
        .filter(|s| s != "404" && s != "405")
        .collect();
    statuses.insert("200".to_owned());
    assert_eq!(names(responses), statuses);
    for problem in &problems {
        let body: Value = serde_json::from_slice(&problem.body()).unwrap();
        assert_eq!(names(&body), texts(&problem_schema["required"]));
        let response = &responses[problem.status().to_string()];
        let has_header = response["headers"]["Retry-After"].is_object();
        assert_eq!(has_header, problem.retry_after_s().is_some(), "{problem:?}");
    }
}

#[test]
fn rows_and_their_answers_are_described() {
    let server = Server::start();
    let described = described(&server);
    let schemas = &described["components"]["schemas"];
    assert_eq!(texts(&schemas["Row"]["required"]), COLUMNS.map(str::to_owned).into());
    assert_eq!(names(&schemas["Row"]["properties"]), COLUMNS.map(str::to_owned).into());
    let codes = texts(&schemas["Rejected"]["properties"]["error"]["properties"]["code"]["enum"]);
    let never = [RejectCode::KeyMismatch, RejectCode::IndexRefused];
    let possible = RejectCode::ALL.into_iter().filter(|code| !never.contains(code));
    assert_eq!(codes, possible.map(|code| code.name().to_owned()).collect());
    let mut sent = rows(0..1);
    sent.as_array_mut().unwrap().push(Value::Null);
    let answer = server.client().post_rows(&sent).unwrap().json();
    assert_eq!(names(&answer), texts(&schemas["Answer"]["required"]));
    assert_eq!(names(&answer["rows"][0]), texts(&schemas["Accepted"]["required"]));
    assert_eq!(names(&answer["rows"][1]), texts(&schemas["Rejected"]["required"]));
}

#[test]
fn the_examples_are_taken() {
    let server = Server::start();
    let content = described(&server)["paths"]["/v1/sightings"]["post"]["requestBody"]["content"].clone();
    for (content_type, body) in content.as_object().unwrap() {
        let example = &body["example"];
        let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        let answer = server.post(content_type, text);
        assert_eq!((answer.status, answer.ids().len()), (200, 1), "{content_type}");
    }
    assert_ne!(server.client().post_rows(&row(1)).unwrap().ids(), [""; 0]);
}
