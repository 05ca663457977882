//! The embedded log: the contract of every log, and what only this one promises.

mod crash;
mod disk;
mod groups;
mod kept;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use embedded::{EmbeddedConsumer, EmbeddedLog, EmbeddedProducer};
use engine::contract;
use engine::log::{Consumer, Event, Group, Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition, Record};

const WAIT: Duration = Duration::from_millis(20);

fn open(folder: &Path) -> EmbeddedLog {
    EmbeddedLog::open(folder).expect("opens")
}

fn spec(name: &str, partitions: u32, kept: Kept) -> TopicSpec {
    TopicSpec { name: name.to_owned(), partitions, kept }
}

fn join(log: &EmbeddedLog, group: &str, topic: &str) -> EmbeddedConsumer {
    log.consumer(&Group { id: group.to_owned(), instance: None }, topic).expect("joins")
}

/// Joins, and starts from the beginning what it is given.
fn joined(log: &EmbeddedLog, group: &str, topic: &str) -> EmbeddedConsumer {
    let mut consumer = join(log, group, topic);
    match consumer.poll(WAIT, &mut |_| {}).expect("polls") {
        Event::Assigned(partitions) => {
            let starts: Vec<_> = partitions.into_iter().map(|p| (p, NextOffset::START)).collect();
            consumer.start(&starts).expect("starts");
        }
        other => panic!("{other:?} instead of partitions"),
    }
    consumer
}

fn send(producer: &mut EmbeddedProducer, topic: &str, partition: u32, key: &str, value: Option<&[u8]>) {
    let key = Some(key.as_bytes());
    let record = NewRecord { partition: Partition(partition), timestamp_ms: 0, key, value };
    producer.send(topic, record).expect("sends");
}

/// What `of` makes of each record of a partition.
fn read<T>(log: &EmbeddedLog, topic: &str, partition: u32, of: impl Fn(Record<'_>) -> T) -> Vec<T> {
    let end = log.ends(topic).expect("ends")[partition as usize];
    let mut found = Vec::new();
    let each = &mut |record: Record<'_>| {
        found.push(of(record));
        ControlFlow::Continue(())
    };
    let stopped = log.read(topic, Partition(partition), NextOffset::START, end, each).expect("reads");
    assert_eq!(stopped, end);
    found
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or(b"-")).into_owned()
}

#[test]
fn it_keeps_the_contract_of_every_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for (name, case) in contract::cases() {
        println!("{name}");
        case(&log, name);
    }
}
