//! The broker, and what most tests do with it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use engine::log::{Consumer, Event, Failure, Group, Kept, Log, LogError, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition};
use kafka::{Assignment, Kafka, KafkaConsumer, KafkaProducer, KafkaSettings};

/// The cluster to test against; says what is not run without one, or fails where there has to be one.
pub(crate) fn settings(not_run: &str) -> Option<KafkaSettings> {
    let brokers = std::env::var("UFO_BROKERS").ok().filter(|brokers| !brokers.is_empty());
    if brokers.is_none() {
        assert!(std::env::var_os("UFO_REQUIRE_SERVERS").is_none(), "UFO_BROKERS names no broker");
        // Past the capture of the test harness: what was not run is told also where everything passes.
        let _ = writeln!(io::stderr(), "SKIPPED {not_run}: UFO_BROKERS names no broker");
    }
    brokers.map(KafkaSettings::new)
}

pub(crate) fn kafka(not_run: &str) -> Option<Kafka> {
    settings(not_run).map(Kafka::new)
}

/// A name that no earlier run has used.
pub(crate) fn unique(name: &str) -> String {
    format!("test-{name}-{:016x}", RandomState::new().build_hasher().finish())
}

pub(crate) fn topic(kafka: &Kafka, partitions: u32) -> String {
    let name = unique("topic");
    let spec = TopicSpec { name: name.clone(), partitions, kept: Kept::Forever };
    kafka.ensure_topics(&[spec]).expect("a topic");
    name
}

pub(crate) fn group(id: &str) -> Group {
    Group { id: id.to_owned(), instance: None }
}

pub(crate) fn producer(kafka: &Kafka, id: &str) -> KafkaProducer {
    kafka.producer(id).expect("a producer")
}

/// Sends numbers into the open transaction.
pub(crate) fn send(
    producer: &mut KafkaProducer,
    topic: &str,
    partition: u32,
    numbers: impl Iterator<Item = u64>,
) {
    for number in numbers {
        let value = number.to_string();
        let record = NewRecord {
            partition: Partition(partition),
            timestamp_ms: 1_700_000_000_000,
            key: None,
            value: Some(value.as_bytes()),
        };
        producer.send(topic, record).expect("send");
    }
}

pub(crate) fn write(
    producer: &mut KafkaProducer,
    topic: &str,
    partition: u32,
    numbers: impl Iterator<Item = u64>,
) {
    producer.begin().expect("begin");
    send(producer, topic, partition, numbers);
    producer.commit().expect("commit");
}

pub(crate) fn number(value: Option<&[u8]>) -> u64 {
    std::str::from_utf8(value.expect("a value")).expect("text").parse().expect("a number")
}

/// The committed numbers of a partition, up to the end that it has now.
pub(crate) fn read(kafka: &Kafka, topic: &str, partition: u32) -> Result<Vec<u64>, LogError> {
    let end = kafka.ends(topic)?[partition as usize];
    let mut numbers = Vec::new();
    let stopped = kafka.read(topic, Partition(partition), NextOffset::START, end, &mut |record| {
        numbers.push(number(record.value));
        ControlFlow::Continue(())
    })?;
    assert_eq!(stopped, end);
    Ok(numbers)
}

/// Polls and starts what is assigned, until these numbers of partitions are held.
pub(crate) fn join(kafka: &Kafka, group: &Group, topic: &str, partitions: usize) -> KafkaConsumer {
    let mut consumer = kafka.consumer(group, topic).expect("a consumer");
    let mut held = 0;
    for _ in 0..600 {
        match poll(&mut consumer) {
            Event::Assigned(assigned) => {
                start(&mut consumer, &assigned);
                held += assigned.len();
            }
            Event::Revoked(partitions) | Event::Lost(partitions) => {
                consumer.release(&partitions).expect("release");
                held -= partitions.len();
            }
            _ => {}
        }
        if held == partitions {
            return consumer;
        }
    }
    panic!("holds {held} partitions, not {partitions}");
}

pub(crate) fn poll(consumer: &mut KafkaConsumer) -> Event {
    match consumer.poll(Duration::from_millis(50), &mut |_| {}) {
        Err(error) if error.failure == Failure::Retriable => Event::Idle,
        event => event.expect("poll"),
    }
}

pub(crate) fn start(consumer: &mut KafkaConsumer, partitions: &[Partition]) {
    let committed = committed(consumer, partitions);
    let starts = committed.into_iter().map(|next| next.unwrap_or(NextOffset::START));
    let positions: Vec<_> = partitions.iter().copied().zip(starts).collect();
    consumer.start(&positions).expect("start");
}

/// Waits for transactions that hold offsets.
pub(crate) fn committed(consumer: &mut KafkaConsumer, partitions: &[Partition]) -> Vec<Option<NextOffset>> {
    for _ in 0..600 {
        match consumer.committed(partitions) {
            Err(error) if error.failure == Failure::Retriable => thread::sleep(Duration::from_millis(50)),
            committed => return committed.expect("committed"),
        }
    }
    panic!("the committed offsets stay unknown");
}

pub(crate) fn cooperative(settings: KafkaSettings) -> KafkaSettings {
    KafkaSettings { assignment: Assignment::Cooperative, ..settings }
}
