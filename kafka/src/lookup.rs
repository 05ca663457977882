//! Questions to the cluster that belong to no group and no transaction: partitions, ends, whether it answers at all.

use std::time::Duration;

use engine::log::{Cause, Failure, LogError};
use engine::record::{NextOffset, Partition};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaRespErr;

use crate::client::{Isolation, KafkaSettings};
use crate::consumer::number;
use crate::context::Context;
use crate::failure::log_error;

const CALL_TIMEOUT: Duration = Duration::from_secs(9);
/// What is taken when a call has failed, and how long each of them is waited for.
const EVENTS_MAX: usize = 32;
const EVENT_WAIT: Duration = Duration::from_millis(2);
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// A topic that every cluster has or can do without: asking for it alone keeps the answer small.
const PING_TOPIC: &str = "__consumer_offsets";

/// A connection that is kept for questions.
pub(crate) struct Lookup {
    consumer: BaseConsumer<Context>,
    brokers: String,
}

impl Lookup {
    pub(crate) fn new(settings: &KafkaSettings) -> Result<Self, LogError> {
        let context = Context::default();
        let consumer =
            BaseConsumer::from_config_and_context(&settings.reader(Isolation::Uncommitted), context.clone())
                .map_err(|error| log_error("ask the cluster", &settings.brokers, &context, error))?;
        Ok(Self { consumer, brokers: settings.brokers.clone() })
    }

    fn failed(&self, what: &str, error: KafkaError) -> LogError {
        // Why no broker was reached is told by events that wait to be taken. A poll that took one of them, such as a line for
        // the log, gives nothing, as one does that found none: so it is asked more than once.
        for _ in 0..EVENTS_MAX {
            self.serve(EVENT_WAIT);
        }
        log_error(what, &self.brokers, self.consumer.context(), error)
    }

    /// Takes the client's events: nobody else polls it.
    fn serve(&self, wait: Duration) {
        while let Some(polled) = self.consumer.poll(wait) {
            if let Err(error) = polled {
                self.consumer.context().polled(&error);
            }
        }
    }

    /// Fails within two seconds when no broker answers.
    pub(crate) fn ping(&self) -> Result<(), LogError> {
        self.serve(Duration::ZERO);
        let answer = self.consumer.fetch_metadata(Some(PING_TOPIC), PING_TIMEOUT);
        answer.map(drop).map_err(|error| self.failed("ask whether it answers", error))
    }

    pub(crate) fn broker_count(&self) -> Result<usize, LogError> {
        let answer = self.consumer.fetch_metadata(Some(PING_TOPIC), CALL_TIMEOUT);
        answer
            .map(|metadata| metadata.brokers().len())
            .map_err(|error| self.failed("count the brokers", error))
    }

    /// How many partitions a topic has; `None` where there is no such topic.
    pub(crate) fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError> {
        self.serve(Duration::ZERO);
        let what = format!("look up {topic}");
        let metadata = match self.consumer.fetch_metadata(Some(topic), CALL_TIMEOUT) {
            Ok(metadata) => metadata,
            Err(KafkaError::MetadataFetch(Code::UnknownTopicOrPartition)) => return Ok(None),
            Err(error) => return Err(self.failed(&what, error)),
        };
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        match found.error() {
            // A topic that cannot be looked at is not one without partitions.
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => Ok(None),
            Some(error) => Err(self.failed(&what, KafkaError::MetadataFetch(error.into()))),
            None => Ok(u32::try_from(found.partitions().len()).ok()),
        }
    }

    /// The high watermark of each partition: open and aborted transactions lie before it.
    pub(crate) fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        let what = format!("find the ends of {topic}");
        let count = self.partitions(topic)?.ok_or_else(|| {
            let message = format!("cannot {what}: there is no such topic");
            LogError::new(Failure::Unknown, Cause::Misfit, message)
        })?;
        let end = |partition| {
            let marks = self.consumer.fetch_watermarks(topic, number(partition), CALL_TIMEOUT);
            let (_, high) = marks.map_err(|error| self.failed(&what, error))?;
            Ok(NextOffset::at(u64::try_from(high).unwrap_or(0)))
        };
        (0..count).map(Partition).map(end).collect()
    }
}
