//! The page over a real socket, on an embedded log: what browsers, scripts and visitors who mean no good get.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use domain::{Aggregate, Topics, View, wire};
use embedded::EmbeddedLog;
use engine::log::{Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, Partition};
use page::{Page, PageSettings};
use service::clock;
use service::exit::Code;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);

struct World {
    log: EmbeddedLog,
    topics: Topics,
    page: Page,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().expect("what a test stands on");
        let log = EmbeddedLog::open(folder.path()).expect("what a test stands on");
        let topics = Topics::new("ufo", "v1");
        let names = [
            topics.raw(),
            topics.sightings(),
            topics.rejects(),
            topics.aggregates(),
            topics.seen_changelog(),
        ];
        let spec = |name| TopicSpec { name, partitions: 2, kept: Kept::Forever };
        log.ensure_topics(&names.map(spec)).expect("what a test stands on");
        let page =
            Page::start(&log, PageSettings::new(any_port(), topics.clone())).expect("what a test stands on");
        Self { log, topics, page, _folder: folder }
    }

    /// A transaction that makes a country's count this.
    fn commit(&self, country: &str, count: u64) {
        let mut producer = self.log.producer("test").expect("what a test stands on");
        let key = format!("[\"country\",\"{country}\"]");
        let mut value = Vec::new();
        let aggregate = Aggregate { count, ..Aggregate::empty() };
        wire::encode_aggregate(View::Country, key.as_bytes(), &aggregate, &mut value);
        let record = NewRecord {
            partition: Partition(0),
            timestamp_ms: 0,
            key: Some(key.as_bytes()),
            value: Some(&value),
        };
        producer.begin().expect("what a test stands on");
        producer.send(&self.topics.aggregates(), record).expect("what a test stands on");
        producer.commit().expect("what a test stands on");
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.page.address()).expect("what a test stands on");
        stream.set_read_timeout(Some(LIMIT)).expect("what a test stands on");
        stream
    }

    fn asked(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("what a test stands on");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("what a test stands on");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    fn get_with(&self, path: &str, headers: &str) -> String {
        self.asked(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"))
    }

    fn visitor(&self, query: &str) -> Visitor {
        let mut stream = self.connect();
        let request = format!("GET /api/events{query} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("what a test stands on");
        Visitor(BufReader::new(stream))
    }
}

struct Visitor(BufReader<TcpStream>);

impl Visitor {
    /// The next update that says this.
    fn update_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).expect("what a test stands on") > 0,
                "the connection ended before {text}"
            );
            if line.starts_with("data:") && line.contains(text) {
                return line;
            }
        }
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn every_answer_keeps_a_browser_on_this_host() {
    let world = World::new();
    for path in
        ["/", "/assets/app.js", "/api/view", "/api/table/countries.csv", "/nothing", "/api/view?from=soon"]
    {
        let answer = world.get(path);
        let policy = header(&answer, "content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"), "{path}");
    }
}

#[test]
fn files_are_sent_once_and_compressed() {
    let world = World::new();
    for (accepted, coding) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("", None)] {
        let accept = format!("accept-encoding: {accepted}\r\n");
        let first = world.get_with("/assets/app.js", &accept);
        assert!(first.starts_with("HTTP/1.1 200 "), "{first:.100}");
        assert_eq!(header(&first, "content-encoding"), coding);
        assert_eq!(header(&first, "vary"), Some("accept-encoding"));
        let etag = header(&first, "etag").expect("what a test stands on");
        let again = world.get_with("/assets/app.js", &format!("{accept}if-none-match: {etag}\r\n"));
        assert!(again.starts_with("HTTP/1.1 304 ") && again.ends_with("\r\n\r\n"), "{again:.100}");
    }
}

#[test]
fn heads_posts_and_nothing_at_all() {
    let world = World::new();
    let head = world.asked("HEAD / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(header(&head, "content-length").is_some_and(|length| length != "0"), "{head}");
    let post =
        world.asked("POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    for path in ["/nothing", "/api/table/nothing.csv", "/api/table/countries.exe", "/assets/../Cargo.toml"] {
        assert!(world.get(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    for path in ["/api/view?from=soon", "/api/events?country=USA", "/api/table/countries.csv?from=2&to=1"] {
        assert!(world.get(path).starts_with("HTTP/1.1 400 "), "{path}");
    }
}

#[test]
fn a_page_of_another_name_gets_nothing() {
    let world = World::new();
    let answer = world.asked("GET /api/view HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 421 ") && !answer.contains("totals"), "{answer}");
}

#[test]
fn what_is_committed_is_told_within_a_second_and_only_what_changed() {
    let world = World::new();
    world.commit("us", 1);
    let mut visitor = world.visitor("");
    let first = visitor.update_with("\"rows\":[[\"us\",1,");
    assert!(first.contains("\"hours\":") && first.contains("\"rejects\":"), "{first}");
    for count in 2..=5 {
        let begun = clock::now();
        world.commit("us", count);
        let update = visitor.update_with(&format!("\"rows\":[[\"us\",{count},"));
        let took = begun.elapsed();
        eprintln!("commit to update: {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(!update.contains("\"hours\":") && !update.contains("\"history\":"), "{update}");
    }
    let csv = world.get("/api/table/countries.csv");
    assert!(csv.contains("\r\ncountry,count,") && csv.contains("\r\nus,5,"), "{csv}");
}

#[test]
fn a_filter_is_followed_by_the_events_too() {
    let world = World::new();
    world.commit("us", 7);
    world.commit("ca", 3);
    world.visitor("").update_with("\"totals\":{\"sightings\":10,");
    world.visitor("?country=ca").update_with("\"totals\":{\"sightings\":3,");
}

#[test]
fn visitors_who_do_not_read_are_few_and_keep_nobody_out() {
    let world = World::new();
    world.commit("us", 1);
    let silent: Vec<_> = (0..64).map(|_| world.visitor("")).collect();
    let refused = world.get("/api/events");
    assert!(refused.starts_with("HTTP/1.1 503 ") && header(&refused, "retry-after").is_some(), "{refused}");
    for count in 2..20 {
        world.commit("us", count);
    }
    assert!(world.get("/").starts_with("HTTP/1.1 200 "));
    assert!(world.get("/api/view").contains("[\"us\","));
    drop(silent);
}

#[test]
fn an_address_in_use_is_one_clear_sentence() {
    let world = World::new();
    let address = world.page.address();
    let exit =
        Page::start(&world.log, PageSettings::new(address, world.topics.clone())).expect_err("it is in use");
    assert_eq!(exit.code(), Code::Unavailable);
    let said = exit.to_string();
    assert!(
        said.starts_with(&format!(
            "error: cannot serve the page at {address}: choose another one with --page"
        )),
        "{said}"
    );
}
