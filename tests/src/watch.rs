//! An observer that reads the committed aggregates all the while: no value may ever go back, whatever dies meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::{Aggregate, Topics, View, wire};
use engine::log::{Consumer, Event, Failure, Group, Log, LogError};
use engine::record::{NextOffset, Partition, Record};
use kafka::{Kafka, KafkaConsumer, KafkaSettings};
use service::clock;

const WAIT: Duration = Duration::from_millis(100);
const RETRY_PAUSE: Duration = Duration::from_millis(300);

#[derive(Default)]
struct Seen {
    positions: BTreeMap<Partition, NextOffset>,
    current: HashMap<Vec<u8>, Aggregate>,
    values: u64,
    went_back: Option<String>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    is_over: AtomicBool,
}

/// Watches until it is asked what it saw.
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// `brokers` need not be there yet, nor the topic.
    pub fn start(brokers: &str, topics: &Topics) -> Self {
        let shared = Arc::<Shared>::default();
        let (log, topic) = (Kafka::new(KafkaSettings::new(brokers)), topics.aggregates());
        let watching = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !watching.is_over.load(Ordering::Acquire) {
                if watching.read(&log, &topic).is_err() {
                    clock::pause(RETRY_PAUSE);
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// How many sightings the aggregates hold that were seen last.
    pub fn sightings(&self) -> u64 {
        let seen = self.shared.seen();
        let countries =
            seen.current.iter().filter(|(key, _)| View::of_record_key(key) == Some(View::Country));
        countries.map(|(_, aggregate)| aggregate.count).sum()
    }

    /// Whether it has seen every partition's records up to these ends.
    pub fn is_past(&self, ends: &[NextOffset]) -> bool {
        let seen = self.shared.seen();
        let position = |partition| seen.positions.get(&Partition(partition)).copied().unwrap_or_default();
        (0..).zip(ends).all(|(partition, end)| position(partition) > *end)
    }

    /// Ends it, and gives how many values it saw.
    ///
    /// # Panics
    /// If one of them went back.
    pub fn finish(mut self) -> u64 {
        self.end();
        let seen = self.shared.seen();
        assert_eq!(seen.went_back, None);
        seen.values
    }

    fn end(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the observer does not panic");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until it is over, or a new client is needed.
    fn read(&self, log: &Kafka, topic: &str) -> Result<(), LogError> {
        // Asked first: a member of a topic that is not there yet may wait for minutes.
        log.ends(topic)?;
        let group = Group { id: format!("{topic}-watch"), instance: None };
        let mut consumer = log.consumer(&group, topic)?;
        while !self.is_over.load(Ordering::Acquire) {
            match consumer.poll(WAIT, &mut |record| self.seen().take(record)) {
                Ok(event) => self.handle(event, &mut consumer)?,
                Err(error) if error.failure == Failure::Retriable => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn handle(&self, event: Event, consumer: &mut KafkaConsumer) -> Result<(), LogError> {
        match event {
            Event::Assigned(partitions) => {
                let seen = self.seen();
                let position = |partition| seen.positions.get(&partition).copied().unwrap_or_default();
                let starts: Vec<_> =
                    partitions.into_iter().map(|partition| (partition, position(partition))).collect();
                drop(seen);
                consumer.start(&starts)
            }
            Event::Revoked(partitions) | Event::Lost(partitions) => consumer.release(&partitions),
            Event::Records(_) | Event::End(_) | Event::Idle => Ok(()),
        }
    }
}

impl Seen {
    fn take(&mut self, record: Record<'_>) {
        let position = self.positions.entry(record.partition).or_default();
        if record.offset < position.get() {
            return;
        }
        *position = NextOffset::after(record.offset);
        let (Some(key), Some(value)) = (record.key, record.value) else { return };
        let Ok((_, _, aggregate)) = wire::decode_aggregate(value) else { return };
        self.values += 1;
        let before = self.current.insert(key.to_vec(), aggregate).unwrap_or_default();
        let grows = [
            before.count <= aggregate.count,
            before.with_duration <= aggregate.with_duration,
            before.total_duration_ms <= aggregate.total_duration_ms,
            before.max_duration_ms <= aggregate.max_duration_ms,
            before.implausible <= aggregate.implausible,
        ];
        if grows.contains(&false) && self.went_back.is_none() {
            let key = String::from_utf8_lossy(key);
            let (partition, offset) = (record.partition, record.offset);
            self.went_back = Some(format!(
                "partition {partition}, offset {offset}: {key}: {before:?}, then {aggregate:?}"
            ));
        }
    }
}
