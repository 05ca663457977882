//! Rows by HTTP over real sockets, on the embedded log and on one that fails as it is told to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod client;
mod described;
mod faulty;
mod mutated;
mod outages;
mod repairs;
mod server;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use domain::{COLUMNS, Topics};
use engine::log::Log;
use engine::record::{NextOffset, Partition};
use producer::writer::Target;
use serde_json::{Value, json};

const PARTITIONS: u32 = 3;

fn target() -> Target {
    Target { topics: Topics::new("ufo", "v1"), partitions: PARTITIONS }
}

/// A row that no other number gives.
fn row(number: usize) -> Value {
    let mut row = json!({});
    for name in COLUMNS {
        row[name] = "".into();
    }
    row["datetime"] = "10/10/1949 20:30".into();
    row["comments"] = format!("number {number}").into();
    row
}

fn rows(numbers: impl IntoIterator<Item = usize>) -> Value {
    numbers.into_iter().map(row).collect()
}

/// How often each key is in the topic.
fn keys(log: &impl Log) -> BTreeMap<String, u64> {
    let topic = target().topics.raw();
    let mut keys = BTreeMap::new();
    for (partition, end) in (0..).map(Partition).zip(log.ends(&topic).expect("ends")) {
        let each = &mut |record: engine::record::Record<'_>| {
            let key = String::from_utf8_lossy(record.key.expect("a key")).into_owned();
            *keys.entry(key).or_default() += 1;
            ControlFlow::Continue(())
        };
        log.read(&topic, partition, NextOffset::START, end, each).expect("reads");
    }
    keys
}
