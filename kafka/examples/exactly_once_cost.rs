//! What exactly-once costs: the processor's own work with transactions, and the same at least once (idempotent producer,
//! flush, commit of offsets), on the same rows at the same commit interval. Rounds alternate; the medians are compared.
//!
//! `UFO_BROKERS=127.0.0.1:9092 cargo run --release -p kafka --example exactly_once_cost -- [rows] [rounds]`

#[path = "support/stopwatch.rs"]
mod stopwatch;

use std::error::Error;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Topics;
use engine::log::{Cause, Consumer, Event, Failure, Group, Log, LogError, Producer, TopicSpec};
use engine::observer::NoObserver;
use engine::record::{NewRecord, NextOffset, Partition, Record};
use kafka::{Kafka, KafkaConsumer, KafkaSettings};
use processor::{ProcessorSettings, run_processor};
use producer::publish::{PublishSettings, ensure_topics, publish};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use service::Shutdown;

use stopwatch::{cpu_seconds, now, say};

const PARTITIONS: u32 = 6;
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// As the transactional producer is tuned.
const TUNING: [(&str, &str); 8] = [
    ("enable.idempotence", "true"),
    ("acks", "all"),
    ("linger.ms", "1"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.messages", "500000"),
    ("compression.type", "lz4"),
    ("delivery.report.only.error", "true"),
];

type Failed = Box<dyn Error>;

fn main() -> Result<(), Failed> {
    let brokers = std::env::var("UFO_BROKERS").unwrap_or_else(|_| "127.0.0.1:9092".into());
    let number = |index: usize| std::env::args().nth(index).and_then(|text| text.parse::<u64>().ok());
    let (rows, rounds) = (number(1).unwrap_or(300_000), number(2).unwrap_or(3));
    let kafka = Kafka::new(KafkaSettings::new(brokers.clone()));
    let prefix = format!("cost-{:016x}", RandomState::new().build_hasher().finish());
    fill(&kafka, &prefix, rows)?;

    let plain = AtLeastOnce { kafka: kafka.clone(), brokers };
    let (mut exact, mut once) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        exact.push(measured(&kafka, &prefix, &format!("e{round}"), "exactly once", rows)?);
        once.push(measured(&plain, &prefix, &format!("p{round}"), "at least once", rows)?);
    }
    let ratio = 100.0 * median(&mut exact) / median(&mut once);
    say(&format!("exactly once gives {ratio:.0} % of the rows a second (medians of {rounds})\n"));
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn fill(kafka: &Kafka, prefix: &str, rows: u64) -> Result<(), Failed> {
    let path = std::env::temp_dir().join(format!("{prefix}.csv"));
    let mut file = BufWriter::new(File::create(&path)?);
    producer::generate::write_csv(1, rows, &mut file)?;
    file.flush()?;
    let settings = PublishSettings::new(Topics::new(prefix, "v1"), PARTITIONS);
    ensure_topics(kafka, &settings)?;
    publish(kafka, &path, &settings, &Shutdown::default(), &mut |_| {})?;
    Ok(fs::remove_file(path)?)
}

/// Processes all rows as a generation of its own; rows a second.
fn measured<L: Log>(log: &L, prefix: &str, generation: &str, name: &str, rows: u64) -> Result<f64, Failed> {
    let settings = ProcessorSettings::new(Topics::new(prefix, generation), PARTITIONS, generation);
    let (begun, cpu_begun) = (now(), cpu_seconds());
    run_processor(log, &settings, Some(&AtomicBool::new(true)), &Shutdown::default(), &NoObserver)?;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu_begun);
    let rate = rows as f64 / seconds;
    say(&format!(
        "{name:14} {rate:>9.0} rows a second {:>7.1} CPU-seconds a million\n",
        cpu / rows as f64 * 1e6
    ));
    Ok(rate)
}

/// The same cluster without transactions.
struct AtLeastOnce {
    kafka: Kafka,
    brokers: String,
}

/// Commits its offsets when the producer says that everything is written.
struct PlainConsumer(Mutex<KafkaConsumer>);

impl PlainConsumer {
    fn inner(&mut self) -> &mut KafkaConsumer {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for PlainConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        self.inner().poll(wait, each)
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.inner().start(positions)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.inner().release(partitions)
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.inner().seek(positions)
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        self.inner().committed(partitions)
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.inner().commit(positions)
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        self.inner().stable_end(partition)
    }

    fn close(self) {}
}

struct PlainProducer(BaseProducer);

fn failed(error: &KafkaError) -> LogError {
    LogError::new(Failure::Unknown, Cause::Other, error.to_string())
}

impl Producer for PlainProducer {
    type Consumer = PlainConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        let partition = i32::try_from(record.partition.0).unwrap_or(i32::MAX);
        let mut message: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).partition(partition).timestamp(record.timestamp_ms);
        message.key = record.key;
        message.payload = record.value;
        loop {
            match self.0.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), unsent)) => {
                    message = unsent;
                    self.0.poll(Duration::from_millis(5));
                }
                Err((error, _)) => return Err(failed(&error)),
            }
        }
    }

    fn send_offsets(
        &mut self,
        consumer: &PlainConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        self.0.flush(FLUSH_TIMEOUT).map_err(|error| failed(&error))?;
        consumer.0.lock().unwrap_or_else(PoisonError::into_inner).commit(positions)
    }

    fn commit(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        Err(LogError::new(Failure::Unknown, Cause::Other, "nothing can be taken back without transactions"))
    }
}

impl Log for AtLeastOnce {
    type Consumer = PlainConsumer;
    type Producer = PlainProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        self.kafka.ensure_topics(topics)
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<PlainConsumer, LogError> {
        self.kafka.consumer(group, topic).map(|consumer| PlainConsumer(Mutex::new(consumer)))
    }

    fn producer(&self, _transactional_id: &str) -> Result<PlainProducer, LogError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        for (property, value) in TUNING {
            config.set(property, value);
        }
        config.create().map(PlainProducer).map_err(|error| failed(&error))
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        self.kafka.ends(topic)
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        self.kafka.read(topic, partition, from, to, each)
    }
}
