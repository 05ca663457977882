//! Records as columns. Pure: what a topic's record becomes in the lake.

mod gold;
mod raw;
mod rejects;
mod sightings;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use engine::record::Record;

pub(crate) use gold::gold_batch;
pub(crate) use raw::RawRows;
pub(crate) use rejects::RejectRows;
pub(crate) use sightings::SightingRows;

/// Rows collected for one table.
pub(crate) trait Rows: Default {
    /// Adds a record; false for one that none of our stages wrote.
    fn push(&mut self, topic: &str, record: Record<'_>) -> bool;

    fn len(&self) -> usize;

    /// The rows by value of the table's partition column, `None` where it has none; what was collected is gone then.
    fn finish(&mut self) -> Result<Vec<(Option<String>, RecordBatch)>, ArrowError>;
}

/// Microseconds since 1970 of a time in milliseconds.
fn micros(ms: i64) -> i64 {
    ms.saturating_mul(1_000)
}

/// Durations and counts are far below 2⁶³; a hostile sum stops there instead of wrapping.
fn long(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
