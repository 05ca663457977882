//! The stage that reads the repartition topic: merges deltas into the current aggregates, which it publishes.
//! `ufo.aggregates` is its changelog too: what readers see and what state is restored from are one.

use domain::{Aggregate, View, wire};
use engine::record::{NewRecord, Partition, Record};
use engine::stage::{Output, Stage};
use engine::state::{KeyedStore, StateError};

/// Outputs of this stage, in the order of its spec.
pub(crate) const AGGREGATES: usize = 0;

/// Rough cost of a changed key until the commit: its map entry and the record that is sent.
const CHANGE_BYTES: usize = 600;

pub(crate) struct AggregateStage {
    partition: Partition,
    aggregates: KeyedStore<Aggregate>,
    timestamp_ms: i64,
    value: Vec<u8>,
}

impl AggregateStage {
    pub(crate) fn new(partition: Partition) -> Self {
        Self { partition, aggregates: KeyedStore::default(), timestamp_ms: 0, value: Vec::new() }
    }
}

impl Stage for AggregateStage {
    fn handle(&mut self, record: Record<'_>, _output: &mut dyn Output) {
        self.timestamp_ms = self.timestamp_ms.max(record.timestamp_ms);
        for delta in wire::decode_deltas(record.value.unwrap_or_default()) {
            match delta {
                Ok((key, delta)) => self.aggregates.change(key).merge(&delta),
                // Only our own stage writes here; what somebody else puts in between is no sighting.
                Err(error) => tracing::error!(
                    partition = record.partition.0,
                    offset = record.offset,
                    %error,
                    "a record of the repartition topic is not ours and is passed over"
                ),
            }
        }
    }

    fn flush(&mut self, output: &mut dyn Output) {
        for (key, aggregate) in self.aggregates.pending() {
            let Some(view) = View::of_record_key(key) else { continue };
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
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.aggregates.committed();
        Ok(())
    }

    fn rolled_back(&mut self) {
        self.aggregates.rolled_back();
    }

    fn restore(&mut self, record: Record<'_>) -> Result<(), StateError> {
        let corrupt = |what: String| StateError::Corrupt { offset: record.offset, what };
        let key = record.key.ok_or_else(|| corrupt("it has no key".into()))?;
        let aggregate = match record.value {
            Some(value) => Some(wire::decode_aggregate(value).map_err(|error| corrupt(error.to_string()))?.2),
            None => None,
        };
        self.aggregates.restore(key, aggregate);
        Ok(())
    }

    fn pending_bytes(&self) -> usize {
        self.aggregates.pending().len() * CHANGE_BYTES
    }
}
