//! What a cluster and this client give, without an engine above them: the limits that a pipeline can be compared with.
//!
//! `UFO_BROKERS=127.0.0.1:9092 cargo run --release -p kafka --example limits -- [records] [property=value ..]`

#[path = "support/stopwatch.rs"]
mod stopwatch;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use engine::log::{Consumer, Event, Group, Kept, Log, LogError, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition};
use kafka::{Kafka, KafkaSettings};

use stopwatch::{cpu_seconds, now, say};

const PARTITIONS: u32 = 6;
const VALUE_BYTES: usize = 250;
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
const TRANSACTIONS: u64 = 300;
const POLL_WAIT: Duration = Duration::from_millis(10);

fn main() -> Result<(), LogError> {
    let brokers = std::env::var("UFO_BROKERS").unwrap_or_else(|_| "127.0.0.1:9092".into());
    let records = std::env::args().nth(1).and_then(|records| records.parse().ok()).unwrap_or(1_000_000);
    let mut settings = KafkaSettings::new(brokers);
    for (property, value) in std::env::args().skip(2).filter_map(|given| {
        given.split_once('=').map(|(property, value)| (property.to_owned(), value.to_owned()))
    }) {
        settings.properties.insert(property, value);
    }
    let kafka = Kafka::new(settings);
    let run = format!("limits-{:016x}", RandomState::new().build_hasher().finish());
    let topic = |name: &str| TopicSpec {
        name: format!("{run}-{name}"),
        partitions: PARTITIONS,
        kept: Kept::For(Duration::from_secs(3600)),
    };
    let topics = [topic("input"), topic("output"), topic("small")];
    kafka.ensure_topics(&topics)?;
    let [input, output, small] = topics.map(|topic| topic.name);

    measured("produce, 10,000 a transaction", records, || produce(&kafka, &input, &run, records))?;
    measured("consume", records, || consume(&kafka, &input, &run, records))?;
    measured("copy, committed every 100 ms", records, || copy(&kafka, &input, &output, &run, records))?;
    measured("transactions of one record", TRANSACTIONS, || transactions(&kafka, &small, &run, 1))?;
    measured("transactions of six partitions", TRANSACTIONS, || {
        transactions(&kafka, &small, &run, PARTITIONS)
    })
}

/// Runs and prints one line: how many a second, and what a million cost.
fn measured(name: &str, count: u64, work: impl FnOnce() -> Result<(), LogError>) -> Result<(), LogError> {
    let (begun, cpu_begun) = (now(), cpu_seconds());
    work()?;
    let (took, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu_begun);
    let count = count as f64;
    let line = format!(
        "{name:32} {:>10.0} a second {:>8.2} CPU-seconds a million {took:>7.2} s\n",
        count / took,
        cpu / count * 1e6
    );
    say(&line);
    Ok(())
}

fn value() -> Vec<u8> {
    // Letters with a pattern: it compresses about as well as rows of text.
    (0..VALUE_BYTES).map(|index| b'a' + (index * index % 23) as u8).collect()
}

fn record<'r>(number: u64, key: &'r [u8], value: &'r [u8]) -> NewRecord<'r> {
    let partition = Partition((number % u64::from(PARTITIONS)) as u32);
    NewRecord { partition, timestamp_ms: 1_700_000_000_000, key: Some(key), value: Some(value) }
}

fn produce(kafka: &Kafka, topic: &str, id: &str, records: u64) -> Result<(), LogError> {
    let mut producer = kafka.producer(id)?;
    let value = value();
    for number in 0..records {
        if number % 10_000 == 0 {
            if number > 0 {
                producer.commit()?;
            }
            producer.begin()?;
        }
        producer.send(topic, record(number, &number.to_be_bytes(), &value))?;
    }
    producer.commit()
}

fn member(id: &str, name: &str) -> Group {
    Group { id: format!("{id}-{name}"), instance: None }
}

fn consume(kafka: &Kafka, topic: &str, id: &str, records: u64) -> Result<(), LogError> {
    let mut consumer = kafka.consumer(&member(id, "consume"), topic)?;
    let mut read = 0;
    while read < records {
        let event = consumer.poll(POLL_WAIT, &mut |_| read += 1)?;
        answer(&mut consumer, event)?;
    }
    consumer.close();
    Ok(())
}

fn answer<C: Consumer>(consumer: &mut C, event: Event) -> Result<(), LogError> {
    match event {
        Event::Assigned(partitions) => {
            let starts: Vec<_> = partitions.iter().map(|partition| (*partition, NextOffset::START)).collect();
            consumer.start(&starts)
        }
        Event::Revoked(partitions) | Event::Lost(partitions) => consumer.release(&partitions),
        Event::Records(_) | Event::End(_) | Event::Idle => Ok(()),
    }
}

fn copy(kafka: &Kafka, input: &str, output: &str, id: &str, records: u64) -> Result<(), LogError> {
    let mut consumer = kafka.consumer(&member(id, "copy"), input)?;
    let mut producer = kafka.producer(id)?;
    let mut positions = [None; PARTITIONS as usize];
    let (mut copied, mut opened) = (0, None);
    while copied < records || opened.is_some() {
        let mut failed = None;
        let event = consumer.poll(POLL_WAIT, &mut |record| {
            if opened.is_none() {
                opened = Some(now());
                failed = failed.take().or(producer.begin().err());
            }
            let copy = NewRecord {
                partition: record.partition,
                timestamp_ms: record.timestamp_ms,
                key: record.key,
                value: record.value,
            };
            failed = failed.take().or(producer.send(output, copy).err());
            positions[record.partition.0 as usize] = Some(NextOffset::after(record.offset));
            copied += 1;
        })?;
        failed.map_or(Ok(()), Err)?;
        answer(&mut consumer, event)?;
        if opened.is_some_and(|opened| opened.elapsed() >= COMMIT_INTERVAL || copied == records) {
            let moved = (0..).map(Partition).zip(positions.iter_mut().map(Option::take));
            let moved: Vec<_> = moved.filter_map(|(partition, next)| Some((partition, next?))).collect();
            producer.send_offsets(&consumer, &moved)?;
            producer.commit()?;
            opened = None;
        }
    }
    consumer.close();
    Ok(())
}

/// How many transactions one producer gets, each of so many partitions with one record.
fn transactions(kafka: &Kafka, topic: &str, id: &str, partitions: u32) -> Result<(), LogError> {
    let mut producer = kafka.producer(id)?;
    let value = value();
    for number in 0..TRANSACTIONS {
        producer.begin()?;
        for partition in 0..partitions {
            producer.send(topic, record(u64::from(partition), &number.to_be_bytes(), &value))?;
        }
        producer.commit()?;
    }
    Ok(())
}
