//! When a run that is to stop at the end is done: everything that the topic held at the start is committed, by whichever
//! member of the group. Partitions of a member that has just died belong to nobody for a while; they count all the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::log::{Consumer, Failure, Log, LogError};
use crate::record::{NextOffset, Partition};

static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// The ends to reach, taken once the stages before are through.
pub struct UntilEnd<'w> {
    topic: String,
    upstream_is_done: &'w AtomicBool,
    ends: Option<Vec<NextOffset>>,
    /// What was found when it was last looked behind a position: whether no committed record lies before the end.
    looked: BTreeMap<Partition, (NextOffset, bool)>,
}

impl<'w> UntilEnd<'w> {
    /// `upstream_is_done`: the ends are taken when this is true.
    pub fn new(topic: impl Into<String>, upstream_is_done: &'w AtomicBool) -> Self {
        Self { topic: topic.into(), upstream_is_done, ends: None, looked: BTreeMap::new() }
    }

    /// For a topic that no other stage of this run writes.
    pub fn at_once(topic: impl Into<String>) -> UntilEnd<'static> {
        UntilEnd::new(topic, &AT_ONCE)
    }

    /// Whether the whole group is done. `own`: what this member has committed of its partitions; of the others the
    /// group's committed offsets tell. `is_idle`: the last poll met nothing.
    pub fn is_done<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        own: &[(Partition, NextOffset)],
        is_idle: bool,
    ) -> Result<bool, LogError> {
        Ok(self.is_read(log, consumer, own, is_idle)? && self.is_rest_committed(log, consumer, own)?)
    }

    /// Whether nothing is left behind these positions. A log that is away for a moment means: not yet.
    pub fn is_read<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        positions: &[(Partition, NextOffset)],
        is_idle: bool,
    ) -> Result<bool, LogError> {
        self.look(log, consumer, positions, is_idle).or_else(passing)
    }

    /// Whether the group has committed everything of the partitions that are not in `own`.
    pub fn is_rest_committed<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        own: &[(Partition, NextOffset)],
    ) -> Result<bool, LogError> {
        let rest = self.rest(own);
        let committed = match consumer.committed(&rest) {
            Ok(committed) => committed,
            Err(error) => return passing(error),
        };
        let positions: Vec<_> =
            rest.into_iter().zip(committed.into_iter().map(Option::unwrap_or_default)).collect();
        self.is_read(log, consumer, &positions, true)
    }

    /// The topic's partitions that are not in `own`; none before the ends are known.
    pub fn rest(&self, own: &[(Partition, NextOffset)]) -> Vec<Partition> {
        let count = self.ends.as_ref().map_or(0, Vec::len);
        let is_own = |partition: &Partition| own.iter().any(|(owned, _)| owned == partition);
        (0..).map(Partition).take(count).filter(|partition| !is_own(partition)).collect()
    }

    fn look<L: Log>(
        &mut self,
        log: &L,
        consumer: &mut L::Consumer,
        positions: &[(Partition, NextOffset)],
        is_idle: bool,
    ) -> Result<bool, LogError> {
        if !self.upstream_is_done.load(Ordering::Acquire) {
            return Ok(false);
        }
        let ends = match &self.ends {
            Some(ends) => ends,
            None => self.ends.insert(log.ends(&self.topic)?),
        };
        for (partition, position) in positions {
            let end = ends.get(partition.0 as usize).copied().unwrap_or_default();
            if *position >= end {
                continue;
            }
            // What is left may be transaction markers, which are never handed out. To look costs a connection: not
            // while records still come, and once for each position.
            if !is_idle {
                return Ok(false);
            }
            let is_empty = match self.looked.get(partition) {
                Some((looked, is_empty)) if looked == position => *is_empty,
                // Behind an open transaction nothing can be said yet.
                _ if consumer.stable_end(*partition)? < end => return Ok(false),
                _ => is_empty_between(log, &self.topic, *partition, *position, end)?,
            };
            self.looked.insert(*partition, (*position, is_empty));
            if !is_empty {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_empty_between<L: Log>(
    log: &L,
    topic: &str,
    partition: Partition,
    from: NextOffset,
    to: NextOffset,
) -> Result<bool, LogError> {
    let mut is_empty = true;
    log.read(topic, partition, from, to, &mut |_| {
        is_empty = false;
        ControlFlow::Break(())
    })?;
    Ok(is_empty)
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
