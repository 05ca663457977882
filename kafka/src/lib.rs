//! The engine's log on Kafka (or Redpanda): the only crate that names rdkafka.

mod client;
mod consumer;
mod failure;
pub mod options;
mod producer;
mod reader;
mod topics;

use std::ops::ControlFlow;

use engine::log::{Group, Log, LogError, TopicSpec};
use engine::record::{NextOffset, Partition, Record};

pub use client::KafkaSettings;
pub use consumer::KafkaConsumer;
pub use producer::KafkaProducer;

/// A cluster.
#[derive(Clone, Debug)]
pub struct Kafka {
    settings: KafkaSettings,
}

impl Kafka {
    /// Connects when the first call is made.
    pub fn new(settings: KafkaSettings) -> Self {
        Self { settings }
    }
}

impl Log for Kafka {
    type Consumer = KafkaConsumer;
    type Producer = KafkaProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        topics::ensure(&self.settings, topics)
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<KafkaConsumer, LogError> {
        KafkaConsumer::subscribe(&self.settings, group, topic)
    }

    fn producer(&self, transactional_id: &str) -> Result<KafkaProducer, LogError> {
        KafkaProducer::initialised(&self.settings, transactional_id)
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        reader::ends(&self.settings, topic)
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        reader::read(&self.settings, topic, partition, from, to, each)
    }
}
