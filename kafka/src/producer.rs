//! A transactional producer. Its calls block: it belongs to a thread of its own.

use std::thread;
use std::time::Duration;

use engine::log::{Cause, Failure, LogError, Producer};
use engine::record::{NewRecord, NextOffset, Partition};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::client::KafkaSettings;
use crate::consumer::{KafkaConsumer, number, positions_list};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::failure::{fatal_error, log_error};

/// Longer than the transaction timeout: what is older is aborted by the broker.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(15);
/// A commit that took so long may have met a coordinator in trouble; how it ended is asked by a new producer.
const COMMIT_DOUBTFUL: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(9);
/// How long a full queue is waited for.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
const QUEUE_PAUSE: Duration = Duration::from_millis(5);
/// rdkafka's own wait inside a commit looks every 100 ms whether all is sent, which allows ten transactions a second.
const FLUSH_STEP: Duration = Duration::from_micros(500);
/// An abort goes on in steps: between them the reports of the records that it throws away are taken.
const ABORT_STEP: Duration = Duration::from_millis(20);
/// Failed records are reported into a queue that is emptied once in so many records.
const SERVE_EVERY: u32 = 1_024;

pub struct KafkaProducer {
    producer: BaseProducer<Context>,
    brokers: String,
    unserved: u32,
}

impl KafkaProducer {
    pub(crate) fn initialised(settings: &KafkaSettings, transactional_id: &str) -> Result<Self, LogError> {
        let what = "start a transactional producer";
        let context = Context::default();
        let failed = |error| log_error(what, &settings.brokers, &context, error);
        let config = settings.transactional(transactional_id);
        let producer = BaseProducer::from_config_and_context(&config, context.clone()).map_err(failed)?;
        let producer = Self { producer, brokers: settings.brokers.clone(), unserved: 0 };
        if let Err(error) = producer.producer.init_transactions(CALL_TIMEOUT) {
            // Why no broker was reached is told by events that wait to be taken.
            producer.producer.poll(QUEUE_PAUSE);
            return Err(producer.failed(what, error));
        }
        Ok(producer)
    }

    fn failed(&self, what: &str, error: KafkaError) -> LogError {
        // Once fenced, calls fail in other ways too: what made the client useless is what counts.
        match self.producer.client().fatal_error() {
            Some((code, reason)) => fatal_error(what, code, &reason),
            None => log_error(what, &self.brokers, self.producer.context(), error),
        }
    }

    /// Waits until the broker has every record of the transaction.
    fn flush(&self, deadline: Deadline) -> Result<(), KafkaError> {
        loop {
            match self.producer.flush(Duration::ZERO) {
                Err(KafkaError::Flush(Code::OperationTimedOut)) if !deadline.is_past() => {
                    // A record that failed is not gone before its report is taken.
                    self.producer.poll(Duration::ZERO);
                    thread::sleep(FLUSH_STEP);
                }
                result => return result,
            }
        }
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
        let mut full: Option<Deadline> = None;
        loop {
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), unsent)) => {
                    if full.get_or_insert_with(|| Deadline::after(QUEUE_TIMEOUT)).is_past() {
                        let error = KafkaError::MessageProduction(Code::TimedOutQueue);
                        return Err(self.failed(&format!("write to {topic}"), error));
                    }
                    message = unsent;
                    self.producer.poll(QUEUE_PAUSE);
                }
                Err((error, _)) => return Err(self.failed(&format!("write to {topic}"), error)),
            }
        }
    }

    fn send_offsets(
        &mut self,
        consumer: &KafkaConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        let what = "make offsets part of the transaction";
        let list = positions_list(consumer.topic(), positions.iter().copied())
            .map_err(|error| self.failed(what, error))?;
        let group = consumer.group_metadata(positions).ok_or_else(|| {
            let message = format!("cannot {what}: the partitions belong to another member of the group");
            LogError::new(Failure::Abortable, Cause::Other, message)
        })?;
        let sent = self.producer.send_offsets_to_transaction(&list, &group, CALL_TIMEOUT);
        sent.map_err(|error| self.failed(what, error))
    }

    fn commit(&mut self) -> Result<(), LogError> {
        let what = "commit a transaction";
        let deadline = Deadline::after(COMMIT_TIMEOUT);
        self.flush(deadline).map_err(|error| self.failed(what, error))?;
        let flushed = deadline.elapsed();
        // At least a moment is left: a timeout of zero would only ask.
        let remaining = deadline.remaining().max(ABORT_STEP);
        self.producer.commit_transaction(remaining).map_err(|error| self.failed(what, error))?;
        let took = deadline.elapsed().saturating_sub(flushed);
        if took < COMMIT_DOUBTFUL {
            return Ok(());
        }
        let message = format!(
            "the broker at {} took {} s to commit a transaction: a new producer asks how it ended",
            self.brokers,
            took.as_secs()
        );
        Err(LogError::new(Failure::Retriable, Cause::Unreachable, message))
    }

    fn abort(&mut self) -> Result<(), LogError> {
        let deadline = Deadline::after(COMMIT_TIMEOUT);
        loop {
            match self.producer.abort_transaction(ABORT_STEP) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !deadline.is_past() => {
                    self.producer.poll(Duration::ZERO);
                    thread::sleep(FLUSH_STEP);
                }
                Err(error) => return Err(self.failed("abort a transaction", error)),
            }
        }
    }
}
