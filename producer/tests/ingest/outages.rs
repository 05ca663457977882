//! The log is away, slow, or leaves commits in doubt; the server is stopped meanwhile.

use std::net::TcpStream;
use std::thread::{self, JoinHandle};

use producer::ingest::IngestSettings;
use service::exit::Code;

use super::client::{Answer, Client};
use super::faulty::Fate;
use super::server::Server;
use super::{keys, rows};

fn posting(server: &Server, numbers: std::ops::Range<usize>) -> JoinHandle<Answer> {
    let address = server.address;
    thread::spawn(move || Client::connect(address).unwrap().post_rows(&rows(numbers)).unwrap())
}

fn under_way_when_the_log_goes(server: &Server, numbers: std::ops::Range<usize>) -> JoinHandle<Answer> {
    server.log.shut();
    let posting = posting(server, numbers);
    server.wait_until("it is under way", |server| server.log.waiting_commits() == 1);
    server.log.set_away(true);
    server.log.open();
    posting
}

fn told(answer: &Answer, code: &str) -> u64 {
    assert_eq!((answer.status, answer.code().as_str()), (503, code));
    answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("when to come again")
}

#[test]
fn while_the_log_is_away_at_the_start_it_is_503_and_not_ready() {
    let server = Server::start_away(IngestSettings::default(), true);
    server.wait_until("it is known why", |server| {
        server.watched.answer("/ready").unwrap().body.contains("the log does not answer")
    });
    assert!(told(&server.client().post_rows(&rows(0..1)).unwrap(), "log_away") > 0);
    server.log.set_away(false);
    server.wait_until_ready();
    assert_eq!(server.client().post_rows(&rows(0..1)).unwrap().status, 200);
}

#[test]
fn a_log_that_goes_while_nobody_writes_is_missed_before_anybody_does() {
    let server = Server::start();
    server.log.set_away(true);
    server.wait_until("it is not ready", |server| !server.is_ready());
    told(&server.client().post_rows(&rows(0..1)).unwrap(), "log_away");
    server.log.set_away(false);
    server.wait_until_ready();
    assert_eq!(server.client().post_rows(&rows(0..1)).unwrap().status, 200);
}

#[test]
fn what_was_acknowledged_before_an_outage_is_there_and_so_is_what_comes_behind_it() {
    let server = Server::start();
    let mut acknowledged = server.client().post_rows(&rows(0..10)).unwrap().ids();
    let during = under_way_when_the_log_goes(&server, 10..20);
    server.wait_until("it is not ready", |server| !server.is_ready());
    told(&server.client().post_rows(&rows(20..30)).unwrap(), "log_away");
    server.log.set_away(false);
    // It was under way when the log went: it is written when it is back.
    acknowledged.extend(during.join().unwrap().ids());
    server.wait_until_ready();
    acknowledged.extend(server.client().post_rows(&rows(20..30)).unwrap().ids());
    assert_eq!(acknowledged.len(), 30);
    acknowledged.sort();
    assert_eq!(keys(&server.log).into_keys().collect::<Vec<_>>(), acknowledged);
}

#[test]
fn a_commit_in_doubt_is_written_again_and_then_acknowledged() {
    for (fate, times) in [(Fate::Unanswered, 2), (Fate::Lost, 1)] {
        let server = Server::start();
        server.log.next_commits(&[fate]);
        let answer = server.client().post_rows(&rows(0..3)).unwrap();
        assert_eq!((answer.status, answer.ids().len()), (200, 3));
        let found = keys(&server.log);
        assert_eq!((found.len(), found.values().max()), (3, Some(&times)), "{fate:?}");
        let name = r#"ufo_ingest_failures_total{step="commit",recovery="recreate_and_rewind"}"#;
        assert_eq!(server.metric(name), 1);
    }
}

#[test]
fn what_stays_in_doubt_is_said_to_be_not_known_and_may_be_sent_again() {
    let server = Server::start();
    server.log.next_commits(&[Fate::Lost, Fate::Unanswered]);
    told(&server.client().post_rows(&rows(0..3)).unwrap(), "not_known");
    let again = server.client().post_rows(&rows(0..3)).unwrap();
    assert_eq!(again.status, 200);
    let found = keys(&server.log);
    assert_eq!(found.len(), 3, "the same rows have the same keys: downstream each counts once");
}

#[test]
fn a_queue_that_is_full_refuses_and_keeps_what_it_has() {
    let settings = IngestSettings { ingest_queue_requests: 2, ..IngestSettings::default() };
    let server = Server::start_with(settings);
    server.log.shut();
    let first = posting(&server, 0..1);
    server.wait_until("the first is under way", |server| server.log.waiting_commits() == 1);
    let second = posting(&server, 1..2);
    server.wait_until("the second waits", |server| server.metric("ufo_ingest_queue_requests") == 2);
    told(&server.client().post_rows(&rows(2..3)).unwrap(), "queue_full");
    server.log.open();
    assert_eq!([first, second].map(|one| one.join().unwrap().status), [200, 200]);
    assert_eq!(keys(&server.log).len(), 2);
}

#[test]
fn a_request_that_takes_too_long_is_not_known() {
    let settings = IngestSettings { ingest_timeout_ms: 300, ..IngestSettings::default() };
    let server = Server::start_with(settings);
    server.log.shut();
    told(&posting(&server, 0..1).join().unwrap(), "not_known");
    server.log.open();
    server.wait_until("it is written all the same", |server| keys(&server.log).len() == 1);
}

#[test]
fn a_stop_answers_what_was_taken_and_ends_well() {
    let server = Server::start();
    server.log.shut();
    let taken = posting(&server, 0..1);
    server.wait_until("it is under way", |server| server.log.waiting_commits() == 1);
    let waiting = posting(&server, 1..2);
    server.wait_until("another one waits", |server| server.metric("ufo_ingest_queue_requests") == 2);
    server.watched.shutdown.request();
    server.wait_until("nobody is let in", |server| TcpStream::connect(server.address).is_err());
    server.log.open();
    assert_eq!([taken, waiting].map(|one| one.join().unwrap().status), [200, 200]);
    let (ended, log) = server.stop();
    ended.unwrap();
    assert_eq!(keys(&log).len(), 2);
}

#[test]
fn a_stop_while_the_log_is_away_ends_well_too() {
    let server = Server::start();
    let waiting = under_way_when_the_log_goes(&server, 0..1);
    server.wait_until("it is not ready", |server| !server.is_ready());
    server.watched.shutdown.request();
    told(&waiting.join().unwrap(), "not_known");
    server.stop().0.unwrap();
}

#[test]
fn an_idle_connection_does_not_hold_up_a_stop() {
    let server = Server::start();
    let mut idle = server.client();
    assert_eq!(idle.post_rows(&rows(0..1)).unwrap().status, 200);
    server.stop().0.unwrap();
    assert!(idle.post_rows(&rows(0..1)).is_err());
}

#[test]
fn whoever_is_taken_over_ends_with_an_error_and_answers_before() {
    let mut server = Server::start();
    server.log.next_commits(&[Fate::Fenced]);
    told(&server.client().post_rows(&rows(0..1)).unwrap(), "not_known");
    let exit = server.ended().unwrap_err();
    assert_eq!(exit.code(), Code::Software);
    assert!(exit.to_string().contains("another one has taken over"), "{exit}");
}
