//! What is answered, to whom, and what is in the log then.

use std::io::Write;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use producer::ingest::IngestSettings;
use serde_json::json;
use service::{Secret, clock};

use super::client::{Answer, Client};
use super::server::Server;
use super::{keys, row, rows};

const KEY: &str = "a-key-that-nobody-guesses";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// One problem in its one form.
fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let json = answer.json();
    let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "detail", "status", "title", "type"]);
    assert_eq!(json["status"], status);
}

#[test]
fn a_row_of_any_form_is_in_the_log_once_it_is_accepted_and_counts_once() {
    let server = Server::start();
    let one = row(1).to_string();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(domain::COLUMNS).unwrap();
    csv.write_record(domain::COLUMNS.map(|name| row(1)[name].as_str().unwrap().to_owned())).unwrap();
    let csv = csv.into_inner().unwrap();
    let plain =
        [("application/json", one.as_bytes()), ("application/x-ndjson", one.as_bytes()), ("text/csv", &csv)];
    let mut ids = Vec::new();
    for (content_type, body) in plain {
        let packed = gzip(body);
        let headers = [("content-type", content_type), ("content-encoding", "gzip")];
        let packed = server.client().ask("POST", "/v1/sightings", &headers, &packed).unwrap();
        for answer in [server.post(content_type, body), packed] {
            assert_eq!(answer.status, 200, "{content_type}");
            ids.extend(answer.ids());
        }
    }
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(keys(&server.log).into_iter().collect::<Vec<_>>(), [(ids[0].clone(), 6)]);
    assert_eq!(server.metric(r#"ufo_ingest_rows_total{outcome="accepted"}"#), 6);
    assert_eq!(server.metric(r#"ufo_ingest_requests_total{status="200"}"#), 6);
}

#[test]
fn a_bad_row_does_not_refuse_the_good_ones() {
    let server = Server::start();
    let mut soon = row(2);
    soon["datetime"] = "soon".into();
    let answer = server.post("application/json", json!([row(1), 5, soon, row(3)]).to_string());
    let json = answer.json();
    assert_eq!((answer.status, &json["accepted"], &json["rejected"]), (200, &2.into(), &2.into()));
    assert_eq!(json["rows"][1]["error"]["code"], "not_an_object");
    assert_eq!(json["rows"][2]["error"]["code"], "datetime_invalid");
    assert!(json["rows"][2]["error"]["message"].as_str().unwrap().contains("\"soon\""));
    let ids: Vec<_> = [0, 3].map(|index| json["rows"][index]["id"].as_str().unwrap().to_owned()).into();
    assert_eq!(answer.ids(), ids);
    assert!(keys(&server.log).keys().eq(ids.iter().collect::<std::collections::BTreeSet<_>>()));
    let none = server.post("application/json", "[]");
    assert_eq!((none.status, none.json()), (200, json!({"accepted": 0, "rejected": 0, "rows": []})));
}

#[test]
fn what_cannot_be_taken_is_told_in_one_form() {
    let server = Server::start();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        server.client().ask(method, path, headers, body).unwrap()
    };
    let post = |content_type: &str, body: &str| server.post(content_type, body);
    is_problem(&post("application/json", ""), 400, "body_empty");
    is_problem(&post("application/json", "[{}"), 400, "body_not_json");
    is_problem(&post("text/csv", "datetime,city\n1,2\n"), 400, "csv_header");
    is_problem(&post("text/plain", "{}"), 415, "content_type");
    is_problem(&ask("POST", "/v1/sightings", &[], b"{}"), 415, "content_type");
    let encoded = |encoding| [("content-type", "application/json"), ("content-encoding", encoding)];
    let packed = ask("POST", "/v1/sightings", &encoded("br"), b"{}");
    is_problem(&packed, 415, "content_encoding");
    assert_eq!(packed.header("accept-encoding"), Some("gzip"));
    is_problem(&ask("POST", "/v1/sightings", &encoded("gzip"), b"{}"), 400, "body_not_gzip");
    let bomb = gzip(&vec![b' '; 64 << 20]);
    is_problem(&ask("POST", "/v1/sightings", &encoded("gzip"), &bomb), 413, "body_too_large");
    is_problem(&post("application/json", &format!("[{}0]", "0,".repeat(10_000))), 413, "too_many_rows");
    is_problem(&ask("GET", "/", &[], b""), 404, "no_such_path");
    let method = ask("PUT", "/v1/sightings", &[], b"");
    is_problem(&method, 405, "wrong_method");
    assert_eq!(method.header("allow"), Some("POST"));
    assert!(keys(&server.log).is_empty());
}

#[test]
fn a_large_body_is_refused_by_its_length_or_while_it_comes() {
    let server =
        Server::start_with(IngestSettings { ingest_body_bytes_max: 1_000, ..IngestSettings::default() });
    let head = "POST /v1/sightings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut told = server.client();
    told.write(format!("{head}content-length: 1001\r\n\r\n").as_bytes()).unwrap();
    is_problem(&told.read().unwrap(), 413, "body_too_large");
    let mut untold = server.client();
    untold
        .write(format!("{head}transfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n", " ".repeat(1001)).as_bytes())
        .unwrap();
    is_problem(&untold.read().unwrap(), 413, "body_too_large");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
    let server = Server::start_with(IngestSettings { ingest_timeout_ms: 200, ..IngestSettings::default() });
    let mut slow = server.client();
    let head = "POST /v1/sightings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    slow.write(head.as_bytes()).unwrap();
    is_problem(&slow.read().unwrap(), 408, "body_too_slow");
}

#[test]
fn whoever_has_no_key_sends_nothing() {
    let keys_of_both = Some(Secret::new(format!("{KEY}, and-another-one-beside-it")));
    let server =
        Server::start_with(IngestSettings { ingest_api_keys: keys_of_both, ..IngestSettings::default() });
    let sent = |name: &str, value: &str| {
        let headers = [("content-type", "application/json"), (name, value)];
        server.client().ask("POST", "/v1/sightings", &headers, row(1).to_string().as_bytes()).unwrap()
    };
    for (name, value) in [
        ("x", "y"),
        ("x-api-key", ""),
        ("x-api-key", "wrong"),
        ("authorization", KEY),
        ("authorization", "Basic eDp5"),
    ] {
        let answer = sent(name, value);
        is_problem(&answer, 401, "api_key");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(!String::from_utf8_lossy(&answer.body).contains(KEY));
    }
    assert!(keys(&server.log).is_empty());
    let bearer = format!("bEaReR {KEY}");
    for (name, value) in
        [("x-api-key", KEY), ("x-api-key", "and-another-one-beside-it"), ("authorization", &bearer)]
    {
        assert_eq!(sent(name, value).status, 200, "{name}");
    }
    assert_eq!(server.client().ask("GET", "/openapi.json", &[], b"").unwrap().status, 200);
}

#[test]
fn whoever_sends_too_fast_is_told_when_to_come_again() {
    let server =
        Server::start_with(IngestSettings { ingest_rows_per_s: Some(10), ..IngestSettings::default() });
    let mut client = server.client();
    assert_eq!(client.post_rows(&rows(0..15)).unwrap().status, 200);
    let answer = client.post_rows(&rows(0..1)).unwrap();
    is_problem(&answer, 429, "too_fast");
    assert_eq!(answer.header("retry-after"), Some("1"));
    let begun = clock::now();
    server.wait_until("it is let in again", |server| {
        server.client().post_rows(&rows(0..1)).unwrap().status == 200
    });
    assert!(begun.elapsed().as_millis() < 5_000);
}

#[test]
fn requests_of_many_clients_are_committed_together_and_each_is_whole() {
    let server = Server::start();
    server.log.shut();
    let clients: Vec<_> = (0..40)
        .map(|number| {
            let address = server.address;
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                client.post_rows(&rows(10 * number..10 * number + 10)).unwrap()
            })
        })
        .collect();
    server.wait_until("all of them wait", |server| server.metric("ufo_ingest_queue_requests") == 40);
    server.log.open();
    let answers: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.ids().len() == 10));
    let found = keys(&server.log);
    assert_eq!(found.len(), 400);
    assert!(found.values().all(|times| *times == 1));
    assert!(answers.iter().flat_map(Answer::ids).all(|id| found.contains_key(&id)));
    let commits = server.metric("ufo_ingest_commit_seconds_count");
    assert!((1..=3).contains(&commits), "{commits} transactions for 40 requests");
}
