//! What a worker tells about itself, for metrics, logs and failpoints. It changes nothing in what the worker does.

use std::time::Duration;

use crate::record::Partition;
use crate::recovery::{Recovery, Step};

/// A moment in a worker's life, in the order of a transaction. `Late`: so many records of the committed transactions came
/// too late for their window.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    Assigned {
        partitions: usize,
    },
    Revoked {
        partitions: usize,
    },
    /// So far a state is restored: offsets of its changelogs, of as many as they have, and since when.
    Restoring {
        partition: Partition,
        records: u64,
        of: u64,
        took: Duration,
    },
    /// A state was restored, from so many records.
    Restored {
        partition: Partition,
        records: u64,
        took: Duration,
    },
    /// Their state is restored, and they are read from where their group is.
    Started {
        partitions: usize,
    },
    Consumed {
        records: usize,
    },
    Flushed,
    OffsetsSent,
    Committed {
        records: u64,
        took: Duration,
    },
    Late {
        records: u64,
    },
    Failed {
        step: Step,
        recovery: Recovery,
    },
}

/// Takes the moments of a stage's workers.
pub trait Observer: Send + Sync {
    fn observe(&self, stage: &'static str, moment: &Moment);
}

/// Looks away.
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _stage: &'static str, _moment: &Moment) {}
}
