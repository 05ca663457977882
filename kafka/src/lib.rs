//! The engine's log on Kafka (or Redpanda): the only crate that names rdkafka.

mod client;
mod consumer;
mod context;
mod deadline;
mod failure;
mod lag;
mod lookup;
pub mod options;
mod producer;
mod reader;
mod topics;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use engine::log::{Group, Log, LogError, TopicSpec};
use engine::record::{NextOffset, Partition, Record};

use lag::Lag;
use lookup::Lookup;
use reader::Source;
use service::Metrics;

pub use client::KafkaSettings;
pub use consumer::{Assignment, KafkaConsumer};
pub use producer::KafkaProducer;

/// A cluster.
#[derive(Clone)]
pub struct Kafka {
    settings: KafkaSettings,
    lookup: Arc<Mutex<Option<Arc<Lookup>>>>,
    lag: Option<Lag>,
}

impl Kafka {
    /// Connects when the first call is made.
    pub fn new(settings: KafkaSettings) -> Self {
        Self { settings, lookup: Arc::default(), lag: None }
    }

    /// The lag of the consumers that are made from now on is shown there: `ufo_lag_records`, by group, topic and partition.
    #[must_use]
    pub fn with_lag(self, metrics: &Metrics) -> Self {
        Self { lag: Some(Lag::registered(metrics)), ..self }
    }

    /// Whether a broker answers; says within two seconds if not.
    pub fn ping(&self) -> Result<(), LogError> {
        self.lookup()?.ping()
    }

    /// The connection for questions, made with the first of them.
    fn lookup(&self) -> Result<Arc<Lookup>, LogError> {
        let mut lookup = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = &*lookup {
            return Ok(Arc::clone(lookup));
        }
        let made = Arc::new(Lookup::new(&self.settings)?);
        Ok(Arc::clone(lookup.insert(made)))
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Log for Kafka {
    type Consumer = KafkaConsumer;
    type Producer = KafkaProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        topics::ensure(&self.settings, &*self.lookup()?, topics)
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<KafkaConsumer, LogError> {
        KafkaConsumer::subscribe(&self.settings, group, topic, self.lag.clone())
    }

    fn producer(&self, transactional_id: &str) -> Result<KafkaProducer, LogError> {
        KafkaProducer::initialised(&self.settings, transactional_id)
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        self.lookup()?.ends(topic)
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        Source { settings: &self.settings, topic, partition }.read(from, to, each)
    }
}
