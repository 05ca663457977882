//! The facts that the ledger compares: what each place holds, read by its own reader.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use delta::Lake;
use domain::{Aggregate, Atlas, RawRecord, SightingId, Topics, Totals, View, wire};
use engine::log::{Log, LogError};
use engine::record::{NextOffset, Partition, Record};
use processor::arrivals::decode_windows;
use processor::seen::{Counters, decode_seen};
use producer::input::{self, InputError};
use producer::rows::Rows;
use service::exit::{Code, Exit};
use sink::lake::{LakeError, lake_facts};

/// Ids that a place holds, and those that it holds more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    pub ids: BTreeSet<SightingId>,
    pub twice: BTreeSet<SightingId>,
}

impl Ids {
    pub fn add(&mut self, id: SightingId) {
        if !self.ids.insert(id) {
            self.twice.insert(id);
        }
    }
}

/// Current aggregates by record key; the arrivals, which no recomputation of the file can know, are left out.
pub type Aggregates = BTreeMap<Vec<u8>, Aggregate>;

/// What the topics hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFacts {
    pub raw_by_partition: Vec<u64>,
    pub counters_by_partition: Vec<Counters>,
    pub sightings: Ids,
    pub rejects: Ids,
    pub aggregates: Aggregates,
    pub arrivals: Arrivals,
}

/// Sightings by their minute of arrival. How they fall into minutes depends on when they came, but each is in one
/// minute or counted as late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Over all minutes and countries.
    pub count: u64,
    pub late: u64,
}

/// What the lake or the index holds; `None` is what it is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFacts {
    /// Records of `ufo.raw` (bronze).
    pub raw: Option<u64>,
    pub sightings: Ids,
    pub rejects: Ids,
    pub aggregates: Aggregates,
}

/// A fact that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{topic}, partition {partition}, offset {offset}: the record is not one of ours")]
    Record { topic: String, partition: u32, offset: u64 },
}

impl From<FactsError> for Exit {
    fn from(error: FactsError) -> Self {
        match error {
            FactsError::Log(error) => error.into(),
            error @ FactsError::Record { .. } => Self::from_error(Code::Difference, error),
        }
    }
}

/// Reads every committed record of the topics.
pub fn log_facts<L: Log>(log: &L, topics: &Topics) -> Result<LogFacts, FactsError> {
    let mut facts = LogFacts::default();
    let partitions = log.ends(&topics.raw())?.len();
    facts.raw_by_partition = vec![0; partitions];
    facts.counters_by_partition = vec![Counters::default(); partitions];

    let raw = &mut facts.raw_by_partition;
    each_record(log, &topics.raw(), |record| {
        raw[record.partition.0 as usize] += 1;
        Some(())
    })?;
    let counters = &mut facts.counters_by_partition;
    each_record(log, &topics.seen_changelog(), |record| {
        *counters.get_mut(record.partition.0 as usize)? = decode_seen(record.value?)?.counters;
        Some(())
    })?;
    for (topic, ids) in [(topics.sightings(), &mut facts.sightings), (topics.rejects(), &mut facts.rejects)] {
        each_record(log, &topic, |record| {
            let id = std::str::from_utf8(record.key?).ok()?.parse().ok()?;
            ids.add(id);
            Some(())
        })?;
    }
    facts.aggregates = current_aggregates(log, topics)?;
    facts.arrivals = arrivals(log, topics, &facts.counters_by_partition)?;
    Ok(facts)
}

fn arrivals<L: Log>(log: &L, topics: &Topics, counters: &[Counters]) -> Result<Arrivals, FactsError> {
    let mut minutes = BTreeMap::new();
    each_record(log, &topics.aggregates(), |record| {
        let (key, value) = (record.key?, record.value?);
        if View::of_record_key(key)? == View::Arrivals {
            let (_, _, aggregate) = wire::decode_aggregate(value).ok()?;
            minutes.insert(key.to_vec(), aggregate.count);
        }
        Some(())
    })?;
    let mut late = BTreeMap::new();
    each_record(log, &topics.windows_changelog(), |record| {
        late.insert(record.partition, decode_windows(record.value?)?.late);
        Some(())
    })?;
    let too_late_for_minute = counters.iter().map(|counters| counters.arrivals.late);
    Ok(Arrivals {
        count: minutes.values().sum(),
        late: late.values().copied().chain(too_late_for_minute).sum(),
    })
}

/// The last value of each key of `ufo.aggregates`.
pub fn current_aggregates<L: Log>(log: &L, topics: &Topics) -> Result<Aggregates, FactsError> {
    let mut aggregates = Aggregates::new();
    each_record(log, &topics.aggregates(), |record| {
        let key = record.key?;
        if View::of_record_key(key)? == View::Arrivals {
            return Some(());
        }
        match record.value {
            Some(value) => {
                let (_, _, aggregate) = wire::decode_aggregate(value).ok()?;
                aggregates.insert(key.to_vec(), aggregate);
            }
            None => {
                aggregates.remove(key);
            }
        }
        Some(())
    })?;
    Ok(aggregates)
}

/// What the lake's tables hold.
pub fn lake_store_facts(lake: &Lake) -> Result<StoreFacts, LakeError> {
    let found = lake_facts(lake)?;
    let ids = |found: Vec<SightingId>| {
        let mut ids = Ids::default();
        found.into_iter().for_each(|id| ids.add(id));
        ids
    };
    Ok(StoreFacts {
        raw: Some(found.raw),
        sightings: ids(found.sightings),
        rejects: ids(found.rejects),
        aggregates: found.aggregates.into_iter().collect(),
    })
}

/// One plain pass over the files.
pub fn recomputed(files: &[impl AsRef<Path>]) -> Result<Totals, InputError> {
    let atlas = Atlas::new();
    let mut totals = Totals::new();
    let mut value = Vec::new();
    for file in files {
        let mut rows = Rows::new(input::open(file.as_ref())?)?;
        while let Some(id) = rows.next_into(&mut value)? {
            let key = id.to_hex();
            totals.add(RawRecord { key: Some(&key), value: Some(&value) }, &atlas);
            value.clear();
        }
    }
    Ok(totals)
}

fn each_record<L: Log>(
    log: &L,
    topic: &str,
    mut each: impl FnMut(Record<'_>) -> Option<()>,
) -> Result<(), FactsError> {
    for (partition, end) in (0..).map(Partition).zip(log.ends(topic)?) {
        let mut bad = None;
        log.read(topic, partition, NextOffset::START, end, &mut |record| match each(record) {
            Some(()) => ControlFlow::Continue(()),
            None => {
                bad = Some(record.offset);
                ControlFlow::Break(())
            }
        })?;
        if let Some(offset) = bad {
            return Err(FactsError::Record { topic: topic.to_owned(), partition: partition.0, offset });
        }
    }
    Ok(())
}
