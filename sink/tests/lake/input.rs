//! What the stages before the sink would have written: raw rows, their sightings and rejects, and the aggregates.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::{
    Aggregate, Atlas, COLUMNS, Header, Outcome, RawRecord, Reject, SightingId, Topics, View, judge, keys_of,
    wire,
};
use engine::partition::partition_of;

use crate::log::MemoryLog;

pub(crate) const PARTITIONS: u32 = 3;
static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);

/// The topics, and what a lake that has read them holds.
pub(crate) struct Input {
    pub(crate) log: MemoryLog,
    pub(crate) topics: Topics,
    pub(crate) raw: BTreeMap<u32, u64>,
    pub(crate) sightings: Vec<SightingId>,
    pub(crate) rejects: Vec<SightingId>,
    pub(crate) aggregates: BTreeMap<Vec<u8>, Aggregate>,
    rows: u64,
}

impl Input {
    pub(crate) fn new() -> Self {
        let topics = Topics::new("ufo", "v1");
        let log = MemoryLog::default();
        for topic in [topics.raw(), topics.sightings(), topics.rejects(), topics.aggregates()] {
            log.create(&topic, PARTITIONS);
        }
        let (raw, aggregates) = (BTreeMap::new(), BTreeMap::new());
        Self { log, topics, raw, sightings: vec![], rejects: vec![], aggregates, rows: 0 }
    }

    /// Adds rows of many years and places; every tenth is no sighting.
    pub(crate) fn add(&mut self, rows: u64) {
        for _ in 0..rows {
            let number = self.rows;
            self.rows += 1;
            let datetime = match number % 10 {
                9 => "no date".to_owned(),
                _ => format!(
                    "{}/{}/{} {}:15",
                    1 + number % 12,
                    1 + number % 28,
                    1945 + number % 70,
                    number % 24
                ),
            };
            let comment = format!("report {number}, lights &amp; noise");
            self.add_row(&datetime, ["seattle", "phoenix", "ulm"][(number % 3) as usize], &comment);
        }
    }

    pub(crate) fn add_row(&mut self, datetime: &str, city: &str, comments: &str) {
        let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
        let fields =
            [datetime, city, "wa", "us", "light", "120", "2 minutes", comments, "1/2/2014", "47.6", "-122.3"];
        let mut value = Vec::new();
        let id = wire::encode_row(&header, fields.map(str::as_bytes), &mut value);
        let key = id.to_hex();
        let partition = partition_of(&key, PARTITIONS).0;
        let offset = self.log.append(&self.topics.raw(), partition, Some(&key), Some(&value));
        *self.raw.entry(partition).or_default() += 1;
        let mut out = Vec::new();
        match judge(RawRecord { key: Some(&key), value: Some(&value) }, &ATLAS).outcome {
            Outcome::Sighting(sighting) => {
                wire::encode_sighting(&sighting, &mut out);
                self.log.append(&self.topics.sightings(), partition, Some(&key), Some(&out));
                self.sightings.push(id);
                let one = Aggregate::of(&sighting);
                keys_of(&sighting, &mut Vec::new(), |view, record_key| {
                    let total = self.aggregates.entry(record_key.to_vec()).or_default();
                    total.merge(&one);
                    append_aggregate(&self.log, &self.topics, view, record_key, total);
                });
            }
            Outcome::Reject(rejection) => {
                let origin = domain::Origin {
                    topic: &self.topics.raw(),
                    partition: partition.cast_signed(),
                    offset: offset.cast_signed(),
                    timestamp_ms: 1_700_000_000_000,
                    key: Some(&key),
                    value: Some(&value),
                };
                wire::encode_reject(&Reject::new(id, rejection, origin), &mut out);
                self.log.append(&self.topics.rejects(), partition, Some(&key), Some(&out));
                self.rejects.push(id);
            }
        }
    }
}

fn append_aggregate(log: &MemoryLog, topics: &Topics, view: View, record_key: &[u8], aggregate: &Aggregate) {
    let mut value = Vec::new();
    wire::encode_aggregate(view, record_key, aggregate, &mut value);
    let partition = partition_of(record_key, PARTITIONS).0;
    log.append(&topics.aggregates(), partition, Some(record_key), Some(&value));
}
