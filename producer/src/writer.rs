//! Writes batches of rows in transactions: a batch is in the log as a whole or not at all.

use std::time::Duration;

use domain::Topics;
use engine::log::{Kept, Log, LogError, Producer, TopicSpec};
use engine::partition::partition_of;
use engine::record::NewRecord;
use engine::recovery::{Recovery, Step, recovery};
use service::clock;

use crate::batch::Batch;

const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How long one call to the log is tried.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// Where rows are written.
#[derive(Clone, Debug)]
pub struct Target {
    pub topics: Topics,
    pub partitions: u32,
}

/// A transaction that did not come to its end.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: LogError,
    pub(crate) step: Step,
    pub(crate) recovery: Recovery,
}

impl Target {
    /// Creates the topic of the rows, or checks it.
    pub(crate) fn ensure<L: Log>(&self, log: &L) -> Result<(), LogError> {
        let (name, partitions) = (self.topics.raw(), self.partitions);
        log.ensure_topics(&[TopicSpec { name, partitions, kept: Kept::Forever }])
    }

    /// Writes the batches in one transaction. After an error that is not [`Recovery::Exit`] a new producer is needed, and
    /// whether the rows are in is not known: to write them again is safe, since each counts once.
    pub(crate) fn write<'b, P: Producer>(
        &self,
        producer: &mut P,
        batches: impl IntoIterator<Item = &'b Batch>,
    ) -> Result<(), Broken> {
        let topic = self.topics.raw();
        attempt(Step::Begin, || producer.begin())?;
        for (id, value) in batches.into_iter().flat_map(Batch::rows) {
            let key = id.to_hex();
            let record = NewRecord {
                partition: partition_of(&key, self.partitions),
                timestamp_ms: clock::unix_ms(),
                key: Some(&key),
                value: Some(value),
            };
            attempt(Step::Send, || producer.send(&topic, record))?;
        }
        attempt(Step::Commit, || producer.commit())
    }
}

fn attempt(step: Step, mut call: impl FnMut() -> Result<(), LogError>) -> Result<(), Broken> {
    let begun = clock::now();
    while let Err(error) = call() {
        match recovery(step, error.failure, begun.elapsed(), STEP_LIMIT) {
            Recovery::RetryCall => clock::pause(RETRY_PAUSE),
            recovery @ (Recovery::AbortAndRewind | Recovery::RecreateAndRewind | Recovery::Exit) => {
                return Err(Broken { error, step, recovery });
            }
        }
    }
    Ok(())
}
