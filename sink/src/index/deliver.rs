//! Brings a batch into the index: sends it, reads what became of each document, and sends again what found no room,
//! for as long as it takes. Sending twice changes nothing, so every doubt is met by sending again.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use elasticsearch::http::Method;
use serde_json::value::RawValue;
use tracing::{info, warn};

use super::answer::{FILTER_PATH, Outcome, Verdict, outcomes, verdict};
use super::bulk::Sealed;
use super::client::{Answer, Client, reason_of};
use super::document::Kind;
use super::error::IndexError;
use super::metrics::{IndexMetrics, part_of};
use super::refused::Refusal;

const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// A server that comes back is used again within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The way into one index.
pub(super) struct Delivery {
    client: Client,
    index: String,
    path: String,
    metrics: Arc<IndexMetrics>,
    /// Of the process's health.
    part: &'static str,
    /// Told once when it begins and once when it is over.
    is_in_trouble: AtomicBool,
}

/// What a request has left to do.
enum Round {
    /// These documents have to be sent again; the others are settled.
    Settled {
        again: Vec<usize>,
        reason: String,
    },
    Again {
        reason: String,
    },
    TooLarge,
}

impl Delivery {
    pub(super) fn new(client: Client, kind: Kind, index: String, metrics: Arc<IndexMetrics>) -> Self {
        let path = format!("/{index}/_bulk?filter_path={FILTER_PATH}");
        let part = part_of(kind);
        metrics.health.ready(part);
        Self { client, index, path, metrics, part, is_in_trouble: AtomicBool::new(false) }
    }

    pub(super) fn index(&self) -> &str {
        &self.index
    }

    /// That many documents are in the file of refused ones.
    pub(super) fn refused(&self, documents: usize) {
        self.metrics.refused.inc_by(documents as u64);
    }

    /// Returns once every document is in the index or refused by it.
    pub(super) async fn deliver(&self, batch: &Sealed) -> Result<Vec<Refusal>, IndexError> {
        let mut refused = Vec::new();
        let mut work = VecDeque::from([batch.live()]);
        let mut attempt = 0;
        while let Some(documents) = work.pop_front() {
            if documents.is_empty() {
                continue;
            }
            match self.round(batch, &documents, &mut refused).await? {
                Round::Settled { again, .. } if again.is_empty() => {
                    attempt = 0;
                    self.is_well();
                }
                Round::Settled { again, reason } => {
                    attempt = if again.len() < documents.len() { 0 } else { attempt + 1 };
                    self.metrics.retried.inc_by(again.len() as u64);
                    self.trouble(&reason);
                    work.push_front(again);
                    tokio::time::sleep(pause(attempt, random())).await;
                }
                Round::Again { reason } => {
                    attempt += 1;
                    self.metrics.requests_retried.inc_by(1);
                    self.trouble(&reason);
                    work.push_front(documents);
                    tokio::time::sleep(pause(attempt, random())).await;
                }
                Round::TooLarge => match documents.split_at(documents.len() / 2) {
                    ([], [document, ..]) => {
                        let reason = "the document alone is more than the server takes".into();
                        refused.push(refusal(batch, *document, 413, "too_large".into(), reason));
                    }
                    (left, right) => {
                        work.push_front(right.to_vec());
                        work.push_front(left.to_vec());
                    }
                },
            }
        }
        self.metrics.batches.inc_by(1);
        Ok(refused)
    }

    async fn round(
        &self,
        batch: &Sealed,
        documents: &[usize],
        refused: &mut Vec<Refusal>,
    ) -> Result<Round, IndexError> {
        let body = batch.body_of(documents);
        self.metrics.sent_bytes.inc_by(body.len() as u64);
        let answer =
            match self.client.send(Method::Post, &self.path, "application/x-ndjson", Some(body)).await {
                Ok(answer) => answer,
                Err(IndexError::Unreachable { source, .. }) => {
                    return Ok(Round::Again { reason: source.to_string() });
                }
                Err(error) => return Err(error),
            };
        match verdict(answer.status) {
            Verdict::Items => self.settle(batch, documents, &answer, refused),
            Verdict::Retry => {
                let reason = format!("status {}: {}", answer.status, reason_of(&answer.body));
                Ok(Round::Again { reason })
            }
            Verdict::TooLarge => Ok(Round::TooLarge),
            Verdict::Denied | Verdict::Refused => Err(self.client.failure(&self.path, &answer)),
        }
    }

    fn settle(
        &self,
        batch: &Sealed,
        documents: &[usize],
        answer: &Answer,
        refused: &mut Vec<Refusal>,
    ) -> Result<Round, IndexError> {
        let (mut done, mut already_there) = (0, 0);
        let (mut again, mut again_reason) = (Vec::new(), String::new());
        let mut denied = None;
        let mut refused_now = Vec::new();
        let result = outcomes(&answer.body, documents.len(), |index, outcome| match outcome {
            Outcome::Done => done += 1,
            Outcome::AlreadyThere => already_there += 1,
            Outcome::Retry { status, reason } => {
                again.push(documents[index]);
                again_reason = format!("status {status}: {reason}");
            }
            Outcome::Denied { reason } => denied = Some(reason),
            Outcome::Refused { status, kind, reason } => {
                refused_now.push(refusal(batch, documents[index], status, kind, reason));
            }
        });
        if let Err(error) = result {
            // An answer cut short by something in between: what it was about is asked again.
            return Ok(Round::Again { reason: error.to_string() });
        }
        self.metrics.done.inc_by(done);
        self.metrics.already_there.inc_by(already_there);
        if let Some(reason) = denied {
            return Err(IndexError::Denied { server: self.client.server().to_owned(), reason });
        }
        refused.append(&mut refused_now);
        Ok(Round::Settled { again, reason: again_reason })
    }

    fn trouble(&self, reason: &str) {
        if !self.is_in_trouble.swap(true, Ordering::Relaxed) {
            self.metrics.health.not_ready(self.part, format!("trying again: {reason}"));
            warn!(
                index = self.index,
                reason, "Elasticsearch does not take everything; trying again until it does"
            );
        }
    }

    fn is_well(&self) {
        if self.is_in_trouble.swap(false, Ordering::Relaxed) {
            self.metrics.health.ready(self.part);
            info!(index = self.index, "Elasticsearch takes documents again");
        }
    }
}

fn refusal(batch: &Sealed, document: usize, status: u16, kind: String, reason: String) -> Refusal {
    let item = &batch.items()[document];
    let source = std::str::from_utf8(batch.source_of(document)).unwrap_or_default();
    Refusal {
        id: item.id.to_string(),
        partition: item.partition.0,
        offset: item.offset,
        status: Some(status),
        kind,
        reason,
        document: RawValue::from_string(source.to_owned()).ok(),
        bytes: None,
    }
}

/// Doubles with every failure up to a bound; between half and all of it, so that many sinks do not come back at once.
fn pause(attempt: u32, random: u64) -> Duration {
    let whole = PAUSE_FIRST.saturating_mul(1 << attempt.min(16)).min(PAUSE_MAX);
    whole / 2 + (whole / 2).mul_f64((random % 1_000) as f64 / 1_000.0)
}

/// The standard library seeds its hashers at random; nothing depends on how well.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_differ() {
        assert_eq!(pause(0, 0), Duration::from_millis(50));
        assert_eq!(pause(0, 500), Duration::from_millis(75));
        assert_eq!(pause(2, 0), Duration::from_millis(200));
        for attempt in 6..200 {
            assert_eq!(pause(attempt, 0), PAUSE_MAX / 2);
            assert!(pause(attempt, u64::MAX) <= PAUSE_MAX);
        }
    }
}
