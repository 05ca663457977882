//! When a worker that is to stop at the end is done: everything that its input held at the start has been committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::log::{Consumer, Log, LogError};
use crate::record::{NextOffset, Partition};

/// The ends to reach, taken once the stages before are through.
pub struct UntilEnd<'w> {
    topic: &'w str,
    upstream_is_done: &'w AtomicBool,
    ends: Option<Vec<NextOffset>>,
    has_assignment: bool,
    /// Where a partition was when its end was told.
    at_end: BTreeMap<Partition, NextOffset>,
}

impl<'w> UntilEnd<'w> {
    /// `upstream_is_done`: the ends are taken when this is true.
    pub fn new(topic: &'w str, upstream_is_done: &'w AtomicBool) -> Self {
        Self { topic, upstream_is_done, ends: None, has_assignment: false, at_end: BTreeMap::new() }
    }

    /// Partitions have come: before that nobody knows what is ours.
    pub fn assigned(&mut self) {
        self.has_assignment = true;
        self.at_end.clear();
    }

    /// The partition has no more committed records behind `position`, for now.
    pub fn reached(&mut self, partition: Partition, position: NextOffset) {
        self.at_end.insert(partition, position);
    }

    /// `positions`: everything before them is committed.
    pub fn is_done<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        positions: impl Iterator<Item = (Partition, NextOffset)>,
    ) -> Result<bool, LogError> {
        if !self.has_assignment || !self.upstream_is_done.load(Ordering::Acquire) {
            return Ok(false);
        }
        if self.ends.is_none() {
            self.ends = Some(log.ends(self.topic)?);
        }
        let ends = self.ends.as_deref().unwrap_or_default();
        for (partition, position) in positions {
            let end = ends.get(partition.0 as usize).copied().unwrap_or_default();
            // The last offsets of a partition may be transaction markers, which are never handed out: then the
            // partition is at its end, and that end is stable, behind the one asked for.
            let is_through = position >= end
                || (self.at_end.get(&partition) == Some(&position) && consumer.stable_end(partition)? >= end);
            if !is_through {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
