//! Rows by HTTP while the broker is cut off, frozen and killed: what was acknowledged is there, and counts once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use domain::wire;
use engine::log::Log;
use engine::record::{NextOffset, Partition, Record};
use kafka::{Kafka, KafkaSettings};
use pipeline_tests::broker::Lease;
use pipeline_tests::http::{post, row};
use pipeline_tests::own::free_port;
use pipeline_tests::running::Running;
use pipeline_tests::{LIMIT, Pipeline, Servers, wait};
use serde_json::Value;
use service::clock;

const CLIENTS: u64 = 6;
const BATCH: u64 = 20;
/// Longer than a request to the broker and a transaction may take.
const LONG: Duration = Duration::from_secs(13);
const SHORT: Duration = Duration::from_secs(2);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// A client goes on with other rows after this many tries: its rows stay unknown.
const TRIES: u32 = 400;

/// What clients saw.
#[derive(Default)]
struct Seen {
    /// Requests that were answered with 200 so far.
    acknowledged: AtomicU64,
    unavailable: AtomicU64,
    is_over: AtomicBool,
}

/// Sends its own rows, each batch until it is in, and gives the ids that were acknowledged.
fn client(number: u64, address: &str, seen: &Seen) -> Vec<String> {
    let mut ids = Vec::new();
    for batch in 0.. {
        if seen.is_over.load(Ordering::Acquire) {
            break;
        }
        let first = (number << 32) + batch * BATCH;
        let rows: Value = (first..first + BATCH).map(row).collect();
        for _ in 0..TRIES {
            match post(address, &rows) {
                Ok(answer) if answer.status == 200 => {
                    assert_eq!(answer.ids().count() as u64, BATCH, "{answer:?}");
                    ids.extend(answer.ids().map(str::to_owned));
                    seen.acknowledged.fetch_add(1, Ordering::AcqRel);
                    break;
                }
                Ok(answer) => {
                    assert_eq!(answer.status, 503, "{answer:?}");
                    seen.unavailable.fetch_add(1, Ordering::AcqRel);
                }
                Err(error) => panic!("client {number}: {error}"),
            }
            clock::pause(RETRY_PAUSE);
        }
    }
    ids
}

/// How often each key is in a topic.
fn keys(brokers: &str, topic: &str) -> BTreeMap<String, u64> {
    let log = Kafka::new(KafkaSettings::new(brokers));
    let mut keys = BTreeMap::new();
    for (partition, end) in (0..).map(Partition).zip(log.ends(topic).expect("ends")) {
        let each = &mut |record: Record<'_>| {
            let key = String::from_utf8_lossy(record.key.expect("a key")).into_owned();
            *keys.entry(key).or_default() += 1;
            ControlFlow::Continue(())
        };
        log.read(topic, partition, NextOffset::START, end, each).expect("reads");
    }
    keys
}

fn serving(pipeline: &Pipeline) -> (Running, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let running = pipeline.running("producer", &["serve", "--ingest-listen", &address]);
    running.wait_for("rows are taken at", 1, LIMIT);
    (running, address)
}

/// Runs clients while `faults` happen, and compares what they were told with what is in the log.
fn compared(pipeline: &Pipeline, straight: &Pipeline, faults: impl FnOnce(&Seen)) {
    let (mut server, address) = serving(pipeline);
    let seen = Seen::default();
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (address, seen) = (&address, &seen);
                scope.spawn(move || client(number, address, seen))
            })
            .collect();
        faults(&seen);
        seen.is_over.store(true, Ordering::Release);
        clients.into_iter().flat_map(|client| client.join().expect("it does not panic")).collect()
    });
    server.stop(LIMIT);
    let topics = straight.topics();
    let raw = keys(straight.brokers(), &topics.raw());
    let lost: Vec<_> = acknowledged.iter().filter(|id| !raw.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} rows were acknowledged and are not there: {:?}", lost.len(), &lost[..1]);
    straight.run("processor", &["--until-end"]);
    let sightings = keys(straight.brokers(), &topics.sightings());
    assert!(sightings.keys().eq(raw.keys()), "what is in the log is what is downstream");
    assert!(sightings.values().all(|times| *times == 1), "each counts once");
    straight.run("verify", &[]);
    let rows: u64 = raw.values().sum();
    eprintln!(
        "{}: {} rows acknowledged, {} in the log, {} of them twice or more; {} answers of 503",
        straight.prefix(),
        acknowledged.len(),
        raw.len(),
        rows - raw.len() as u64,
        seen.unavailable.load(Ordering::Acquire),
    );
}

fn wait_for_more(seen: &Seen, requests: u64) {
    let now = seen.acknowledged.load(Ordering::Acquire);
    let what = format!("{requests} more requests are acknowledged");
    wait::until(&what, LIMIT, || seen.acknowledged.load(Ordering::Acquire) >= now + requests);
}

fn wait_for_503(seen: &Seen) {
    let now = seen.unavailable.load(Ordering::Acquire);
    wait::until("clients are told 503", LIMIT, || seen.unavailable.load(Ordering::Acquire) > now);
}

#[test]
fn acknowledged_rows_survive_cut_and_frozen_connections_and_count_once() {
    let Some(broker) = Lease::take("rows by HTTP, connections cut and frozen") else { return };
    let straight = Pipeline::on(broker.address(), "ingest-cut");
    let proxy = broker.proxy();
    compared(&straight.by(&proxy.address()), &straight, |seen| {
        for _ in 0..3 {
            wait_for_more(seen, 30);
            proxy.cut();
            clock::pause(SHORT);
            proxy.heal();
        }
        wait_for_more(seen, 30);
        proxy.cut();
        wait_for_503(seen);
        proxy.heal();
        wait_for_more(seen, 30);
        proxy.stall();
        wait_for_503(seen);
        clock::pause(LONG);
        proxy.heal();
        wait_for_more(seen, 30);
    });
}

#[test]
fn acknowledged_rows_survive_a_broker_that_stops_and_starts() {
    let Some(broker) = Lease::take("rows by HTTP, a broker that stops") else { return };
    let straight = Pipeline::on(broker.address(), "ingest-stop");
    compared(&straight, &straight, |seen| {
        wait_for_more(seen, 30);
        broker.server().end("TERM");
        wait_for_503(seen);
        broker.server().start();
        wait_for_more(seen, 30);
    });
}

#[test]
fn what_the_api_refuses_the_processor_would_reject_too() {
    let Some(servers) = Servers::attached("rows by HTTP, rejected") else { return };
    let pipeline = Pipeline::on(&servers.brokers, "ingest-codes");
    let (mut server, address) = serving(&pipeline);
    let mut soon = row(1);
    soon["datetime"] = "soon".into();
    let rows = Value::from(vec![row(2), soon.clone()]);
    let mut told = Value::Null;
    // Until the server has found its log it says so.
    wait::until("the good row is in", LIMIT, || {
        let answer = post(&address, &rows).expect("an answer");
        told = answer.body["rows"][1]["error"].clone();
        answer.status == 200 && answer.ids().count() == 1
    });
    server.stop(LIMIT);
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("rows.csv");
    let fields = domain::COLUMNS.map(|name| soon[name].as_str().expect("text").to_owned());
    std::fs::write(&file, format!("{}\n{}\n", domain::COLUMNS.join(","), fields.join(","))).expect("written");
    pipeline.run("producer", &[&file.to_string_lossy()]);
    pipeline.run("processor", &["--until-end"]);
    let json = pipeline.run("producer", &["--quiet", "rejects", "list", "--json"]);
    let reject = wire::decode_reject(json.trim().as_bytes()).expect("one reject");
    assert_eq!(told["code"], reject.code.name());
    assert_eq!(told["message"], *reject.message);
}
