//! When a reader that is to stop at the end is done; and moving it back, which takes patience.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::UntilEnd;
use engine::log::{Consumer, Failure, Log, LogError};
use engine::record::{NextOffset, Partition};
use service::clock;

const SEEK_PAUSE: Duration = Duration::from_millis(100);
/// A partition that was just assigned cannot be moved yet; soon it can.
const SEEKS_MAX: usize = 100;

/// Watches for the end of what was there when the stages before were through.
pub(super) struct Ending<'e> {
    until_end: UntilEnd<'e>,
    is_due: &'e AtomicBool,
    has_assignment: bool,
    has_asked_again: bool,
}

impl<'e> Ending<'e> {
    pub(super) fn new(topic: &'e str, is_due: &'e AtomicBool) -> Self {
        let until_end = UntilEnd::new(topic, is_due);
        Self { until_end, is_due, has_assignment: false, has_asked_again: false }
    }

    pub(super) fn assigned(&mut self) {
        self.has_assignment = true;
        self.until_end.assigned();
        // The ends are taken before any is told.
        self.has_asked_again |= self.is_due.load(Ordering::Acquire);
    }

    pub(super) fn reached(&mut self, partition: Partition, position: NextOffset) {
        self.until_end.reached(partition, position);
    }

    /// Ends that were told before tell nothing any more.
    pub(super) fn rewound(&mut self) {
        if self.has_assignment {
            self.until_end.assigned();
        }
    }

    /// `positions`: everything before them is read.
    pub(super) fn is_done<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<bool, LogError> {
        if !self.has_assignment || !self.is_due.load(Ordering::Acquire) {
            return Ok(false);
        }
        // An end may have been told just before the last records came, and not be one any more: ask again, once, now
        // that no more of them come.
        if !self.has_asked_again {
            self.has_asked_again = true;
            self.until_end.assigned();
            seek(consumer, positions)?;
        }
        self.until_end.is_done(log, consumer, positions.iter().copied())
    }
}

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
