//! The thread that writes: whatever waits goes into the next transaction, so that the more comes, the more is committed
//! together. A request is never in two transactions.

use std::time::Duration;

use engine::log::{Cause, Failure, Log, LogError};
use engine::recovery::Recovery;
use service::clock;
use service::http::Watched;

use super::metrics::IngestMetrics;
use super::queue::{Next, Outcome, Queue, Waiting};
use crate::writer::{Broken, Target};

const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// How often a log that nothing is written to is asked whether it is there.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A transaction whose end is in doubt is written once more by a new producer: the rows count once.
const TRIES: u32 = 2;
/// The part of the process's health that this is.
pub(super) const PART: &str = "log";

pub(super) struct Committer<'c, L: Log> {
    pub(super) log: &'c L,
    pub(super) target: &'c Target,
    pub(super) transactional_id: String,
    pub(super) queue: &'c Queue,
    pub(super) metrics: &'c IngestMetrics,
    pub(super) watched: &'c Watched,
    pub(super) producer: Option<L::Producer>,
    /// That the log is away.
    pub(super) is_told: bool,
}

impl<L: Log> Committer<'_, L> {
    /// Works until the queue is closed and empty, or an error ends it; nobody is left without an answer.
    pub(super) fn run(mut self) -> Result<(), LogError> {
        let ended = self.work();
        self.queue.abandon();
        ended
    }

    fn work(&mut self) -> Result<(), LogError> {
        // A log that is away at the start is waited for as later on.
        self.connect()?;
        loop {
            match self.queue.next(LOOK_EVERY) {
                Next::Requests(requests) => self.settle(requests)?,
                Next::Idle => self.look()?,
                Next::Over => return Ok(()),
            }
        }
    }

    /// Writes the requests and answers them, also before an error.
    fn settle(&mut self, mut requests: Vec<Waiting>) -> Result<(), LogError> {
        let mut outcome = Outcome::NotSent;
        for _ in 0..TRIES {
            // Who has been told that it is not known will send the rows again.
            let (abandoned, wanted) = requests.into_iter().partition(Waiting::is_abandoned);
            self.queue.answer(abandoned, outcome);
            requests = wanted;
            if requests.is_empty() {
                return Ok(());
            }
            match self.connect() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.queue.answer(requests, outcome);
                    return Err(error);
                }
            }
            match self.write(&requests) {
                Ok(()) => {
                    self.queue.answer(requests, Outcome::Committed);
                    return Ok(());
                }
                Err(Broken { error, recovery: Recovery::Exit, .. }) => {
                    self.queue.answer(requests, Outcome::NotKnown);
                    return Err(error);
                }
                Err(_) => outcome = Outcome::NotKnown,
            }
        }
        self.queue.answer(requests, outcome);
        Ok(())
    }

    fn write(&mut self, requests: &[Waiting]) -> Result<(), Broken> {
        let Some(producer) = &mut self.producer else { return Ok(()) };
        let begun = clock::now();
        let written = self.target.write(producer, requests.iter().map(|waiting| &waiting.batch));
        match &written {
            Ok(()) => {
                let rows = requests.iter().map(|waiting| waiting.batch.len()).sum();
                self.metrics.committed(requests.len(), rows, begun.elapsed());
            }
            Err(Broken { error, step, recovery }) => {
                self.producer = None;
                self.metrics.failed(*step, *recovery);
                tracing::warn!(%error, ?step, ?recovery, "a transaction failed: a new producer is needed");
            }
        }
        written
    }

    /// Asks a log that is idle whether it is there, so that requests need not find out.
    fn look(&mut self) -> Result<(), LogError> {
        match self.log.ends(&self.target.topics.raw()) {
            Ok(_) => self.is_there(),
            Err(error) if is_passing(&error) => self.is_away(&error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_away(&mut self, error: &LogError) {
        self.queue.log_is_away();
        self.watched.health.not_ready(PART, error.to_string());
        if !self.is_told {
            tracing::warn!(%error, "the log is away: requests are answered with 503 until it is back");
        }
        self.is_told = true;
    }

    /// Has a producer, or waits for one until a stop is requested: whether there is one.
    fn connect(&mut self) -> Result<bool, LogError> {
        while self.producer.is_none() {
            match self.target.ensure(self.log).and_then(|()| self.log.producer(&self.transactional_id)) {
                Ok(producer) => self.producer = Some(producer),
                Err(error) if is_passing(&error) => {
                    self.is_away(&error);
                    if self.watched.shutdown.wait_timeout(RECONNECT_PAUSE) {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.is_there();
        Ok(true)
    }

    fn is_there(&mut self) {
        self.queue.log_is_there();
        self.watched.health.ready(PART);
        if std::mem::take(&mut self.is_told) {
            tracing::info!("the log is back");
        }
    }
}

fn is_passing(error: &LogError) -> bool {
    error.failure == Failure::Retriable || error.cause == Cause::Unreachable
}
