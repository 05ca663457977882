//! A member of a group. A rebalance is only noted inside the client's callback: the partitions stay ours until the worker
//! has finished its transaction and releases them.

mod membership;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use engine::log::{Consumer, Event, Failure, Group, LogError};
use engine::record::{NextOffset, Partition, Record};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerGroupMetadata, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::KafkaSettings;
use crate::failure::log_error;
use crate::lag::{LAG_INTERVAL_MS, Lag};
use membership::{Membership, Rebalance};

/// Records handed out in one poll, so that commits and stops are never late.
const RECORDS_MAX: usize = 1_000;
const CALL_TIMEOUT: Duration = Duration::from_secs(9);

/// How members of a group pass partitions on. All members of a group must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assignment {
    /// Everything is given back before anything is taken.
    #[default]
    Eager,
    /// Only what moves is given back; the rest is read on meanwhile.
    Cooperative,
}

impl Assignment {
    pub(crate) fn strategy(self) -> &'static str {
        match self {
            Self::Eager => "range,roundrobin",
            Self::Cooperative => "cooperative-sticky",
        }
    }
}

/// What a poll met behind the records that it handed out.
#[derive(Debug)]
enum Pending {
    End(Partition),
    Failed(KafkaError),
}

/// Reads one topic as a member of a group.
pub struct KafkaConsumer {
    consumer: Arc<BaseConsumer<Membership>>,
    topic: String,
    brokers: String,
    /// What is being read, and the place of the next record.
    positions: BTreeMap<Partition, NextOffset>,
    pending: Option<Pending>,
}

impl KafkaConsumer {
    pub(crate) fn subscribe(
        settings: &KafkaSettings,
        group: &Group,
        topic: &str,
        lag: Option<Lag>,
    ) -> Result<Self, LogError> {
        let mut config = settings.member(&group.id, group.instance.as_deref());
        if lag.is_some() {
            config.set("statistics.interval.ms", LAG_INTERVAL_MS);
        }
        let membership = Membership::new(topic, &group.id, lag);
        let context = membership.context().clone();
        let failed = |error| log_error(&format!("read {topic}"), &settings.brokers, &context, error);
        let consumer = BaseConsumer::from_config_and_context(&config, membership).map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        Ok(Self {
            consumer: Arc::new(consumer),
            topic: topic.to_owned(),
            brokers: settings.brokers.clone(),
            positions: BTreeMap::new(),
            pending: None,
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// As of now, never kept: a stale generation would be fenced. `None` where these partitions are not this member's any
    /// more: a client that was thrown out of its group names no generation, and brokers let such offsets pass unfenced.
    pub(crate) fn group_metadata(
        &self,
        positions: &[(Partition, NextOffset)],
    ) -> Option<ConsumerGroupMetadata> {
        let holds_all = positions.iter().all(|(partition, _)| self.positions.contains_key(partition));
        let metadata = self.consumer.group_metadata().filter(|_| holds_all);
        // Asked last: who is thrown out after this is still named with the generation that was taken before.
        metadata.filter(|_| !self.consumer.assignment_lost())
    }

    fn failed(&self, what: &str, error: KafkaError) -> LogError {
        let what = format!("{what} {}", self.topic);
        log_error(&what, &self.brokers, self.consumer.context().context(), error)
    }

    fn rebalanced(&self) -> Option<Event> {
        self.consumer.context().take().map(|rebalance| match rebalance {
            Rebalance::Assigned(partitions) => Event::Assigned(partitions),
            Rebalance::Lost(partitions) => Event::Lost(partitions),
            // It may have been lost since.
            Rebalance::Revoked(partitions) if self.consumer.assignment_lost() => Event::Lost(partitions),
            Rebalance::Revoked(partitions) => Event::Revoked(partitions),
        })
    }

    fn is_cooperative(&self) -> bool {
        matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
    }

    /// Hands the whole assignment to the client, each partition at its place. What was fetched before is forgotten.
    fn assign_all(&self) -> Result<(), KafkaError> {
        let positions = self.positions.iter().map(|(partition, next)| (*partition, *next));
        self.consumer.assign(&positions_list(&self.topic, positions)?)
    }

    /// The client waits for an answer as long as the broker lets it, beside a frozen one for minutes: its thread may.
    fn commit_in_time(&self, list: TopicPartitionList) -> Result<(), KafkaError> {
        let (sender, answer) = sync_channel(1);
        let consumer = Arc::clone(&self.consumer);
        let commit = move || {
            // Nobody listens any more when the answer came too late.
            let _ = sender.send(consumer.commit(&list, CommitMode::Sync));
        };
        let thread = thread::Builder::new().name("commit".to_owned()).spawn(commit);
        let late = KafkaError::ConsumerCommit(Code::OperationTimedOut);
        thread.map_or(Err(late.clone()), |_| answer.recv_timeout(CALL_TIMEOUT).unwrap_or(Err(late)))
    }

    /// Moves single partitions: an assignment made anew would answer a revocation that is under way.
    fn seek_each(&self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        let what = "go back in";
        let moved = positions_list(&self.topic, positions.iter().copied())
            .and_then(|list| self.consumer.seek_partitions(list, CALL_TIMEOUT))
            .map_err(|error| self.failed(what, error))?;
        for element in moved.elements() {
            // A partition that is not fetched yet cannot be moved: soon it is.
            element
                .error()
                .map_err(|error| LogError { failure: Failure::Retriable, ..self.failed(what, error) })?;
        }
        Ok(())
    }

    /// A rebalance, or what the last poll met behind its records.
    fn waiting(&mut self) -> Result<Option<Event>, LogError> {
        if let Some(event) = self.rebalanced() {
            return Ok(Some(event));
        }
        match self.pending.take() {
            Some(Pending::End(partition)) => Ok(Some(Event::End(partition))),
            Some(Pending::Failed(error)) => Err(self.failed("read", error)),
            None => Ok(None),
        }
    }
}

pub(crate) fn number(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}

pub(crate) fn positions_list(
    topic: &str,
    positions: impl Iterator<Item = (Partition, NextOffset)>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, next) in positions {
        let offset = Offset::Offset(i64::try_from(next.get()).unwrap_or(i64::MAX));
        list.add_partition_offset(topic, number(partition), offset)?;
    }
    Ok(list)
}

fn partition_list(topic: &str, partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, number(*partition));
    }
    list
}

pub(crate) fn record<'m>(message: &'m BorrowedMessage<'_>) -> Record<'m> {
    Record {
        partition: Partition(u32::try_from(message.partition()).expect("brokers count partitions from 0")),
        offset: u64::try_from(message.offset()).expect("a record that was read has an offset"),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key(),
        value: message.payload(),
    }
}

impl Consumer for KafkaConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        if let Some(event) = self.waiting()? {
            return Ok(event);
        }
        let mut records = 0;
        let mut wait = wait;
        while records < RECORDS_MAX {
            // Nothing may also mean that a rebalance came.
            let Some(polled) = self.consumer.poll(wait) else { break };
            match polled {
                Ok(message) => {
                    let record = record(&message);
                    if let Some(position) = self.positions.get_mut(&record.partition) {
                        *position = NextOffset::after(record.offset);
                    }
                    each(record);
                }
                // Nothing is read behind an end before it is told: it would be out of date.
                Err(KafkaError::PartitionEOF(partition)) => {
                    self.pending = u32::try_from(partition).ok().map(Partition).map(Pending::End);
                    break;
                }
                Err(error) => {
                    self.pending = Some(Pending::Failed(error));
                    break;
                }
            }
            records += 1;
            wait = Duration::ZERO;
        }
        if records > 0 {
            return Ok(Event::Records(records));
        }
        Ok(self.waiting()?.unwrap_or(Event::Idle))
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        let started = if self.is_cooperative() {
            positions_list(&self.topic, positions.iter().copied())
                .and_then(|list| self.consumer.incremental_assign(&list))
        } else {
            self.positions.extend(positions.iter().copied());
            self.pending = None;
            self.assign_all()
        };
        started.map_err(|error| self.failed("read", error))?;
        self.positions.extend(positions.iter().copied());
        Ok(())
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.positions.retain(|partition, _| !partitions.contains(partition));
        let released = if self.is_cooperative() {
            self.consumer.incremental_unassign(&partition_list(&self.topic, partitions))
        } else {
            self.pending = None;
            self.consumer.unassign()
        };
        released.map_err(|error| self.failed("give back partitions of", error))
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        self.pending = None;
        if self.is_cooperative() {
            self.seek_each(positions)?;
            self.positions.extend(positions.iter().copied());
            return Ok(());
        }
        self.positions.extend(positions.iter().copied());
        self.assign_all().map_err(|error| self.failed("go back in", error))
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let what = "fetch the committed offsets of";
        let list = partition_list(&self.topic, partitions);
        let found = self.consumer.committed_offsets(list, CALL_TIMEOUT);
        let found = found.map_err(|error| self.failed(what, error))?;
        let mut offsets = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let Some(element) = found.find_partition(&self.topic, number(*partition)) else {
                offsets.push(None);
                continue;
            };
            // Offsets of a transaction that is still open come as an error of the partition: taken for none at all,
            // everything would be read again.
            element.error().map_err(|error| self.failed(what, error))?;
            offsets.push(match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok().map(NextOffset::at),
                _ => None,
            });
        }
        Ok(offsets)
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        let list = positions_list(&self.topic, positions.iter().copied());
        let committed = list.and_then(|list| self.commit_in_time(list));
        committed.map_err(|error| self.failed("commit offsets of", error))
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        // A reader of committed records is told the last stable offset.
        let marks = self.consumer.fetch_watermarks(&self.topic, number(partition), CALL_TIMEOUT);
        let (_, high) = marks.map_err(|error| self.failed("find the end of", error))?;
        Ok(NextOffset::at(u64::try_from(high).unwrap_or(0)))
    }

    /// What is dropped leaves.
    fn close(self) {}
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        self.consumer.context().leave();
        // Leaving waits until everything is given back, also what the worker was asked for and did not answer.
        let given_back = if self.is_cooperative() {
            let partitions: Vec<_> = self.positions.keys().copied().collect();
            self.consumer.incremental_unassign(&partition_list(&self.topic, &partitions))
        } else {
            self.consumer.unassign()
        };
        if let Err(error) = given_back {
            tracing::debug!(topic = self.topic, %error, "nothing to give back");
        }
    }
}
