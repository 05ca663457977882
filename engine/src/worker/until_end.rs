//! When a worker that is to stop at the end is done: everything that its input held at the start has been committed.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Partitions that no open transaction keeps from their ends any more: only an end told after that counts.
    settled: BTreeSet<Partition>,
}

impl<'w> UntilEnd<'w> {
    /// `upstream_is_done`: the ends are taken when this is true.
    pub fn new(topic: &'w str, upstream_is_done: &'w AtomicBool) -> Self {
        Self {
            topic,
            upstream_is_done,
            ends: None,
            has_assignment: false,
            at_end: BTreeMap::new(),
            settled: BTreeSet::new(),
        }
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
        let (mut is_done, mut ask_again) = (true, Vec::new());
        for (partition, position) in positions {
            let end = ends.get(partition.0 as usize).copied().unwrap_or_default();
            if position >= end {
                continue;
            }
            // The last offsets of a partition may be transaction markers, which are never handed out: then its end is
            // told before the one asked for. But an end told while a transaction was open lies before its records, so
            // the end is settled first and asked for again then.
            if !self.settled.contains(&partition) {
                is_done = false;
                if consumer.stable_end(partition)? >= end {
                    ask_again.push((partition, position));
                }
            } else if self.at_end.get(&partition) != Some(&position) {
                is_done = false;
            }
        }
        if !ask_again.is_empty() {
            consumer.seek(&ask_again)?;
            for (partition, _) in ask_again {
                self.at_end.remove(&partition);
                self.settled.insert(partition);
            }
        }
        Ok(is_done)
    }
}

#[cfg(test)]
mod tests;
