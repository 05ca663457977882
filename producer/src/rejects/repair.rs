//! Repaired rows back into the log, many of them in one transaction. To send them twice is safe: each counts once.

use std::io::{self, BufRead};
use std::time::Duration;

use domain::{Atlas, Reject, Rejection, SightingId};
use engine::log::{Log, LogError};
use engine::recovery::Recovery;
use service::exit::{Code, Exit};
use service::{Backoff, Shutdown};

use super::plan::Plan;
use crate::batch::Batch;
use crate::ingest::body::{Format, parse};
use crate::writer::{Broken, Target};

/// A transaction is far below what a producer keeps in memory.
const BATCH_ROWS: usize = 10_000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// As long as a broker takes that was killed and is started again.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5), tries: 10 };

#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    #[error("cannot read the edited rows")]
    Read(#[source] io::Error),
    #[error(transparent)]
    Log(LogError),
}

impl From<RepairError> for Exit {
    fn from(error: RepairError) -> Self {
        match error {
            RepairError::Read(_) => Self::from_error(Code::NoInput, error),
            RepairError::Log(error) => error.into(),
        }
    }
}

/// Rows that wait to be written.
pub struct Repairs<'r, L: Log> {
    log: &'r L,
    target: &'r Target,
    shutdown: &'r Shutdown,
    /// Nothing is written without.
    is_real: bool,
    batch: Batch,
    sent: u64,
}

impl<'r, L: Log> Repairs<'r, L> {
    /// `is_real`: otherwise rows are only counted.
    pub fn new(log: &'r L, target: &'r Target, shutdown: &'r Shutdown, is_real: bool) -> Self {
        Self { log, target, shutdown, is_real, batch: Batch::default(), sent: 0 }
    }

    /// A reject, if that helps: under the key that it should have had.
    pub fn take(&mut self, reject: &Reject<'_>, plan: &Plan) -> Result<(), RepairError> {
        if let Plan::Rekey(id) = plan {
            let encode = |out: &mut Vec<u8>| {
                out.extend_from_slice(&reject.bytes);
                *id
            };
            self.push(encode)?;
        }
        Ok(())
    }

    /// Writes what waits, and gives how many rows were sent, or would have been.
    pub fn finish(mut self) -> Result<u64, RepairError> {
        self.write()?;
        Ok(self.sent)
    }

    fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> SightingId) -> Result<(), RepairError> {
        let pushed: Result<_, std::convert::Infallible> = self.batch.push(encode, |_, _| Ok(()));
        let Ok(_) = pushed;
        if self.batch.len() >= BATCH_ROWS || self.batch.bytes() >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), RepairError> {
        let batch = std::mem::take(&mut self.batch);
        if self.is_real && !batch.is_empty() {
            let is_passing = |broken: &Failed| broken.recovery != Recovery::Exit;
            let transactional_id = self.target.topics.application("producer-rejects");
            let written = BACKOFF.retry("a transaction failed", self.shutdown, is_passing, || {
                let mut producer = self.log.producer(&transactional_id)?;
                Ok(self.target.write(&mut producer, [&batch])?)
            });
            written.map_err(|failed| RepairError::Log(failed.error))?;
        }
        self.sent += batch.len() as u64;
        Ok(())
    }
}

/// Why rows are not in, as far as is known.
struct Failed {
    error: LogError,
    recovery: Recovery,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl From<LogError> for Failed {
    fn from(error: LogError) -> Self {
        let recovery = match error.failure {
            engine::log::Failure::Retriable => Recovery::RecreateAndRewind,
            _ => Recovery::Exit,
        };
        Self { error, recovery }
    }
}

impl From<Broken> for Failed {
    fn from(Broken { error, recovery, .. }: Broken) -> Self {
        Self { error, recovery }
    }
}

/// An edited row that would be rejected again: its line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub line: u64,
    pub rejection: Rejection,
}

impl<L: Log> Repairs<'_, L> {
    /// Takes edited rows, one JSON object a line, and tells of those that would be rejected again.
    pub fn take_lines(
        &mut self,
        mut lines: impl BufRead,
        atlas: &Atlas,
        bad: &mut dyn FnMut(Edited),
    ) -> Result<(), RepairError> {
        let (mut text, mut line) = (Vec::new(), 0);
        loop {
            text.clear();
            if lines.read_until(b'\n', &mut text).map_err(RepairError::Read)? == 0 {
                return Ok(());
            }
            line += 1;
            // A line holds one row, or is empty.
            let Ok(parsed) = parse(Format::Ndjson, &text, atlas) else { continue };
            for rejection in parsed.verdicts.into_iter().filter_map(Result::err) {
                bad(Edited { line, rejection });
            }
            for (id, value) in parsed.batch.rows() {
                self.push(|out| {
                    out.extend_from_slice(value);
                    id
                })?;
            }
        }
    }
}
