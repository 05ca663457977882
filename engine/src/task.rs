//! A task: one partition of a stage, with its state and its place in the input.

mod progress;

use std::ops::ControlFlow;

use crate::log::{Log, LogError, TopicSpec};
use crate::record::{NextOffset, Partition, Record};
use crate::stage::{Output, Stage, StageSpec};
use crate::state::StateError;
use progress::Progress;
pub(crate) use progress::Watcher;

/// Why a task cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    State(#[from] StateError),
}

pub(crate) struct Task {
    pub(crate) partition: Partition,
    stage: Box<dyn Stage>,
    committed: NextOffset,
    position: NextOffset,
}

impl Task {
    /// Makes the task and restores its state from the changelog, up to the end that the changelog has now, open
    /// transactions waited for: stopping at the last stable offset would lose state silently.
    pub(crate) fn restore<L: Log>(
        log: &L,
        spec: &StageSpec,
        partition: Partition,
        committed: NextOffset,
        watcher: Watcher<'_>,
    ) -> Result<Self, TaskError> {
        let mut stage = (spec.make)(partition, committed)?;
        let mut records = 0;
        if !stage.is_restored() {
            records = restore_all(log, spec, stage.as_mut(), partition, watcher)?;
            stage.restored()?;
        }
        if records > 0 {
            tracing::info!(
                stage = spec.name,
                partition = partition.0,
                records,
                "restored partition {partition}"
            );
        }
        Ok(Self { partition, stage, committed, position: committed })
    }

    pub(crate) fn handle(&mut self, record: Record<'_>, output: &mut dyn Output) {
        // After a seek a client may still hand out what it had fetched before.
        if record.offset >= self.position.get() {
            self.position = NextOffset::after(record.offset);
            self.stage.handle(record, output);
        }
    }

    pub(crate) fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        if self.is_dirty() { self.stage.flush(output) } else { Ok(()) }
    }

    pub(crate) fn committed(&mut self) -> Result<(), StateError> {
        if self.is_dirty() {
            self.stage.committed()?;
            self.committed = self.position;
        }
        Ok(())
    }

    pub(crate) fn rolled_back(&mut self) {
        self.stage.rolled_back();
        self.position = self.committed;
    }

    /// Ends the task. A commit in doubt is none here: if it has come to pass, the next task's position is another one.
    pub(crate) fn close(mut self) -> Result<(), StateError> {
        if self.is_dirty() {
            self.rolled_back();
        }
        self.stage.close(self.committed)
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        self.stage.is_on_disk()
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.position != self.committed
    }

    pub(crate) fn position(&self) -> NextOffset {
        self.position
    }

    pub(crate) fn pending_bytes(&self) -> usize {
        self.stage.pending_bytes()
    }

    pub(crate) fn take_late(&mut self) -> u64 {
        self.stage.take_late()
    }
}

/// Hands the records of all changelogs to the stage, each up to its end; tells how many.
fn restore_all<L: Log>(
    log: &L,
    spec: &StageSpec,
    stage: &mut dyn Stage,
    partition: Partition,
    watcher: Watcher<'_>,
) -> Result<u64, TaskError> {
    let end = |topic: &TopicSpec| -> Result<NextOffset, TaskError> {
        Ok(log.ends(&topic.name)?.get(partition.0 as usize).copied().unwrap_or_default())
    };
    let ends = spec.changelogs.iter().map(end).collect::<Result<Vec<_>, _>>()?;
    let of = ends.iter().map(|end| end.get()).sum();
    let mut progress = Progress::new(watcher, spec.name, partition, of);
    for (changelog, (topic, end)) in spec.changelogs.iter().zip(ends).enumerate() {
        restore(log, stage, changelog, &topic.name, partition, end, &mut progress)?;
        progress.through(end.get());
    }
    if progress.records > 0 {
        progress.done();
    }
    Ok(progress.records)
}

fn restore<L: Log>(
    log: &L,
    stage: &mut dyn Stage,
    changelog: usize,
    topic: &str,
    partition: Partition,
    end: NextOffset,
    progress: &mut Progress<'_>,
) -> Result<(), TaskError> {
    let mut failed = None;
    log.read(topic, partition, NextOffset::START, end, &mut |record| {
        progress.record(record.offset);
        match stage.restore(changelog, record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

#[cfg(test)]
mod tests;
