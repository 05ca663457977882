//! Compaction: a partition of a compacted topic keeps the last record of each key, at its offset. Part of the
//! transaction that made it due: readers see the partition as it was before, or as it is after.

use std::collections::HashMap;
use std::ops::ControlFlow;

use engine::record::{NewRecord, Partition};
use redb::{ReadableTable, Table};

use crate::batch::{BATCH_BYTES, Batch, Builder};

/// So many records for each key: rewriting costs a fraction of what was written.
const RECORDS_PER_KEY: u64 = 4;
/// Below this a partition is read in no time.
const RECORDS_MIN: u64 = 20_000;

type Batches<'t> = Table<'t, (u32, u32, u64), &'static [u8]>;

pub(super) fn is_due(records: u64, keys: u64) -> bool {
    records >= RECORDS_MIN.max(keys.saturating_mul(RECORDS_PER_KEY))
}

/// Returns how many keys are kept. Holds the keys and one batch in memory.
pub(super) fn compact(table: &mut Batches<'_>, topic: u32, partition: u32) -> Result<u64, redb::Error> {
    let mut bases = Vec::new();
    let mut last: HashMap<Vec<u8>, u64> = HashMap::new();
    for entry in table.range((topic, partition, 0)..=(topic, partition, u64::MAX))? {
        let (key, value) = entry?;
        let base = key.value().2;
        bases.push(base);
        decoded(base, value.value())?.each(Partition(partition), 0, &mut |record| {
            let key = record.key.unwrap_or_default();
            match last.get_mut(key) {
                Some(offset) => *offset = record.offset,
                None => drop(last.insert(key.to_vec(), record.offset)),
            }
            ControlFlow::Continue(())
        });
    }
    // A batch is written over those that it was made of, which are gone by then: bases never meet.
    let mut open: Option<(u64, Builder)> = None;
    for base in bases {
        let old = match table.remove((topic, partition, base))? {
            Some(value) => decoded(base, value.value())?,
            None => continue,
        };
        let mut full = Vec::new();
        old.each(Partition(partition), 0, &mut |record| {
            if last.get(record.key.unwrap_or_default()) == Some(&record.offset) {
                let (base, builder) = open.get_or_insert_with(|| (record.offset, Builder::default()));
                let (timestamp_ms, key, value) = (record.timestamp_ms, record.key, record.value);
                let kept = NewRecord { partition: record.partition, timestamp_ms, key, value };
                builder.push(record.offset - *base, kept);
                if builder.bytes() >= BATCH_BYTES {
                    full.extend(open.take());
                }
            }
            ControlFlow::Continue(())
        });
        for (base, builder) in full {
            table.insert((topic, partition, base), builder.finish().value.as_slice())?;
        }
    }
    if let Some((base, builder)) = open {
        table.insert((topic, partition, base), builder.finish().value.as_slice())?;
    }
    Ok(last.len() as u64)
}

fn decoded(base: u64, value: &[u8]) -> Result<Batch, redb::Error> {
    Batch::decode(base, value).ok_or_else(|| redb::Error::Corrupted("a batch is damaged".to_owned()))
}
