//! A transactional producer. Its calls block: it belongs to a thread of its own.

use std::time::Duration;

use engine::log::{Cause, Failure, LogError, Producer};
use engine::record::{NewRecord, NextOffset, Partition};
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};

use crate::client::KafkaSettings;
use crate::consumer::{KafkaConsumer, number, positions_list};
use crate::failure::log_error;

/// Longer than the transaction timeout: what is older is aborted by the broker.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(15);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// A full queue is waited for in steps of this, so many times.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);
const QUEUE_PAUSES_MAX: usize = 1_000;
/// Delivery reports are served once in so many records.
const SERVE_EVERY: u32 = 256;

pub struct KafkaProducer {
    producer: BaseProducer,
    brokers: String,
    unserved: u32,
}

impl KafkaProducer {
    pub(crate) fn initialised(settings: &KafkaSettings, transactional_id: &str) -> Result<Self, LogError> {
        let failed = |error| log_error("start a transactional producer", &settings.brokers, error);
        let producer =
            BaseProducer::from_config(&settings.transactional(transactional_id)).map_err(failed)?;
        producer.init_transactions(CALL_TIMEOUT).map_err(failed)?;
        Ok(Self { producer, brokers: settings.brokers.clone(), unserved: 0 })
    }

    fn failed(&self, what: &str, error: KafkaError) -> LogError {
        log_error(what, &self.brokers, error)
    }
}

impl Producer for KafkaProducer {
    type Consumer = KafkaConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        self.producer.begin_transaction().map_err(|error| self.failed("begin a transaction", error))
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        let mut message: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).partition(number(record.partition)).timestamp(record.timestamp_ms);
        message.key = record.key;
        message.payload = record.value;
        self.unserved += 1;
        if self.unserved >= SERVE_EVERY {
            self.unserved = 0;
            self.producer.poll(Duration::ZERO);
        }
        for _ in 0..QUEUE_PAUSES_MAX {
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    message = unsent;
                    self.producer.poll(QUEUE_PAUSE);
                }
                Err((error, _)) => return Err(self.failed(&format!("write to {topic}"), error)),
            }
        }
        let message = format!("cannot write to {topic}: {} takes no more records", self.brokers);
        Err(LogError::new(Failure::Retriable, Cause::Unreachable, message))
    }

    fn send_offsets(
        &mut self,
        consumer: &KafkaConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        let what = "make offsets part of the transaction";
        let list = positions_list(consumer.topic(), positions.iter().copied())
            .map_err(|error| self.failed(what, error))?;
        let group = consumer.group_metadata().ok_or_else(|| {
            LogError::new(
                Failure::Abortable,
                Cause::Other,
                "the consumer is not a member of its group any more",
            )
        })?;
        let sent = self.producer.send_offsets_to_transaction(&list, &group, CALL_TIMEOUT);
        sent.map_err(|error| self.failed(what, error))
    }

    fn commit(&mut self) -> Result<(), LogError> {
        self.producer
            .commit_transaction(COMMIT_TIMEOUT)
            .map_err(|error| self.failed("commit a transaction", error))
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.producer
            .abort_transaction(COMMIT_TIMEOUT)
            .map_err(|error| self.failed("abort a transaction", error))
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        // What is not committed is not wanted: nobody waits for it to be sent.
        self.producer.purge(PurgeConfig::default().queue().inflight());
    }
}
