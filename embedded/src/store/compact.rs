//! Compaction: a partition of a compacted topic keeps the last record of each key, at its offset.

use std::collections::HashMap;
use std::ops::ControlFlow;

use engine::log::Kept;
use engine::record::{NewRecord, Partition};
use redb::{ReadableTable, WriteTransaction};

use super::{BATCHES, Topics, Write};
use crate::batch::{BATCH_BYTES, Batch, Builder};

/// Compacted when so many records came for each key that is kept.
const RECORDS_PER_KEY: u64 = 4;
const RECORDS_MIN: u64 = 50_000;

/// Compacts the partition of `write`, as of this transaction, if enough has come since the last time.
pub(super) fn if_due(
    transaction: &WriteTransaction,
    topics: &mut Topics,
    write: &Write,
) -> Result<(), redb::Error> {
    let Some(topic) = topics.get_mut(&write.topic).filter(|topic| topic.kept == Kept::Compacted) else {
        return Ok(());
    };
    let since = &mut topic.since_compaction[write.partition as usize];
    if since.0 < RECORDS_MIN.max(since.1 * RECORDS_PER_KEY) {
        return Ok(());
    }
    *since = (0, compact(transaction, topic.id, write.partition)?);
    Ok(())
}

/// Returns how many keys are kept.
fn compact(transaction: &WriteTransaction, topic: u32, partition: u32) -> Result<u64, redb::Error> {
    let mut table = transaction.open_table(BATCHES)?;
    let all = (topic, partition, 0)..=(topic, partition, u64::MAX);
    let mut batches = Vec::new();
    for entry in table.range(all)? {
        let (key, value) = entry?;
        match Batch::decode(key.value().2, value.value()) {
            Some(batch) => batches.push((key.value(), batch)),
            // A reader will tell; what cannot be read is not thrown away.
            None => return Ok(0),
        }
    }
    let mut last: HashMap<Vec<u8>, u64> = HashMap::new();
    for (_, batch) in &batches {
        batch.each(Partition(partition), 0, &mut |record| {
            if let Some(key) = record.key {
                last.insert(key.to_vec(), record.offset);
            }
            ControlFlow::Continue(())
        });
    }
    for (key, _) in &batches {
        table.remove(key)?;
    }
    let mut open: Option<(u64, Builder)> = None;
    let mut full = Vec::new();
    for (_, batch) in &batches {
        batch.each(Partition(partition), 0, &mut |record| {
            if record.key.and_then(|key| last.get(key)) == Some(&record.offset) {
                let (base, builder) = open.get_or_insert_with(|| (record.offset, Builder::default()));
                let kept = NewRecord {
                    partition: record.partition,
                    timestamp_ms: record.timestamp_ms,
                    key: record.key,
                    value: record.value,
                };
                builder.push(record.offset - *base, kept);
                if builder.bytes() >= BATCH_BYTES {
                    full.extend(open.take());
                }
            }
            ControlFlow::Continue(())
        });
    }
    for (base, builder) in full.into_iter().chain(open) {
        table.insert((topic, partition, base), builder.finish().value.as_slice())?;
    }
    Ok(last.len() as u64)
}
