//! The writing side of a worker: one transactional producer, its open transaction, and the retries of single calls.

use std::time::Duration;

use crate::clock::Clock;
use crate::log::{Log, LogError, Producer, TopicSpec};
use crate::record::{NewRecord, NextOffset, Partition};
use crate::recovery::{Recovery, Step, recovery};
use crate::stage::Output;

const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// A step that failed for good, and what is to be done about it.
pub(crate) struct Failed {
    pub(crate) step: Step,
    pub(crate) recovery: Recovery,
    pub(crate) error: LogError,
}

pub(crate) struct Writer<'w, L: Log> {
    producer: L::Producer,
    outputs: &'w [TopicSpec],
    clock: &'w dyn Clock,
    step_limit: Duration,
    is_open: bool,
    /// The first failure since the last recovery; what is sent after it is dropped, since all of it is repeated.
    failed: Option<Failed>,
}

impl<'w, L: Log> Writer<'w, L> {
    pub(crate) fn new(
        producer: L::Producer,
        outputs: &'w [TopicSpec],
        clock: &'w dyn Clock,
        step_limit: Duration,
    ) -> Self {
        Self { producer, outputs, clock, step_limit, is_open: false, failed: None }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn take_failure(&mut self) -> Option<Failed> {
        self.failed.take()
    }

    /// Opens a transaction where none is open.
    pub(crate) fn open(&mut self) {
        if !self.is_open && self.failed.is_none() {
            self.attempt(Step::Begin, |producer| producer.begin());
            self.is_open = self.failed.is_none();
        }
    }

    pub(crate) fn send_offsets(&mut self, consumer: &L::Consumer, positions: &[(Partition, NextOffset)]) {
        self.attempt(Step::SendOffsets, |producer| producer.send_offsets(consumer, positions));
    }

    pub(crate) fn commit(&mut self) {
        self.attempt(Step::Commit, |producer| producer.commit());
        if self.failed.is_none() {
            self.is_open = false;
        }
    }

    pub(crate) fn abort(&mut self) -> Result<(), Failed> {
        self.failed = None;
        if self.is_open {
            self.attempt(Step::Abort, |producer| producer.abort());
        }
        self.is_open = false;
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Makes a call, again and again where that is what its failure asks for. Skipped after a failure.
    fn attempt(&mut self, step: Step, mut call: impl FnMut(&mut L::Producer) -> Result<(), LogError>) {
        if self.failed.is_some() {
            return;
        }
        let begun = self.clock.now();
        while let Err(error) = call(&mut self.producer) {
            let elapsed = self.clock.now().saturating_sub(begun);
            match recovery(step, error.failure, elapsed, self.step_limit) {
                Recovery::RetryCall => self.clock.pause(RETRY_PAUSE),
                recovery @ (Recovery::AbortAndRewind | Recovery::RecreateAndRewind | Recovery::Exit) => {
                    self.failed = Some(Failed { step, recovery, error });
                    return;
                }
            }
        }
    }
}

impl<L: Log> Output for Writer<'_, L> {
    fn send(&mut self, output: usize, record: NewRecord<'_>) {
        self.open();
        let topic = &self.outputs[output].name;
        self.attempt(Step::Send, |producer| producer.send(topic, record));
    }
}
