//! What the engine needs of a log: topics of partitions, read committed, written in transactions that carry
//! the consumer's offsets. `kafka` and `embedded` implement it; the simulation of the tests does too.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::record::{NewRecord, NextOffset, Partition, Record};

/// What a failed call means for the transaction that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The same call may be made again.
    Retriable,
    /// The transaction must be aborted; the producer goes on.
    Abortable,
    /// A newer producer or group member has taken over.
    Fenced,
    /// Anything else: nobody knows what state the producer is in.
    Unknown,
}

/// What is wrong in the world, for the message and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The log's server does not answer.
    Unreachable,
    /// The log's server refuses the credentials or the action.
    Denied,
    /// A setting does not fit what is there: a missing topic, another partition count.
    Misfit,
    /// The disk or the file system below the log.
    Storage,
    Other,
}

/// A call to the log that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LogError {
    pub failure: Failure,
    pub cause: Cause,
    /// Says what to do; lower case, without a full stop.
    pub message: String,
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl LogError {
    pub fn new(failure: Failure, cause: Cause, message: impl Into<String>) -> Self {
        Self { failure, cause, message: message.into(), source: None }
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// How long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Forever,
    /// The last record of each key.
    Compacted,
    /// At least this long: input of another stage that has its own committed offsets.
    For(Duration),
}

/// A topic as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: String,
    pub partitions: u32,
    pub kept: Kept,
}

/// What a consumer met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many records were handed out.
    Records(usize),
    /// These partitions are ours now, beside those that we had. Nothing of them is read before [`Consumer::start`].
    Assigned(Vec<Partition>),
    /// These are to be given back: finish what is open, then call [`Consumer::release`].
    Revoked(Vec<Partition>),
    /// These are somebody else's already: abort, then call [`Consumer::release`].
    Lost(Vec<Partition>),
    /// The last committed record of this partition has been handed out, for now.
    End(Partition),
    /// Nothing within the time given.
    Idle,
}

/// Who reads: members of a group share a topic's partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    /// A name that outlives the process makes a restart cause no rebalance (static membership).
    pub instance: Option<String>,
}

/// Reads one topic as a member of a group, committed records only.
pub trait Consumer: Send {
    /// Waits up to `wait` and hands out the records that are there, in each partition's order, a bounded number at a time.
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError>;

    /// Begins (or goes on) reading assigned partitions at these positions.
    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError>;

    /// Gives revoked or lost partitions back.
    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// Moves to these positions, forgetting what was fetched.
    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError>;

    /// What the group has committed; `None` where nothing is.
    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError>;

    /// Commits outside any transaction: for consumers whose writes are idempotent.
    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError>;

    /// The end of a partition as a committed reader sees it now: records behind an open transaction are not in it.
    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError>;

    /// Leaves the group. What was not committed is read again by the next member.
    fn close(self);
}

/// Writes records in transactions. One per thread; calls block.
pub trait Producer: Send {
    type Consumer;

    fn begin(&mut self) -> Result<(), LogError>;

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError>;

    /// Makes the positions of the consumer's group part of the open transaction.
    fn send_offsets(
        &mut self,
        consumer: &Self::Consumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError>;

    fn commit(&mut self) -> Result<(), LogError>;

    fn abort(&mut self) -> Result<(), LogError>;
}

/// A log: Kafka, or the embedded one.
pub trait Log: Send + Sync + 'static {
    type Consumer: Consumer;
    type Producer: Producer<Consumer = Self::Consumer>;

    /// Creates what is missing and checks what is there; a topic with another partition count is an error.
    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError>;

    fn consumer(&self, group: &Group, topic: &str) -> Result<Self::Consumer, LogError>;

    /// A producer that has fenced every earlier one with this id and aborted what they left open.
    fn producer(&self, transactional_id: &str) -> Result<Self::Producer, LogError>;

    /// One past the last record of each partition, open and aborted transactions included.
    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError>;

    /// Hands out the committed records of a partition from `from` up to (not including) `to`, waiting for transactions
    /// that are still open below `to`. Returns where reading stopped.
    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError>;
}
