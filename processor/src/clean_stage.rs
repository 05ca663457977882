//! The stage that reads `ufo.raw`: finds duplicates, cleans, combines what the sighting adds to each view.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Aggregate, Atlas, Origin, Outcome, RawRecord, Reject, RejectCode, judge, keys_of, wire};
use engine::record::{NewRecord, NextOffset, Partition, Record};
use engine::stage::{Output, Stage};
use engine::state::{IdSet, StateError, Store};
use engine::window::Window;

use crate::arrivals::{Arrivals, WINDOWS, encode_notice};
use crate::combine::Combiner;
use crate::metrics::RowMetrics;
use crate::seen::{Counters, decode_seen, encode_seen};

/// Outputs of this stage, in the order of its spec.
pub(crate) const SIGHTINGS: usize = 0;
pub(crate) const REJECTS: usize = 1;
pub(crate) const DELTAS: usize = 2;
pub(crate) const SEEN: usize = 3;

/// Half of the 1 MiB that brokers take by default.
const SEEN_IDS_MAX: usize = 32 * 1024;

pub(crate) struct CleanStage {
    partition: Partition,
    partitions: u32,
    raw_topic: Arc<str>,
    atlas: Arc<Atlas>,
    seen: IdSet,
    store: Store,
    committed: Counters,
    counters: Counters,
    /// In the open transaction.
    rejected: BTreeMap<RejectCode, u64>,
    metrics: RowMetrics,
    combiner: Combiner,
    arrivals: Arrivals,
    /// The oldest minute open when the others were told last.
    told: Option<Window>,
    late_told: u64,
    /// The newest timestamp met in the open transaction: what is combined has no time of its own.
    timestamp_ms: i64,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl CleanStage {
    pub(crate) fn new(
        partition: Partition,
        partitions: u32,
        raw_topic: Arc<str>,
        atlas: Arc<Atlas>,
        metrics: RowMetrics,
        store: Store,
    ) -> Result<Self, StateError> {
        let mut stage = Self {
            partition,
            partitions,
            raw_topic,
            atlas,
            seen: IdSet::new(&store),
            store,
            committed: Counters::default(),
            counters: Counters::default(),
            rejected: BTreeMap::new(),
            metrics,
            combiner: Combiner::default(),
            arrivals: Arrivals::default(),
            told: None,
            late_told: 0,
            timestamp_ms: 0,
            key: Vec::new(),
            value: Vec::new(),
        };
        if let Some(note) = stage.store.note() {
            let block = decode_seen(note).ok_or_else(|| stage.store.damaged())?;
            stage.restore_counters(block.counters);
        }
        Ok(stage)
    }

    fn restore_counters(&mut self, counters: Counters) {
        self.counters = counters;
        self.committed = counters;
        self.late_told = counters.arrivals.late;
    }

    /// Tells every partition of the next stage when minutes are over here: behind all that belongs to them.
    fn tell_time(&self, output: &mut dyn Output) {
        let time = self.counters.arrivals.time;
        if WINDOWS.oldest_open(time) != self.told {
            let notice = encode_notice(self.partition, time);
            let (timestamp_ms, key, value) = (self.timestamp_ms, Some(&notice[..]), Some(&[][..]));
            for partition in (0..self.partitions).map(Partition) {
                output.send(DELTAS, NewRecord { partition, timestamp_ms, key, value });
            }
        }
    }
}

impl Stage for CleanStage {
    fn handle(&mut self, record: Record<'_>, output: &mut dyn Output) {
        self.counters.rows += 1;
        self.timestamp_ms = self.timestamp_ms.max(record.timestamp_ms);
        self.counters.arrivals.observe(record.timestamp_ms);
        let verdict = judge(RawRecord { key: record.key, value: record.value }, &self.atlas);
        if !self.seen.insert(verdict.id.to_bytes()) {
            self.counters.duplicates += 1;
            return;
        }
        self.value.clear();
        let (topic, counter) = match verdict.outcome {
            Outcome::Sighting(sighting) => {
                wire::encode_sighting(&sighting, &mut self.value);
                let delta = Aggregate::of(&sighting);
                let combiner = &mut self.combiner;
                keys_of(&sighting, &mut self.key, |_, key| combiner.add(key, &delta));
                if let Some(minute) = self.counters.arrivals.admit(&WINDOWS, record.timestamp_ms) {
                    self.arrivals.add(minute, sighting.country, &delta);
                }
                (SIGHTINGS, &mut self.counters.sightings)
            }
            Outcome::Reject(rejection) => {
                *self.rejected.entry(rejection.code).or_default() += 1;
                let origin = Origin {
                    topic: &self.raw_topic,
                    partition: record.partition.0.cast_signed(),
                    offset: record.offset.cast_signed(),
                    timestamp_ms: record.timestamp_ms,
                    key: record.key,
                    value: record.value,
                };
                wire::encode_reject(&Reject::new(verdict.id, rejection, origin), &mut self.value);
                (REJECTS, &mut self.counters.rejects)
            }
        };
        *counter += 1;
        // The input is partitioned by the same key, so each output stays in its task's partition.
        output.send(
            topic,
            NewRecord {
                partition: self.partition,
                timestamp_ms: record.timestamp_ms,
                key: Some(&verdict.id.to_hex()),
                value: Some(&self.value),
            },
        );
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        self.seen.check()?;
        let timestamp_ms = self.timestamp_ms;
        self.arrivals.drain_into(&mut self.combiner, &mut self.key);
        self.combiner.blocks(self.partitions, |partition, block| {
            output.send(DELTAS, NewRecord { partition, timestamp_ms, key: None, value: Some(block) });
        });
        self.tell_time(output);
        let ids: Vec<_> = self.seen.pending().collect();
        let blocks = ids.len().div_ceil(SEEN_IDS_MAX).max(1);
        for block in 0..blocks {
            let ids = &ids[block * SEEN_IDS_MAX..ids.len().min((block + 1) * SEEN_IDS_MAX)];
            self.value.clear();
            encode_seen(&self.counters, ids.iter().copied(), &mut self.value);
            let value = Some(self.value.as_slice());
            output.send(SEEN, NewRecord { partition: self.partition, timestamp_ms, key: None, value });
        }
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.seen.committed()?;
        self.combiner.clear();
        self.metrics.committed(&self.committed, &self.counters, std::mem::take(&mut self.rejected));
        self.committed = self.counters;
        self.told = WINDOWS.oldest_open(self.counters.arrivals.time);
        Ok(())
    }

    fn rolled_back(&mut self) {
        self.seen.rolled_back();
        self.combiner.clear();
        self.arrivals.clear();
        self.rejected.clear();
        self.counters = self.committed;
    }

    fn restore(&mut self, _changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let block = record.value.and_then(decode_seen).ok_or_else(|| StateError::Corrupt {
            offset: record.offset,
            what: "a block of ids was expected".into(),
        })?;
        for id in block.ids() {
            self.seen.restore(id.to_bytes())?;
        }
        self.restore_counters(block.counters);
        Ok(())
    }

    fn is_restored(&self) -> bool {
        self.store.note().is_some()
    }

    fn restored(&mut self) -> Result<(), StateError> {
        self.seen.restored()
    }

    fn is_on_disk(&self) -> bool {
        self.store.is_on_disk()
    }

    fn close(&mut self, committed: NextOffset) -> Result<(), StateError> {
        let mut note = Vec::new();
        encode_seen(&self.committed, [].iter(), &mut note);
        self.store.close(committed, &note)
    }

    fn take_late(&mut self) -> u64 {
        let late = self.committed.arrivals.late;
        late - std::mem::replace(&mut self.late_told, late)
    }

    fn pending_bytes(&self) -> usize {
        self.combiner.bytes()
    }
}
