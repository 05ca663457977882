//! A member of a group. A rebalance is only noted inside the client's callback: the partitions stay ours until the worker
//! has finished its transaction and releases them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::log::{Consumer, Event, Group, LogError};
use engine::record::{NextOffset, Partition, Record};
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::client::KafkaSettings;
use crate::failure::log_error;

/// Records handed out in one poll, so that commits and stops are never late.
const RECORDS_MAX: usize = 2_000;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Rebalanced {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>),
}

#[derive(Default)]
struct Context {
    rebalanced: Mutex<VecDeque<Rebalanced>>,
    /// Nobody takes events any more: partitions are given back at once, or closing would wait for ever.
    is_closing: AtomicBool,
}

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.is_closing.load(Ordering::Acquire) {
            // An error here means that there is nothing to give back.
            let _ = consumer.unassign();
            return;
        }
        let elements = list.elements();
        let partitions = elements.iter().filter_map(|element| u32::try_from(element.partition()).ok());
        let partitions = partitions.map(Partition).collect();
        let event = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalanced::Assigned(partitions),
            _ => Rebalanced::Revoked(partitions),
        };
        self.rebalanced.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

/// Reads one topic as a member of a group.
pub struct KafkaConsumer {
    consumer: BaseConsumer<Context>,
    topic: String,
    brokers: String,
    /// What is assigned, and where reading began or was moved to.
    assigned: BTreeMap<Partition, NextOffset>,
    ends: VecDeque<Partition>,
}

impl KafkaConsumer {
    pub(crate) fn subscribe(settings: &KafkaSettings, group: &Group, topic: &str) -> Result<Self, LogError> {
        let config = settings.member(&group.id, group.instance.as_deref());
        let failed = |error| log_error(&format!("read {topic}"), &settings.brokers, error);
        let consumer = BaseConsumer::from_config_and_context(&config, Context::default()).map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
            brokers: settings.brokers.clone(),
            assigned: BTreeMap::new(),
            ends: VecDeque::new(),
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// As of now, never kept: a stale generation would be fenced.
    pub(crate) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer.group_metadata()
    }

    fn failed(&self, what: &str, error: KafkaError) -> LogError {
        log_error(&format!("{what} {}", self.topic), &self.brokers, error)
    }

    fn rebalanced(&self) -> Option<Event> {
        let event =
            self.consumer.context().rebalanced.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        event.map(|event| match event {
            Rebalanced::Assigned(partitions) => Event::Assigned(partitions),
            Rebalanced::Revoked(partitions) if self.consumer.assignment_lost() => Event::Lost(partitions),
            Rebalanced::Revoked(partitions) => Event::Revoked(partitions),
        })
    }

    /// Hands the whole assignment to the client, each partition at its place.
    fn assign(&self) -> Result<(), LogError> {
        let list =
            positions_list(&self.topic, self.assigned.iter().map(|(partition, next)| (*partition, *next)))
                .map_err(|error| self.failed("read", error))?;
        self.consumer.assign(&list).map_err(|error| self.failed("read", error))
    }

    fn partition_list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, number(*partition));
        }
        list
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

pub(crate) fn record<'m>(message: &'m BorrowedMessage<'_>) -> Record<'m> {
    Record {
        partition: Partition(u32::try_from(message.partition()).unwrap_or(0)),
        offset: u64::try_from(message.offset()).unwrap_or(0),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key(),
        value: message.payload(),
    }
}

impl Consumer for KafkaConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        if let Some(event) = self.rebalanced() {
            return Ok(event);
        }
        if let Some(partition) = self.ends.pop_front() {
            return Ok(Event::End(partition));
        }
        let mut records = 0;
        let mut wait = wait;
        while records < RECORDS_MAX {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => each(record(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ends.extend(u32::try_from(partition).ok().map(Partition));
                    if records == 0 {
                        break;
                    }
                    wait = Duration::ZERO;
                    continue;
                }
                // Told next time, when nothing handed out hangs on it.
                Some(Err(_)) if records > 0 => break,
                Some(Err(error)) => return Err(self.failed("read", error)),
                None => break,
            }
            records += 1;
            wait = Duration::ZERO;
        }
        if records > 0 {
            return Ok(Event::Records(records));
        }
        if let Some(event) = self.rebalanced() {
            return Ok(event);
        }
        Ok(self.ends.pop_front().map_or(Event::Idle, Event::End))
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.assigned.extend(positions.iter().copied());
        self.ends.clear();
        self.assign()
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.assigned.retain(|partition, _| !partitions.contains(partition));
        self.ends.clear();
        self.consumer.unassign().map_err(|error| self.failed("give back partitions of", error))
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        self.start(positions)
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let list = self.partition_list(partitions);
        let found = self.consumer.committed_offsets(list, CALL_TIMEOUT);
        let found = found.map_err(|error| self.failed("fetch the committed offsets of", error))?;
        let offset =
            |partition: &Partition| match found.find_partition(&self.topic, number(*partition))?.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok().map(NextOffset::at),
                _ => None,
            };
        Ok(partitions.iter().map(offset).collect())
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        let list = positions_list(&self.topic, positions.iter().copied());
        let committed = list.and_then(|list| self.consumer.commit(&list, CommitMode::Sync));
        committed.map_err(|error| self.failed("commit offsets of", error))
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        // A reader of committed records is told the last stable offset.
        let marks = self.consumer.fetch_watermarks(&self.topic, number(partition), CALL_TIMEOUT);
        let (_, high) = marks.map_err(|error| self.failed("find the end of", error))?;
        Ok(NextOffset::at(u64::try_from(high).unwrap_or(0)))
    }

    fn close(self) {}
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        self.consumer.context().is_closing.store(true, Ordering::Release);
        let _ = self.consumer.unassign();
    }
}
