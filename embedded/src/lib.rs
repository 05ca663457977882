//! The engine's log on an embedded database (redb), for the pipeline in one process. A back end, not a second system:
//! records lie in batches, one database value each; a transaction of the log is one of the database.

mod batch;
mod consumer;
mod group;
mod producer;
mod store;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use engine::log::{Cause, Failure, Group, Log, LogError, TopicSpec};
use engine::record::{NextOffset, Partition, Record};

pub use consumer::EmbeddedConsumer;
pub use producer::EmbeddedProducer;
use store::{Store, Topics};

/// A log in a folder, for one process.
#[derive(Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    state: Mutex<State>,
    /// Wakes consumers: records were committed, or a group has changed.
    changed: Condvar,
}

struct State {
    topics: Topics,
    groups: group::Groups,
    /// The newest epoch of each transactional id.
    epochs: std::collections::HashMap<String, u64>,
}

impl Shared {
    /// A thread that panicked holds no half-made change here: what is shared changes only after the database has.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedLog {
    /// Opens the log in `folder`, which is made where it is missing.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        let (store, topics) = Store::open(folder)?;
        let state =
            State { topics, groups: group::Groups::default(), epochs: std::collections::HashMap::new() };
        Ok(Self { shared: Arc::new(Shared { store, state: Mutex::new(state), changed: Condvar::new() }) })
    }
}

fn no_topic(name: &str) -> LogError {
    LogError::new(Failure::Unknown, Cause::Misfit, format!("there is no topic {name} in the embedded log"))
}

impl Log for EmbeddedLog {
    type Consumer = EmbeddedConsumer;
    type Producer = EmbeddedProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        let mut state = self.shared.state();
        for spec in topics {
            match state.topics.get(&spec.name) {
                Some(topic) if topic.partitions() == spec.partitions => {}
                Some(topic) => {
                    return Err(LogError::new(
                        Failure::Unknown,
                        Cause::Misfit,
                        format!(
                            "{} has {} partitions, not the {} of the settings: duplicates are found by partition, so it cannot change; set partitions = {}, or start with an empty data folder",
                            spec.name,
                            topic.partitions(),
                            spec.partitions,
                            topic.partitions()
                        ),
                    ));
                }
                None => self.shared.store.create_topic(&mut state.topics, spec)?,
            }
        }
        Ok(())
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<EmbeddedConsumer, LogError> {
        EmbeddedConsumer::join(self.shared.clone(), &group.id, topic)
    }

    fn producer(&self, transactional_id: &str) -> Result<EmbeddedProducer, LogError> {
        Ok(EmbeddedProducer::new(self.shared.clone(), transactional_id))
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        let state = self.shared.state();
        let topic = state.topics.get(topic).ok_or_else(|| no_topic(topic))?;
        Ok(topic.ends.iter().copied().map(NextOffset::at).collect())
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        let id = self.shared.state().topics.get(topic).ok_or_else(|| no_topic(topic))?.id;
        let mut position = from.get();
        let mut is_broken = false;
        while position < to.get() && !is_broken {
            let Some(batch) = self.shared.store.batch_at(id, partition.0, position)? else { break };
            batch.each(partition, position, &mut |record| {
                if record.offset >= to.get() {
                    return ControlFlow::Break(());
                }
                position = record.offset + 1;
                let flow = each(record);
                is_broken = flow.is_break();
                flow
            });
            position = position.max(batch.end().min(to.get()));
        }
        Ok(NextOffset::at(position))
    }
}
