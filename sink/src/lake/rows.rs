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

/// The value of the table's partition column; `None` where it has none.
pub(crate) type Year = Option<i32>;

/// Rows collected for one table, not yet encoded.
pub(crate) trait Rows: Default {
    /// Adds a record; false for one that none of our stages wrote.
    fn push(&mut self, topic: &str, record: Record<'_>) -> bool;

    fn len(&self) -> usize;

    /// The rows by year; what was collected is gone then.
    fn finish(&mut self) -> Result<Vec<(Year, RecordBatch)>, ArrowError>;
}

/// Microseconds since 1970 of a time in milliseconds.
fn micros(ms: i64) -> i64 {
    ms.saturating_mul(1_000)
}

/// Durations and counts are far below 2⁶³; a hostile sum stops there instead of wrapping.
fn long(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::record::Partition;

    /// A record of a topic at an offset, for the tests of the tables.
    pub(crate) fn record<'a>(offset: u64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
        Record { partition: Partition(3), offset, timestamp_ms: 1_700_000_000_123, key, value }
    }

    #[test]
    fn large_numbers_stop_at_the_end() {
        assert_eq!(long(u128::MAX), i64::MAX);
        assert_eq!(micros(i64::MAX), i64::MAX);
    }
}
