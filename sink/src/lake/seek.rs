//! Moving a reader and asking where to, which takes patience.

use std::time::Duration;

use engine::log::{Consumer, Failure, LogError};
use engine::record::{NextOffset, Partition};
use service::clock;

const SEEK_PAUSE: Duration = Duration::from_millis(100);
/// A partition that was just assigned cannot be moved yet; soon it can.
const SEEKS_MAX: usize = 100;

/// Moves a reader, also one whose partitions have only just come.
pub(super) fn seek(
    consumer: &mut impl Consumer,
    positions: &[(Partition, NextOffset)],
) -> Result<(), LogError> {
    for _ in 1..SEEKS_MAX {
        match consumer.seek(positions) {
            Err(error) if error.failure == Failure::Retriable => clock::pause(SEEK_PAUSE),
            sought => return sought,
        }
    }
    consumer.seek(positions)
}

/// Where the stable records of a partition end, also while brokers still agree on who leads it.
pub(super) fn stable_end(consumer: &mut impl Consumer, partition: Partition) -> Result<NextOffset, LogError> {
    for _ in 1..SEEKS_MAX {
        match consumer.stable_end(partition) {
            Err(error) if error.failure == Failure::Retriable => clock::pause(SEEK_PAUSE),
            found => return found,
        }
    }
    consumer.stable_end(partition)
}
