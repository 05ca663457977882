//! When a worker that is to stop at the end is done: everything that its input held at the start has been committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::log::{Consumer, Failure, Log, LogError};
use crate::record::{NextOffset, Partition};

/// Ends that are known need no other stage to be through.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

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

    /// For ends that were taken before.
    pub fn at(ends: Vec<NextOffset>) -> UntilEnd<'static> {
        UntilEnd { ends: Some(ends), ..UntilEnd::new("", &AT_ONCE) }
    }

    /// Reading goes on elsewhere: ends that were told before tell nothing any more.
    pub fn rewound(&mut self) {
        self.at_end.clear();
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
            match log.ends(self.topic) {
                Ok(ends) => self.ends = Some(ends),
                Err(error) => return passing(error),
            }
        }
        self.is_through(consumer, positions)
    }

    /// [`Self::is_done`] for ends that are known. A log that is away for a moment means: not yet.
    pub fn is_through<C: Consumer>(
        &mut self,
        consumer: &mut C,
        positions: impl Iterator<Item = (Partition, NextOffset)>,
    ) -> Result<bool, LogError> {
        if !self.has_assignment {
            return Ok(false);
        }
        self.look(consumer, positions).or_else(passing)
    }

    fn look<C: Consumer>(
        &mut self,
        consumer: &mut C,
        positions: impl Iterator<Item = (Partition, NextOffset)>,
    ) -> Result<bool, LogError> {
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

/// Not yet, where a later look may find more out.
fn passing(error: LogError) -> Result<bool, LogError> {
    match error.failure {
        Failure::Retriable | Failure::Abortable => Ok(false),
        Failure::Fenced | Failure::Unknown => Err(error),
    }
}

#[cfg(test)]
mod tests;
