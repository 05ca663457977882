//! The import, against a stand-in that answers as Kibana does, or as one in trouble does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dashboards::import::{ImportError, import, wait};
use dashboards::saved::to_ndjson;
use dashboards::server::{Credentials, Server, ServerError};
use serde_json::{Value, json};
use service::{Secret, Shutdown};

use crate::kept;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
struct Request {
    line: String,
    head: String,
    body: String,
}

/// Answers each request with what `answer` gives: status and body.
struct StandIn {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl StandIn {
    fn start(answer: impl Fn(usize, &Request) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        // Ends with the process: a test that is over sends nothing more.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some((request, mut stream)) = read(stream.unwrap()) else { continue };
                let number = seen.lock().unwrap().len();
                let (status, body) = answer(number, &request);
                seen.lock().unwrap().push(request);
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { address, requests }
    }

    fn server(&self) -> Server {
        let credentials = Credentials {
            user: Some("elastic".into()),
            password: Some(Secret::new("geheim")),
            ..Credentials::default()
        };
        Server::new("Kibana", &format!("http://{}/base/", self.address), credentials).unwrap()
    }

    fn seen(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: TcpStream) -> Option<(Request, TcpStream)> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let (line, head, body) = (lines[0].clone(), lines.join("\n"), String::from_utf8(body).unwrap());
    Some((Request { line, head, body }, reader.into_inner()))
}

/// A Kibana where all goes well.
fn well(request: &Request) -> (u16, String) {
    let objects = kept();
    let answer = match request.line.split(' ').nth(1).unwrap() {
        "/base/api/saved_objects/_import?overwrite=true" => {
            json!({ "success": true, "successCount": objects.len() }).to_string()
        }
        "/base/api/kibana/settings" => "{}".into(),
        "/base/api/saved_objects/_export" => {
            let details = json!({ "exportedCount": objects.len(), "missingReferences": [] });
            format!("{}{details}\n", to_ndjson(&objects))
        }
        other => return (404, json!({ "message": format!("{other} Not Found") }).to_string()),
    };
    (200, answer)
}

#[test]
fn a_kibana_that_is_starting_is_waited_for() {
    let status = |level: &str| json!({ "version": { "number": "8.19.8" }, "status": { "overall": { "level": level } } });
    let kibana = StandIn::start(move |number, request| {
        assert_eq!(request.line, "get /base/api/status http/1.1");
        match number {
            0 => (503, "Kibana server is not ready yet".into()),
            1 => (200, status("unavailable").to_string()),
            _ => (200, status("available").to_string()),
        }
    });
    assert_eq!(wait(&kibana.server(), PATIENCE, &Shutdown::new()).unwrap(), "8.19.8");
    assert_eq!(kibana.seen().len(), 3);
}

/// As 7.10 says it.
#[test]
fn an_old_kibana_is_understood() {
    let body = json!({ "version": { "number": "7.10.2" }, "status": { "overall": { "state": "green" } } });
    let kibana = StandIn::start(move |_, _| (200, body.to_string()));
    assert_eq!(wait(&kibana.server(), PATIENCE, &Shutdown::new()).unwrap(), "7.10.2");
}

#[test]
fn everything_is_sent_as_kibana_takes_it() {
    let kibana = StandIn::start(|_, request| well(request));
    import(&kibana.server(), &kept()).unwrap();
    let seen = kibana.seen();
    let [upload, settings, export] = &seen[..] else { panic!("{seen:?}") };
    for request in &seen {
        assert!(request.head.contains("kbn-xsrf: true"), "{}", request.head);
        assert!(request.head.contains("authorization: basic"), "{}", request.head);
    }
    let boundary = upload.head.split("boundary=").nth(1).unwrap().lines().next().unwrap();
    let parts: Vec<_> = upload.body.split(&format!("--{boundary}")).collect();
    let [before, part, "--\r\n"] = parts[..] else { panic!("{} parts", parts.len()) };
    let (head, content) = part.split_once("\r\n\r\n").unwrap();
    assert!(before.is_empty() && head.contains("name=\"file\"; filename=\"ufo.ndjson\""), "{head}");
    assert!(content == crate::FILE.to_owned() + "\r\n");
    assert_eq!(settings.body, r#"{"changes":{"dateFormat:tz":"UTC"}}"#);
    let asked: Value = serde_json::from_str(&export.body).unwrap();
    assert_eq!(asked["objects"].as_array().unwrap().len(), kept().len());
}

#[test]
fn what_kibana_did_not_take_is_named() {
    let kibana = StandIn::start(|_, _| {
        let error = json!({ "id": "ufo-panel-x", "error": { "type": "missing_references" } });
        (200, json!({ "success": false, "successCount": 3, "errors": [error] }).to_string())
    });
    let error = import(&kibana.server(), &kept()).unwrap_err();
    assert!(matches!(error, ImportError::Partly { taken: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("ufo-panel-x (missing_references)"), "{error}");
    assert_eq!(kibana.seen().len(), 1, "nothing is done after it");
}

/// An import that says it went well is not believed.
#[test]
fn what_is_not_there_afterwards_is_named() {
    let kibana = StandIn::start(|_, request| {
        let (status, answer) = well(request);
        match answer.split_once('\n') {
            Some((_, fewer)) => (status, fewer.to_owned()),
            None => (status, answer),
        }
    });
    let error = import(&kibana.server(), &kept()).unwrap_err().to_string();
    assert_eq!(error, "Kibana lacks index-pattern ufo-sightings after the import");
}

#[test]
fn a_refusal_is_told_without_the_password() {
    let kibana = StandIn::start(|_, _| (401, json!({ "message": "unable to authenticate" }).to_string()));
    let error = wait(&kibana.server(), PATIENCE, &Shutdown::new()).unwrap_err();
    assert!(matches!(error, ImportError::Server(ServerError::Denied { status: 401, .. })), "{error:?}");
    assert_eq!(kibana.seen().len(), 1, "trying again does not help");

    let nobody = Server::new("Kibana", "http://elastic:geheim@127.0.0.1:1", Credentials::default()).unwrap();
    let error = wait(&nobody, Duration::ZERO, &Shutdown::new()).unwrap_err();
    let text = format!("{error:?} {error}");
    assert!(text.contains("127.0.0.1:1") && !text.contains("geheim"), "{text}");
}
