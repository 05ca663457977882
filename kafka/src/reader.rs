//! Reads a partition outside any group, up to an end that may lie behind transactions that are still open.

use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use engine::log::{Cause, Failure, LogError};
use engine::record::{NextOffset, Partition, Record};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use crate::client::{Isolation, KafkaSettings};
use crate::consumer::{number, positions_list, record};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::failure::log_error;

const CALL_TIMEOUT: Duration = Duration::from_secs(9);
const POLL_WAIT: Duration = Duration::from_millis(100);
/// How often it is asked whether open transactions have ended.
const OPEN_PAUSE: Duration = Duration::from_millis(20);
/// Longer than a dead producer's transaction stays open: its timeout, and the brokers look for those every ten seconds.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a partition may give neither records nor its end.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(20);

/// A partition of a cluster.
pub(crate) struct Source<'r> {
    pub(crate) settings: &'r KafkaSettings,
    pub(crate) topic: &'r str,
    pub(crate) partition: Partition,
}

/// Where a pass over the committed records stopped.
enum Pass {
    /// There, or where the caller wanted no more.
    Done(NextOffset),
    /// At the end of what was stable while it read.
    End(NextOffset),
}

impl Source<'_> {
    /// Hands out the committed records from `from` up to `to`. Returns `to`, or the place behind the record at which
    /// `each` broke off.
    pub(crate) fn read(
        &self,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        let deadline = Deadline::after(OPEN_TIMEOUT);
        let mut position = from;
        while position < to {
            // A new client has no end in its queue that was met before.
            let reader = self.reader()?;
            // Asked before reading: only an end met after the answers is known to lie behind every transaction below `to`.
            // An end met before may be that of an open transaction which is committed since.
            let leader = self.leader(&reader)?;
            let is_settled = self.stable_end(&reader)? >= to;
            position = match self.pass(&reader, position, to, each)? {
                Pass::Done(position) => return Ok(position),
                // What is left are markers of transactions and aborted records. Not so where another broker leads the
                // partition by now: for a moment its end may be an earlier one.
                Pass::End(_) if is_settled && self.leader(&reader)? == leader => return Ok(to),
                Pass::End(position) => position,
            };
            if deadline.is_past() {
                return Err(self.unsettled(to, position, deadline));
            }
            self.wait_until_settled(&reader, to)?;
        }
        Ok(position)
    }

    /// The broker that leads the partition.
    fn leader(&self, reader: &BaseConsumer<Context>) -> Result<i32, LogError> {
        let metadata = reader.fetch_metadata(Some(self.topic), CALL_TIMEOUT);
        let metadata = metadata.map_err(|error| self.failed(reader, error))?;
        let partitions = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let mut partitions = partitions.map(|topic| topic.partitions().iter()).into_iter().flatten();
        let found = partitions.find(|partition| partition.id() == number(self.partition));
        // Without a leader there is nothing to be read, and nothing to be compared with.
        found.map(|partition| partition.leader()).filter(|leader| *leader >= 0).ok_or_else(|| {
            let error = KafkaError::MetadataFetch(rdkafka::types::RDKafkaErrorCode::LeaderNotAvailable);
            self.failed(reader, error)
        })
    }

    fn reader(&self) -> Result<BaseConsumer<Context>, LogError> {
        let context = Context::default();
        BaseConsumer::from_config_and_context(&self.settings.reader(Isolation::Committed), context.clone())
            .map_err(|error| {
                log_error(&format!("read {}", self.topic), &self.settings.brokers, &context, error)
            })
    }

    fn failed(&self, reader: &BaseConsumer<Context>, error: KafkaError) -> LogError {
        log_error(&format!("read {}", self.topic), &self.settings.brokers, reader.context(), error)
    }

    /// The last stable offset: a reader of committed records is told that one.
    fn stable_end(&self, reader: &BaseConsumer<Context>) -> Result<NextOffset, LogError> {
        let marks = reader.fetch_watermarks(self.topic, number(self.partition), CALL_TIMEOUT);
        let (_, high) = marks.map_err(|error| self.failed(reader, error))?;
        Ok(NextOffset::at(u64::try_from(high).unwrap_or(0)))
    }

    fn wait_until_settled(&self, reader: &BaseConsumer<Context>, to: NextOffset) -> Result<(), LogError> {
        let deadline = Deadline::after(OPEN_TIMEOUT);
        let Self { topic, partition, .. } = self;
        tracing::info!(topic, partition = partition.0, "waiting for open transactions of {topic}");
        loop {
            let stable = self.stable_end(reader)?;
            if stable >= to {
                return Ok(());
            }
            if deadline.is_past() {
                return Err(self.unsettled(to, stable, deadline));
            }
            thread::sleep(OPEN_PAUSE);
        }
    }

    fn unsettled(&self, to: NextOffset, stable: NextOffset, deadline: Deadline) -> LogError {
        let Self { topic, partition, .. } = self;
        let seconds = deadline.elapsed().as_secs();
        let message = format!(
            "cannot read {topic} up to {to}: a transaction is open at {stable} of partition {partition} for {seconds} s"
        );
        LogError::new(Failure::Retriable, Cause::Other, message)
    }

    fn pass(
        &self,
        reader: &BaseConsumer<Context>,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<Pass, LogError> {
        positions_list(self.topic, std::iter::once((self.partition, from)))
            .and_then(|list| reader.assign(&list))
            .map_err(|error| self.failed(reader, error))?;
        let mut position = from;
        let mut silence: Option<Deadline> = None;
        loop {
            match reader.poll(POLL_WAIT) {
                Some(Ok(message)) => {
                    silence = None;
                    let record = record(&message);
                    if record.offset >= to.get() {
                        return Ok(Pass::Done(to));
                    }
                    position = NextOffset::after(record.offset);
                    if each(record).is_break() || position >= to {
                        return Ok(Pass::Done(position));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(Pass::End(position)),
                Some(Err(error)) => {
                    let error = self.failed(reader, error);
                    // The client connects again by itself, and goes on where it was.
                    if error.failure != Failure::Retriable || is_over(&mut silence) {
                        return Err(error);
                    }
                }
                None if is_over(&mut silence) => {
                    let error =
                        KafkaError::MessageConsumption(rdkafka::types::RDKafkaErrorCode::OperationTimedOut);
                    return Err(self.failed(reader, error));
                }
                None => {}
            }
        }
    }
}

fn is_over(silence: &mut Option<Deadline>) -> bool {
    silence.get_or_insert_with(|| Deadline::after(SILENCE_TIMEOUT)).is_past()
}
