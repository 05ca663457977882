//! What the client's callbacks tell a member of a group: rebalances wait here until the next poll.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use engine::record::Partition;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::context::Context;
use crate::lag::Lag;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rebalance {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>),
    Lost(Vec<Partition>),
}

pub(crate) struct Membership {
    context: Context,
    topic: String,
    group: String,
    rebalances: Mutex<VecDeque<Rebalance>>,
    is_leaving: AtomicBool,
    lag: Option<Lag>,
}

impl Membership {
    pub(super) fn new(topic: &str, group: &str, lag: Option<Lag>) -> Self {
        Self {
            context: Context::default(),
            topic: topic.to_owned(),
            group: group.to_owned(),
            rebalances: Mutex::default(),
            is_leaving: AtomicBool::new(false),
            lag,
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn take(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on nobody polls: what is asked back is given back inside the callback.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
    }

    fn tell(&self, rebalance: &Rebalance) {
        let (partitions, what) = match rebalance {
            Rebalance::Assigned(partitions) => (partitions, "given to this member"),
            Rebalance::Revoked(partitions) => (partitions, "asked back from this member"),
            Rebalance::Lost(partitions) => (partitions, "lost to other members"),
        };
        let (topic, group) = (&self.topic, &self.group);
        match partitions.len() {
            0 => tracing::info!(topic, group, partitions = 0, "no partition of {topic} {what}"),
            count => {
                let names = names(partitions);
                tracing::info!(topic, group, partitions = count, "partitions {names} of {topic} {what}");
            }
        }
    }
}

fn names(partitions: &[Partition]) -> String {
    let mut names = String::new();
    for partition in partitions {
        let comma = if names.is_empty() { "" } else { ", " };
        write!(names, "{comma}{partition}").expect("a string takes everything");
    }
    names
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        if let Some(lag) = &self.lag {
            lag.show(&self.group, &self.topic, &statistics);
        }
    }
}

impl ConsumerContext for Membership {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.is_leaving.load(Ordering::Acquire) {
            let given_back = match consumer.rebalance_protocol() {
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
                RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
            };
            if let Err(error) = given_back {
                tracing::warn!(topic = self.topic, %error, "cannot give partitions back while leaving");
            }
            return;
        }
        let elements = list.elements();
        let partitions = elements.iter().filter_map(|element| u32::try_from(element.partition()).ok());
        let partitions = partitions.map(Partition).collect();
        let rebalance = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assigned(partitions),
            _ if consumer.assignment_lost() => Rebalance::Lost(partitions),
            _ => Rebalance::Revoked(partitions),
        };
        self.tell(&rebalance);
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_named_in_one_line() {
        assert_eq!(names(&[Partition(0), Partition(3), Partition(11)]), "0, 3, 11");
    }
}
