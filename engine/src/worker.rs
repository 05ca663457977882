//! A worker: one thread with one consumer and one transactional producer, which runs the tasks of a stage's partitions
//! that its group gives it. The shell around [`crate::recovery`]: it executes what is decided there.

mod until_end;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::log::{Consumer, Event, Failure, Group, Log, LogError};
use crate::observer::{Moment, Observer};
use crate::record::{NextOffset, Partition};
use crate::recovery::Recovery;
use crate::stage::StageSpec;
use crate::state::StateError;
use crate::task::{Task, TaskError, Watcher};
use crate::writer::{Failed, Writer};

pub use until_end::UntilEnd;

const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long one wait for records may take, so that a stop is noticed.
const POLL_WAIT_MAX: Duration = Duration::from_millis(100);

/// How a worker commits.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    pub commit_interval: Duration,
    /// A commit follows when the open transaction holds so many records or bytes, whatever the interval.
    pub commit_records_max: u64,
    pub commit_bytes_max: usize,
    /// How long one call to the log is tried before the producer is made anew.
    pub step_limit: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            commit_interval: Duration::from_millis(100),
            commit_records_max: 100_000,
            commit_bytes_max: 32 * 1024 * 1024,
            step_limit: Duration::from_secs(10),
        }
    }
}

/// Why a worker left its loop.
enum Halt {
    Stopped,
    Failed(TaskError),
}

impl<E: Into<TaskError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a worker needs from outside.
pub struct Context<'w, L: Log> {
    pub log: &'w L,
    pub spec: &'w StageSpec,
    pub settings: &'w WorkerSettings,
    pub clock: &'w dyn Clock,
    pub stop: &'w (dyn Fn() -> bool + Sync),
    pub observer: &'w dyn Observer,
}

pub(crate) struct Worker<'w, L: Log> {
    context: Context<'w, L>,
    transactional_id: String,
    consumer: L::Consumer,
    writer: Writer<'w, L>,
    tasks: BTreeMap<Partition, Task>,
    /// Tasks of partitions given back after a commit: they go on without a restore if nobody else moved them meanwhile.
    suspended: BTreeMap<Partition, Task>,
    opened_at: Duration,
    records: u64,
    until_end: Option<UntilEnd<'w>>,
}

impl<'w, L: Log> Worker<'w, L> {
    pub(crate) fn new(
        context: Context<'w, L>,
        group: &Group,
        transactional_id: String,
        until_end: Option<UntilEnd<'w>>,
    ) -> Result<Self, TaskError> {
        let consumer = context.log.consumer(group, &context.spec.input.name)?;
        let producer = context.log.producer(&transactional_id)?;
        let writer = Writer::new(producer, &context.spec.outputs, context.clock, context.settings.step_limit);
        Ok(Self {
            context,
            transactional_id,
            consumer,
            writer,
            tasks: BTreeMap::new(),
            suspended: BTreeMap::new(),
            opened_at: Duration::ZERO,
            records: 0,
            until_end,
        })
    }

    /// Works until told to stop, until the end that was asked for, or until an error that only a restart can heal.
    pub(crate) fn run(mut self) -> Result<(), TaskError> {
        let halt = loop {
            match self.turn() {
                Ok(true) => {}
                Ok(false) => break Halt::Stopped,
                Err(halt) => break halt,
            }
        };
        match halt {
            Halt::Stopped => {
                close(self.tasks)?;
                self.consumer.close();
                Ok(())
            }
            Halt::Failed(error) => Err(error),
        }
    }

    /// One turn of the loop; false when the work is done.
    fn turn(&mut self) -> Result<bool, Halt> {
        if (self.context.stop)() {
            self.commit()?;
            return Ok(false);
        }
        let event = self.poll()?;
        let is_idle = event == Event::Idle;
        match event {
            Event::Records(records) => {
                self.observe(Moment::Consumed { records });
                self.records += records as u64;
            }
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked(partitions) => self.revoked(&partitions)?,
            Event::Lost(partitions) => self.lost(&partitions)?,
            Event::End(_) | Event::Idle => {}
        }
        self.recover_from_failure()?;
        if self.is_commit_due() {
            self.commit()?;
        }
        self.is_at_end(is_idle).map(|is_at_end| !is_at_end)
    }

    fn poll(&mut self) -> Result<Event, Halt> {
        let wait = if self.writer.is_open() {
            let due = self.opened_at + self.context.settings.commit_interval;
            due.saturating_sub(self.context.clock.now()).min(POLL_WAIT_MAX)
        } else {
            POLL_WAIT_MAX
        };
        let was_open = self.is_dirty();
        let (tasks, writer) = (&mut self.tasks, &mut self.writer);
        let event = self.consumer.poll(wait, &mut |record| {
            if let Some(task) = tasks.get_mut(&record.partition) {
                task.handle(record, writer);
            }
        });
        if !was_open && self.is_dirty() {
            self.opened_at = self.context.clock.now();
        }
        match event {
            Ok(event) => Ok(event),
            // The client reconnects by itself; its next poll tells.
            Err(error) if error.failure == Failure::Retriable => {
                tracing::warn!(stage = self.context.spec.name, %error, "cannot read: trying again");
                Ok(Event::Idle)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_dirty(&self) -> bool {
        self.tasks.values().any(Task::is_dirty)
    }

    fn is_commit_due(&self) -> bool {
        let settings = self.context.settings;
        self.is_dirty()
            && (self.context.clock.now() >= self.opened_at + settings.commit_interval
                || self.records >= settings.commit_records_max
                || self.tasks.values().map(Task::pending_bytes).sum::<usize>() >= settings.commit_bytes_max)
    }

    /// Commits what the tasks have handled: outputs, changelogs and input offsets in one transaction.
    fn commit(&mut self) -> Result<(), Halt> {
        if !self.is_dirty() {
            return Ok(());
        }
        let begun = self.context.clock.now();
        self.writer.open();
        for task in self.tasks.values_mut() {
            task.flush(&mut self.writer)?;
        }
        self.observe(Moment::Flushed);
        let positions: Vec<_> = self
            .tasks
            .values()
            .filter(|task| task.is_dirty())
            .map(|task| (task.partition, task.position()))
            .collect();
        self.writer.send_offsets(&self.consumer, &positions);
        self.observe(Moment::OffsetsSent);
        self.writer.commit();
        if let Some(failed) = self.writer.take_failure() {
            return self.recover(failed);
        }
        let took = self.context.clock.now().saturating_sub(begun);
        self.observe(Moment::Committed { records: self.records, took });
        self.records = 0;
        let mut late = 0;
        for task in self.tasks.values_mut() {
            task.committed()?;
            late += task.take_late();
        }
        if late > 0 {
            self.observe(Moment::Late { records: late });
        }
        Ok(())
    }

    fn recover_from_failure(&mut self) -> Result<(), Halt> {
        self.writer.take_failure().map_or(Ok(()), |failed| self.recover(failed))
    }

    fn recover(&mut self, failed: Failed) -> Result<(), Halt> {
        let Failed { step, recovery, error } = failed;
        self.observe(Moment::Failed { step, recovery });
        self.records = 0;
        match recovery {
            Recovery::Exit => Err(error.into()),
            // Nothing is lost: the log drops what is open, and the next start reads it again.
            _ if (self.context.stop)() => Err(Halt::Stopped),
            Recovery::AbortAndRewind => {
                tracing::warn!(stage = self.context.spec.name, ?step, %error, "transaction aborted: reading again from the last commit");
                match self.writer.abort() {
                    Ok(()) => self.rewind(),
                    Err(failed) => self.recover(failed),
                }
            }
            Recovery::RecreateAndRewind | Recovery::RetryCall => {
                tracing::warn!(stage = self.context.spec.name, ?step, %error, "transaction in doubt: a new producer takes over");
                self.recreate()
            }
        }
    }

    /// Forgets what is pending and reads again from the last commit.
    fn rewind(&mut self) -> Result<(), Halt> {
        let mut positions = Vec::new();
        for task in self.tasks.values_mut() {
            task.rolled_back();
            positions.push((task.partition, task.position()));
        }
        self.retrying(|worker| Ok(worker.consumer.seek(&positions)?))
    }

    /// A new producer fences the old one; what was committed is what the log says, state included.
    fn recreate(&mut self) -> Result<(), Halt> {
        let partitions: Vec<_> = self.tasks.keys().copied().collect();
        close(std::mem::take(&mut self.tasks))?;
        self.suspended.clear();
        self.retrying(|worker| {
            let context = &worker.context;
            let producer = context.log.producer(&worker.transactional_id)?;
            worker.writer =
                Writer::new(producer, &context.spec.outputs, context.clock, context.settings.step_limit);
            Ok(())
        })?;
        let positions = self.restore(&partitions)?;
        self.retrying(|worker| Ok(worker.consumer.seek(&positions)?))
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), Halt> {
        self.observe(Moment::Assigned { partitions: partitions.len() });
        let positions = self.restore(partitions)?;
        self.retrying(|worker| Ok(worker.consumer.start(&positions)?))?;
        self.observe(Moment::Started { partitions: positions.len() });
        Ok(())
    }

    /// Makes the tasks of `partitions` as of what their group has committed.
    fn restore(&mut self, partitions: &[Partition]) -> Result<Vec<(Partition, NextOffset)>, Halt> {
        let committed = self.retrying(|worker| Ok(worker.consumer.committed(partitions)?))?;
        let mut positions = Vec::with_capacity(partitions.len());
        for (partition, committed) in partitions.iter().copied().zip(committed) {
            let committed = committed.unwrap_or(NextOffset::START);
            positions.push((partition, committed));
            let task = match self.suspended.remove(&partition) {
                Some(task) if task.position() == committed => task,
                _ => self.retrying(|worker| {
                    let Context { log, spec, clock, observer, .. } = worker.context;
                    Task::restore(log, spec, partition, committed, Watcher { clock, observer })
                })?,
            };
            self.tasks.insert(partition, task);
        }
        Ok(positions)
    }

    fn revoked(&mut self, partitions: &[Partition]) -> Result<(), Halt> {
        self.observe(Moment::Revoked { partitions: partitions.len() });
        self.commit()?;
        for partition in partitions {
            match self.tasks.remove(partition) {
                Some(task) if task.is_on_disk() => task.close()?,
                Some(task) => drop(self.suspended.insert(*partition, task)),
                None => {}
            }
        }
        Ok(self.consumer.release(partitions)?)
    }

    fn lost(&mut self, partitions: &[Partition]) -> Result<(), Halt> {
        self.observe(Moment::Revoked { partitions: partitions.len() });
        if let Err(failed) = self.writer.abort() {
            self.recover(failed)?;
        }
        for partition in partitions {
            if let Some(task) = self.tasks.remove(partition) {
                task.close()?;
            }
            self.suspended.remove(partition);
        }
        self.records = 0;
        self.consumer.release(partitions)?;
        self.rewind()
    }

    /// Repeats a call that is not part of a transaction until it works, fails for good, or a stop is asked for.
    fn retrying<T>(&mut self, mut call: impl FnMut(&mut Self) -> Result<T, TaskError>) -> Result<T, Halt> {
        loop {
            match call(self) {
                Ok(value) => return Ok(value),
                Err(TaskError::Log(error)) if is_passing(&error) => {
                    if (self.context.stop)() {
                        return Err(Halt::Stopped);
                    }
                    tracing::warn!(stage = self.context.spec.name, %error, "trying again");
                    self.context.clock.pause(RETRY_PAUSE);
                }
                Err(error) => return Err(Halt::Failed(error)),
            }
        }
    }

    fn is_at_end(&mut self, is_idle: bool) -> Result<bool, Halt> {
        let Some(until_end) = &mut self.until_end else { return Ok(false) };
        if self.tasks.values().any(Task::is_dirty) {
            return Ok(false);
        }
        let own: Vec<_> = self.tasks.values().map(|task| (task.partition, task.position())).collect();
        Ok(until_end.is_done(self.context.log, &mut self.consumer, &own, is_idle)?)
    }

    fn observe(&self, moment: Moment) {
        self.context.observer.observe(self.context.spec.name, &moment);
    }
}

/// Ends tasks; what lies on disk is whole as of what they have committed.
fn close(tasks: BTreeMap<Partition, Task>) -> Result<(), StateError> {
    tasks.into_values().try_for_each(Task::close)
}

/// Outside a transaction there is nothing to abort: what may pass is waited for.
fn is_passing(error: &LogError) -> bool {
    matches!(error.failure, Failure::Retriable | Failure::Abortable)
}
