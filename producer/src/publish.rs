//! Sends rows in transactions that hold the place in the file too: after any crash the next run goes on behind the last
//! committed row.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use domain::{SightingId, Topics};
use engine::log::{Kept, Log, LogError, Producer, TopicSpec};
use engine::partition::partition_of;
use engine::record::{NewRecord, NextOffset, Partition};
use engine::recovery::{Recovery, Step, recovery};
use service::{Exit, Shutdown, clock};

use crate::input::{self, InputError};
use crate::position::{Beginning, FilePosition};
use crate::rows::Rows;

const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// One partition: positions are few and read as a whole.
const PROGRESS_PARTITION: Partition = Partition(0);

/// How rows are sent.
#[derive(Clone, Debug)]
pub struct PublishSettings {
    pub topics: Topics,
    pub partitions: u32,
    /// Rows per second; no limit where absent.
    pub rate: Option<u32>,
    /// Send at most this many rows in this run.
    pub limit: Option<u64>,
    pub commit_interval: Duration,
    pub commit_rows_max: u64,
    /// How long one call to the log is tried.
    pub step_limit: Duration,
}

impl PublishSettings {
    pub fn new(topics: Topics, partitions: u32) -> Self {
        Self {
            topics,
            partitions,
            rate: None,
            limit: None,
            commit_interval: Duration::from_millis(200),
            commit_rows_max: 50_000,
            step_limit: Duration::from_secs(10),
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were in already.
    pub passed_over: u64,
    /// Rows committed by this run.
    pub sent: u64,
    /// Bytes of the content handled, and of all of it where that is known.
    pub bytes: u64,
    pub bytes_total: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<PublishError> for Exit {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Input(error) => error.into(),
            PublishError::Log(error) => error.into(),
        }
    }
}

/// Creates the topics that a producer writes to, or checks them.
pub fn ensure_topics<L: Log>(log: &L, settings: &PublishSettings) -> Result<(), LogError> {
    log.ensure_topics(&[
        TopicSpec { name: settings.topics.raw(), partitions: settings.partitions, kept: Kept::Forever },
        TopicSpec { name: settings.topics.producer_progress(), partitions: 1, kept: Kept::Compacted },
    ])
}

/// Sends what of the input is not in yet. `each` is told after every commit.
pub fn publish<L: Log>(
    log: &L,
    path: &Path,
    settings: &PublishSettings,
    shutdown: &Shutdown,
    each: &mut dyn FnMut(&Progress),
) -> Result<Progress, PublishError> {
    let mut progress = Progress::default();
    let mut rows = Rows::new(input::open(path)?)?;
    let transactional_id = settings.topics.application(&format!("producer-{}", rows.identity()));
    loop {
        let producer = log.producer(&transactional_id)?;
        let known = known_position(log, &settings.topics, rows.identity())?;
        rows = placed(rows, known.as_ref())?;
        if known.is_some() && progress.sent == 0 {
            progress.passed_over = rows.count();
        }
        let is_rereadable = rows.is_rereadable();
        let mut sender = Sender { producer, settings, shutdown, rows, progress };
        match sender.send_all(each) {
            Ok(()) => return Ok(sender.progress),
            Err(SendError::InDoubt(error)) => {
                tracing::warn!(%error, "transaction in doubt: a new producer goes on behind the last committed row");
                progress = sender.progress;
                // The log drops what is open, and the next run goes on behind the last committed row.
                if shutdown.is_requested() && is_rereadable {
                    return Ok(progress);
                }
                // Standard input and pipes cannot be read twice.
                if !is_rereadable {
                    return Err(error.into());
                }
                clock::pause(RETRY_PAUSE);
                rows = Rows::new(input::open(path)?)?;
            }
            Err(SendError::Failed(error)) => return Err(error),
        }
    }
}

/// The rows behind what has been sent.
fn placed(rows: Rows, known: Option<&FilePosition>) -> Result<Rows, PublishError> {
    let (rows, begun) = rows.behind(known)?;
    match begun {
        Beginning::Start => {}
        Beginning::From { row, .. } => {
            tracing::info!(rows = row, "{row} rows of {} are in already", rows.name());
        }
        Beginning::Changed { row, why } => tracing::warn!(
            rows = row,
            "{} {}: it is sent from its start, and rows that are in already count as duplicates",
            rows.name(),
            why.text()
        ),
    }
    Ok(rows)
}

/// The last committed place of this input.
fn known_position<L: Log>(
    log: &L,
    topics: &Topics,
    identity: &str,
) -> Result<Option<FilePosition>, LogError> {
    let topic = topics.producer_progress();
    let end = log.ends(&topic)?.first().copied().unwrap_or_default();
    let mut known = None;
    log.read(&topic, PROGRESS_PARTITION, NextOffset::START, end, &mut |record| {
        if record.key == Some(identity.as_bytes()) {
            known = record.value.and_then(|value| serde_json::from_slice(value).ok());
        }
        ControlFlow::Continue(())
    })?;
    Ok(known)
}

enum SendError {
    InDoubt(LogError),
    Failed(PublishError),
}

impl From<InputError> for SendError {
    fn from(error: InputError) -> Self {
        Self::Failed(error.into())
    }
}

struct Sender<'p, P: Producer> {
    producer: P,
    settings: &'p PublishSettings,
    shutdown: &'p Shutdown,
    rows: Rows,
    progress: Progress,
}

impl<P: Producer> Sender<'_, P> {
    fn send_all(&mut self, each: &mut dyn FnMut(&Progress)) -> Result<(), SendError> {
        let raw = self.settings.topics.raw();
        let begun = clock::now();
        let mut paced = 0_u64;
        let mut is_at_end = false;
        while !is_at_end && !self.shutdown.is_requested() {
            let opened = clock::now();
            let mut in_transaction = 0;
            let mut failed = None;
            let mut value = Vec::new();
            while in_transaction < self.settings.commit_rows_max && !self.is_limit_reached(in_transaction) {
                value.clear();
                // A file that breaks off in the middle still gives all the rows before the break.
                let id = match self.rows.next_into(&mut value) {
                    Ok(Some(id)) => id,
                    Ok(None) => {
                        is_at_end = true;
                        break;
                    }
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                };
                if in_transaction == 0 {
                    self.attempt(Step::Begin, P::begin)?;
                }
                self.send_row(&raw, id, &value)?;
                in_transaction += 1;
                paced += 1;
                self.pace(begun, paced);
                if in_transaction.is_multiple_of(256)
                    && (opened.elapsed() >= self.settings.commit_interval || self.shutdown.is_requested())
                {
                    break;
                }
            }
            self.commit(in_transaction)?;
            each(&self.progress);
            if let Some(error) = failed {
                return Err(error.into());
            }
            is_at_end |= self.is_limit_reached(0);
        }
        Ok(())
    }

    fn is_limit_reached(&self, in_transaction: u64) -> bool {
        self.settings.limit.is_some_and(|limit| self.progress.sent + in_transaction >= limit)
    }

    fn send_row(&mut self, topic: &str, id: SightingId, value: &[u8]) -> Result<(), SendError> {
        let key = id.to_hex();
        let record = NewRecord {
            partition: partition_of(&key, self.settings.partitions),
            timestamp_ms: clock::unix_ms(),
            key: Some(&key),
            value: Some(value),
        };
        self.attempt(Step::Send, |producer| producer.send(topic, record))
    }

    fn commit(&mut self, rows: u64) -> Result<(), SendError> {
        if rows == 0 {
            return Ok(());
        }
        let position = self.rows.position();
        let value = serde_json::to_vec(&position).unwrap_or_default();
        let topic = self.settings.topics.producer_progress();
        let record = NewRecord {
            partition: PROGRESS_PARTITION,
            timestamp_ms: clock::unix_ms(),
            key: Some(position.identity.as_bytes()),
            value: Some(&value),
        };
        self.attempt(Step::Send, |producer| producer.send(&topic, record))?;
        self.attempt(Step::Commit, P::commit)?;
        self.progress.sent += rows;
        self.progress.bytes = self.rows.bytes();
        self.progress.bytes_total = self.rows.bytes_total();
        Ok(())
    }

    /// Waits where rows are ahead of the rate asked for.
    fn pace(&self, begun: std::time::Instant, rows: u64) {
        let Some(rate) = self.settings.rate.filter(|rate| *rate > 0) else { return };
        let due = Duration::from_secs_f64(rows as f64 / f64::from(rate));
        let ahead = due.saturating_sub(begun.elapsed());
        if ahead > Duration::from_millis(5) {
            clock::pause(ahead);
        }
    }

    fn attempt(
        &mut self,
        step: Step,
        mut call: impl FnMut(&mut P) -> Result<(), LogError>,
    ) -> Result<(), SendError> {
        let begun = clock::now();
        while let Err(error) = call(&mut self.producer) {
            match recovery(step, error.failure, begun.elapsed(), self.settings.step_limit) {
                Recovery::RetryCall => clock::pause(RETRY_PAUSE),
                // The rows are read again anyway: a new producer aborts what is open.
                Recovery::AbortAndRewind | Recovery::RecreateAndRewind => {
                    return Err(SendError::InDoubt(error));
                }
                Recovery::Exit => return Err(SendError::Failed(error.into())),
            }
        }
        Ok(())
    }
}
