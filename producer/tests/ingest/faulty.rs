//! A log that is away, or loses commits, when it is told to.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use embedded::{EmbeddedConsumer, EmbeddedLog, EmbeddedProducer};
use engine::log::{Cause, Failure, Group, Log, LogError, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition, Record};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It is carried out, and nobody is told.
    Unanswered,
    /// It gets lost.
    Lost,
    /// Another process has taken over.
    Fenced,
}

#[derive(Default)]
struct Faults {
    is_away: bool,
    /// Commits wait.
    is_shut: bool,
    waiting: usize,
    fates: VecDeque<Fate>,
}

#[derive(Clone)]
pub(crate) struct FaultyLog {
    log: EmbeddedLog,
    faults: Arc<(Mutex<Faults>, Condvar)>,
}

pub(crate) struct FaultyProducer {
    producer: EmbeddedProducer,
    log: FaultyLog,
}

fn unreachable() -> LogError {
    LogError::new(Failure::Retriable, Cause::Unreachable, "the log does not answer")
}

impl FaultyLog {
    pub(crate) fn new(log: EmbeddedLog) -> Self {
        Self { log, faults: Arc::default() }
    }

    pub(crate) fn set_away(&self, is_away: bool) {
        self.faults().is_away = is_away;
    }

    pub(crate) fn next_commits(&self, fates: &[Fate]) {
        self.faults().fates.extend(fates);
    }

    /// From now on commits wait.
    pub(crate) fn shut(&self) {
        self.faults().is_shut = true;
    }

    pub(crate) fn open(&self) {
        self.faults().is_shut = false;
        self.faults.1.notify_all();
    }

    pub(crate) fn waiting_commits(&self) -> usize {
        self.faults().waiting
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.0.lock().expect("nobody panics with it")
    }

    fn answer(&self) -> Result<(), LogError> {
        if self.faults().is_away { Err(unreachable()) } else { Ok(()) }
    }

    fn fate(&self) -> Option<Fate> {
        let mut faults = self.faults();
        faults.waiting += 1;
        let mut faults =
            self.faults.1.wait_while(faults, |faults| faults.is_shut).expect("nobody panics with it");
        faults.waiting -= 1;
        if faults.is_away { Some(Fate::Lost) } else { faults.fates.pop_front() }
    }
}

impl Log for FaultyLog {
    type Consumer = EmbeddedConsumer;
    type Producer = FaultyProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        self.answer()?;
        self.log.ensure_topics(topics)
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<EmbeddedConsumer, LogError> {
        self.log.consumer(group, topic)
    }

    fn producer(&self, transactional_id: &str) -> Result<FaultyProducer, LogError> {
        self.answer()?;
        Ok(FaultyProducer { producer: self.log.producer(transactional_id)?, log: self.clone() })
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        self.answer()?;
        self.log.ends(topic)
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        self.log.read(topic, partition, from, to, each)
    }
}

impl Producer for FaultyProducer {
    type Consumer = EmbeddedConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        self.producer.begin()
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        self.producer.send(topic, record)
    }

    fn send_offsets(
        &mut self,
        consumer: &EmbeddedConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        self.producer.send_offsets(consumer, positions)
    }

    fn commit(&mut self) -> Result<(), LogError> {
        match self.log.fate() {
            None => self.producer.commit(),
            Some(Fate::Unanswered) => self.producer.commit().and(Err(unreachable())),
            Some(Fate::Lost) => Err(unreachable()),
            Some(Fate::Fenced) => {
                Err(LogError::new(Failure::Fenced, Cause::Other, "another one has taken over"))
            }
        }
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.producer.abort()
    }
}
