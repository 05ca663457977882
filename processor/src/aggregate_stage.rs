//! The stage that reads the repartition topic: merges deltas into the current aggregates, which it publishes.
//! `ufo.aggregates` is its changelog too: what readers see and what state is restored from are one.

use domain::{Aggregate, View, arrivals_minute, wire};
use engine::record::{NewRecord, NextOffset, Partition, Record};
use engine::stage::{Output, Stage};
use engine::state::{Codec, KeyedStore, StateError, Store};
use engine::window::{OpenWindows, Window};
use hashbrown::HashSet;

use crate::arrivals::{CHANGELOG_KEY, WINDOWS as MINUTES, decode_notice, decode_windows, encode_windows};

/// Outputs of this stage, in the order of its spec.
pub(crate) const AGGREGATES: usize = 0;
pub(crate) const WINDOWS: usize = 1;

/// Changelogs: first how far time has come, then the values.
pub(crate) const WINDOWS_CHANGELOG: usize = 0;
pub(crate) const AGGREGATES_CHANGELOG: usize = 1;

/// What the record keys of the windowed view begin with.
const ARRIVALS_PREFIX: &[u8] = b"[\"arrivals\"";

const CODEC: Codec<Aggregate> =
    Codec { write: wire::encode_compact, read: |bytes| wire::decode_compact(bytes).ok() };

/// Rough cost of a changed key until the commit: its map entry and the record that is sent.
const CHANGE_BYTES: usize = 600;

pub(crate) struct AggregateStage {
    partition: Partition,
    aggregates: KeyedStore<Aggregate>,
    store: Store,
    minutes: OpenWindows,
    late_committed: u64,
    late: u64,
    late_told: u64,
    timestamp_ms: i64,
    value: Vec<u8>,
}

impl AggregateStage {
    /// `sources`: the partitions of `ufo.raw`.
    pub(crate) fn new(partition: Partition, sources: u32, store: Store) -> Result<Self, StateError> {
        let mut stage = Self {
            partition,
            aggregates: KeyedStore::new(&store, CODEC),
            store,
            minutes: OpenWindows::new(MINUTES, sources),
            late_committed: 0,
            late: 0,
            late_told: 0,
            timestamp_ms: 0,
            value: Vec::new(),
        };
        if let Some(note) = stage.store.note().map(<[u8]>::to_vec) {
            stage.restore_windows(&note).ok_or_else(|| stage.store.damaged())?;
            let minutes = &mut stage.minutes;
            stage.aggregates.each(ARRIVALS_PREFIX, |key, _| {
                if let Some(minute) = minute_of(key) {
                    minutes.restore_open(minute, key);
                }
            })?;
        }
        Ok(stage)
    }

    fn merge(&mut self, key: &[u8], delta: &Aggregate) {
        if let Some(minute) = minute_of(key)
            && !self.minutes.open(minute, key)
        {
            self.late += delta.count;
            return;
        }
        self.aggregates.change(key).merge(delta);
    }

    /// Publishes the minutes that are over, for the last time; they need not be kept then.
    fn close_minutes(&mut self, output: &mut dyn Output) -> Result<HashSet<Vec<u8>>, StateError> {
        let closed: HashSet<Vec<u8>> = self.minutes.closing().map(|(_, key)| key.to_vec()).collect();
        for key in &closed {
            if let Some(aggregate) = self.aggregates.get(key)? {
                self.value.clear();
                wire::encode_final_aggregate(View::Arrivals, key, &aggregate, &mut self.value);
                output.send(AGGREGATES, self.record(key));
            }
            self.aggregates.leave(key);
        }
        Ok(closed)
    }

    fn record<'r>(&'r self, key: &'r [u8]) -> NewRecord<'r> {
        NewRecord {
            partition: self.partition,
            timestamp_ms: self.timestamp_ms,
            key: Some(key),
            value: Some(&self.value),
        }
    }

    fn restore_windows(&mut self, value: &[u8]) -> Option<()> {
        let state = decode_windows(value)?;
        for (source, time) in (0..).zip(state.times) {
            self.minutes.restore_source(source, time).then_some(())?;
        }
        (self.late, self.late_committed, self.late_told) = (state.late, state.late, state.late);
        Some(())
    }
}

impl Stage for AggregateStage {
    fn handle(&mut self, record: Record<'_>, _output: &mut dyn Output) {
        self.timestamp_ms = self.timestamp_ms.max(record.timestamp_ms);
        let mut is_ours = true;
        if let Some(notice) = record.key {
            is_ours = decode_notice(notice).is_some_and(|(source, time)| self.minutes.advance(source, time));
        } else {
            for delta in wire::decode_deltas(record.value.unwrap_or_default()) {
                match delta {
                    Ok((key, delta)) => self.merge(key, &delta),
                    Err(_) => is_ours = false,
                }
            }
        }
        if !is_ours {
            // Only our own stage writes here; what somebody else puts in between is no sighting.
            tracing::error!(
                partition = record.partition.0,
                offset = record.offset,
                "a record of the repartition topic is not ours and is passed over"
            );
        }
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        self.aggregates.check()?;
        let closed = self.close_minutes(output)?;
        for (key, aggregate) in self.aggregates.pending() {
            let Some(view) = View::of_record_key(key) else { continue };
            if !closed.is_empty() && closed.contains(key) {
                continue;
            }
            self.value.clear();
            wire::encode_aggregate(view, key, aggregate, &mut self.value);
            output.send(
                AGGREGATES,
                NewRecord {
                    partition: self.partition,
                    timestamp_ms: self.timestamp_ms,
                    key: Some(key),
                    value: Some(&self.value),
                },
            );
        }
        if self.minutes.has_advanced() || self.late != self.late_committed {
            self.value.clear();
            encode_windows(self.late, self.minutes.times(), &mut self.value);
            output.send(WINDOWS, self.record(CHANGELOG_KEY));
        }
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.aggregates.committed()?;
        self.minutes.committed();
        self.late_committed = self.late;
        Ok(())
    }

    fn rolled_back(&mut self) {
        self.aggregates.rolled_back();
        self.minutes.rolled_back();
        self.late = self.late_committed;
    }

    fn restore(&mut self, changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let corrupt = |what: String| StateError::Corrupt { offset: record.offset, what };
        if changelog == WINDOWS_CHANGELOG {
            let restored = record.value.and_then(|value| self.restore_windows(value));
            return restored.ok_or_else(|| corrupt("the time of windows was expected".into()));
        }
        let key = record.key.ok_or_else(|| corrupt("it has no key".into()))?;
        let aggregate = match record.value {
            Some(value) => Some(wire::decode_aggregate(value).map_err(|error| corrupt(error.to_string()))?.2),
            None => None,
        };
        if let Some(minute) = minute_of(key) {
            if aggregate.is_none() || record.value.is_some_and(wire::is_final_aggregate) {
                self.minutes.restore_closed(minute, key);
                return self.aggregates.restore(key, None);
            }
            self.minutes.restore_open(minute, key);
        }
        self.aggregates.restore(key, aggregate)
    }

    fn is_restored(&self) -> bool {
        self.store.note().is_some()
    }

    fn restored(&mut self) -> Result<(), StateError> {
        self.aggregates.restored()
    }

    fn is_on_disk(&self) -> bool {
        self.store.is_on_disk()
    }

    fn close(&mut self, committed: NextOffset) -> Result<(), StateError> {
        let mut note = Vec::new();
        encode_windows(self.late_committed, self.minutes.times(), &mut note);
        self.store.close(committed, &note)
    }

    fn take_late(&mut self) -> u64 {
        self.late_committed - std::mem::replace(&mut self.late_told, self.late_committed)
    }

    fn pending_bytes(&self) -> usize {
        self.aggregates.pending().len() * CHANGE_BYTES
    }
}

/// The minute of an arrivals key; `None` for every other view.
fn minute_of(key: &[u8]) -> Option<Window> {
    if !key.starts_with(ARRIVALS_PREFIX) {
        return None;
    }
    arrivals_minute(key).map(|minute_ms| MINUTES.of(minute_ms))
}
