//! The readers: a thread for each topic, committed records only, from the beginning and then as they come. Each is alone in a
//! group that commits nothing, so that it reads all partitions and leaves nothing behind.

use std::collections::BTreeMap;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::{Topics, wire};
use engine::log::{Consumer, Event, Failure, Group, Log, LogError};
use engine::record::{NextOffset, Partition, Record};
use service::{Shutdown, clock};

use crate::shared::{Reading, Shared};

/// A consumer that has nothing looks this often whether the page is to end.
const WAIT: Duration = Duration::from_millis(100);
const RETRY_PAUSE: Duration = Duration::from_millis(500);
const SAMPLE_PAUSE: Duration = Duration::from_millis(500);
/// Of the counters only the last are needed; a broker's markers of transactions lie between them.
const COUNTERS_BACK: u64 = 100;

/// What is read, and what it is called on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Aggregates,
    Sightings,
    Rejects,
    Counters,
}

impl Topic {
    const ALL: [Self; 4] = [Self::Aggregates, Self::Sightings, Self::Rejects, Self::Counters];

    fn title(self) -> &'static str {
        match self {
            Self::Aggregates => "aggregates",
            Self::Sightings => "sightings",
            Self::Rejects => "rejects",
            Self::Counters => "counters",
        }
    }

    fn name(self, topics: &Topics) -> String {
        match self {
            Self::Aggregates => topics.aggregates(),
            Self::Sightings => topics.sightings(),
            Self::Rejects => topics.rejects(),
            Self::Counters => topics.seen_changelog(),
        }
    }

    fn start(self, end: NextOffset) -> NextOffset {
        match self {
            Self::Aggregates | Self::Sightings | Self::Rejects => NextOffset::START,
            Self::Counters => NextOffset::at(end.get().saturating_sub(COUNTERS_BACK)),
        }
    }
}

/// The threads; dropped, they are asked to end and waited for.
#[derive(Debug)]
pub(crate) struct Followers {
    stop: Shutdown,
    threads: Vec<JoinHandle<()>>,
}

impl Followers {
    pub(crate) fn start<L: Log + Clone>(log: &L, shared: &Shared, stop: Shutdown) -> io::Result<Self> {
        let mut followers = Self { stop, threads: Vec::new() };
        for topic in Topic::ALL {
            let (log, shared, stop) = (log.clone(), shared.clone(), followers.stop.clone());
            let builder = thread::Builder::new().name(format!("page {}", topic.title()));
            let follower = Follower { topic, shared, stop, positions: BTreeMap::new(), targets: Vec::new() };
            followers.threads.push(builder.spawn(move || follower.run(&log))?);
        }
        let (log, shared, stop) = (log.clone(), shared.clone(), followers.stop.clone());
        let sampler = thread::Builder::new().name("page samples".into());
        followers.threads.push(sampler.spawn(move || sample(&log, &shared, &stop))?);
        Ok(followers)
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.stop.request();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader of the page panicked");
            }
        }
    }
}

struct Follower {
    topic: Topic,
    shared: Shared,
    stop: Shutdown,
    /// Behind the last record that was taken.
    positions: BTreeMap<Partition, NextOffset>,
    /// What was there at the beginning.
    targets: Vec<NextOffset>,
}

impl Follower {
    fn run(mut self, log: &impl Log) {
        let name = self.topic.name(&self.shared.settings().topics);
        while !self.stop.is_requested() {
            if let Err(error) = self.session(log, &name) {
                // The topic may not be there yet, or the broker be away: the page shows what it has.
                tracing::debug!(topic = %name, %error, "the page cannot read {name}: trying again");
                self.stop.wait_timeout(RETRY_PAUSE);
            }
        }
    }

    /// Reads until the page ends, or a new consumer is needed.
    fn session<L: Log>(&mut self, log: &L, name: &str) -> Result<(), LogError> {
        // Asked first: a member of a topic that is not there yet may wait for minutes.
        let ends = log.ends(name)?;
        if self.targets.is_empty() {
            let start = |end: &NextOffset| self.topic.start(*end);
            self.positions = (0..).map(Partition).zip(ends.iter().map(start)).collect();
            self.targets = ends;
        }
        self.tell();
        let mut consumer = log.consumer(&self.group(), name)?;
        while !self.stop.is_requested() {
            match self.poll(&mut consumer) {
                Ok(Event::Records(_)) => self.tell(),
                Ok(event) => self.handle(event, &mut consumer)?,
                Err(error) if error.failure == Failure::Retriable => {
                    tracing::debug!(topic = name, %error, "the page cannot read {name}");
                }
                Err(error) => return Err(error),
            }
        }
        consumer.close();
        Ok(())
    }

    fn group(&self) -> Group {
        let topics = &self.shared.settings().topics;
        let (process, now) = (std::process::id(), clock::unix_ms());
        let name = format!("page-{}-{process}-{now}", self.topic.title());
        Group { id: topics.application(&name), instance: None }
    }

    fn handle(&mut self, event: Event, consumer: &mut impl Consumer) -> Result<(), LogError> {
        match event {
            Event::Assigned(partitions) => {
                let position = |partition| self.positions.get(&partition).copied().unwrap_or_default();
                let starts: Vec<_> = partitions.into_iter().map(|of| (of, position(of))).collect();
                consumer.start(&starts)
            }
            Event::Revoked(partitions) | Event::Lost(partitions) => consumer.release(&partitions),
            Event::End(partition) => {
                // What is left below the end are markers of transactions, or was compacted away.
                if let Some(target) = self.targets.get(partition.0 as usize) {
                    let position = self.positions.entry(partition).or_default();
                    *position = (*target).max(*position);
                    self.tell();
                }
                Ok(())
            }
            Event::Records(_) | Event::Idle => Ok(()),
        }
    }

    /// The lock is taken with the first record and given back at the end of the batch.
    fn poll(&mut self, consumer: &mut impl Consumer) -> Result<Event, LogError> {
        let Self { topic, shared, positions, .. } = self;
        let mut is_new = |record: &Record<'_>| {
            let position = positions.entry(record.partition).or_default();
            let is_new = record.offset >= position.get();
            *position = NextOffset::after(record.offset).max(*position);
            is_new
        };
        match topic {
            Topic::Aggregates => {
                let mut held = None;
                consumer.poll(WAIT, &mut |record| {
                    if is_new(&record) && !held.get_or_insert_with(|| shared.aggregates()).take(record) {
                        strange(*topic, record);
                    }
                })
            }
            Topic::Sightings => {
                let mut held = None;
                consumer.poll(WAIT, &mut |record| match record.value.map(wire::decode_sighting) {
                    Some(Ok(sighting)) if is_new(&record) => {
                        let held = held.get_or_insert_with(|| shared.sightings());
                        held.facts.add(&sighting);
                        held.newest.offer(record, &sighting);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => strange(*topic, record),
                })
            }
            Topic::Rejects => {
                consumer.poll(WAIT, &mut |record| match record.value.map(wire::decode_reject) {
                    Some(Ok(reject)) if is_new(&record) => shared.rejects().take(record, &reject),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => strange(*topic, record),
                })
            }
            Topic::Counters => {
                consumer.poll(WAIT, &mut |record| match record.value.and_then(wire::decode_row_counts) {
                    Some(counts) if is_new(&record) => shared.flow().committed(record.partition, counts),
                    Some(_) => {}
                    None => strange(*topic, record),
                })
            }
        }
    }

    fn tell(&self) {
        let read = |(partition, target): (Partition, &NextOffset)| {
            self.positions.get(&partition).copied().unwrap_or_default().min(*target).get()
        };
        let reading = Reading {
            read: (0..).map(Partition).zip(&self.targets).map(read).sum(),
            total: self.targets.iter().map(|target| target.get()).sum(),
        };
        self.shared.read(self.topic.title(), reading);
        self.shared.changed();
    }
}

/// Said once for each: somebody else writes into our topics.
fn strange(topic: Topic, record: Record<'_>) {
    let (topic, partition, offset) = (topic.title(), record.partition.0, record.offset);
    tracing::warn!(topic, partition, offset, "the record is not one of ours: the page passes it over");
}

/// Looks twice a second how far the pipeline is.
fn sample(log: &impl Log, shared: &Shared, stop: &Shutdown) {
    let settings = shared.settings();
    let raw = settings.topics.raw();
    while !stop.is_requested() {
        let is_exact = settings.are_offsets_records;
        let ends = is_exact.then(|| log.ends(&raw).ok()).flatten();
        let records = ends.map(|ends| ends.iter().map(|end| end.get()).sum());
        shared.flow().sample(clock::unix_ms(), records, &settings.metrics.render());
        shared.changed();
        stop.wait_timeout(SAMPLE_PAUSE);
    }
}
