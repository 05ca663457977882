//! The engine's log on an embedded database (redb), for the pipeline in one process. A back end, not a second system:
//! records lie in batches, one database value each; a transaction of the log is one of the database.
//!
//! Why redb, and what was measured: `docs/decisions/0001-embedded-log.md`.

mod batch;
mod consumer;
mod group;
mod producer;
mod store;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use engine::log::{Cause, Failure, Group, Log, LogError, TopicSpec};
use engine::record::{NextOffset, Partition, Record};

pub use consumer::EmbeddedConsumer;
pub use producer::EmbeddedProducer;
use store::{GroupOffset, Store, Topic, TopicInfo, Write};

/// A log in a folder, for one process. Clones share it.
#[derive(Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    /// Held by whoever writes to the database, and by whoever changes who may. Taken before `state`.
    writing: Mutex<Writing>,
    /// Never held across a call to the database, so that readers do not wait for a commit.
    state: Mutex<State>,
    /// Wakes consumers: records were committed, or a group has changed.
    changed: Condvar,
}

#[derive(Default)]
struct Writing {
    /// The newest epoch of each transactional id. In memory only: the process that knew older ones is gone.
    epochs: HashMap<String, u64>,
}

struct State {
    topics: HashMap<String, Topic>,
    groups: group::Groups,
}

impl State {
    fn topic(&self, name: &str) -> Result<&Topic, LogError> {
        self.topics.get(name).ok_or_else(|| {
            misfit(format!("there is no topic {name} in the embedded log: it is made by ensure_topics"))
        })
    }
}

impl Shared {
    /// A thread that panicked leaves no half-made change here: what is shared changes only after the database has.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits all of it or nothing; `held` proves that the caller checked who may under the same lock.
    fn commit(
        &self,
        held: &MutexGuard<'_, Writing>,
        writes: &[Write],
        offsets: &[GroupOffset],
    ) -> Result<(), LogError> {
        let ends = self.store.commit(held, writes, offsets)?;
        let mut state = self.state();
        for (write, end) in writes.iter().zip(ends) {
            if let Some(topic) = state.topics.get_mut(&write.topic) {
                topic.ends[write.partition as usize] = end;
            }
        }
        drop(state);
        if !writes.is_empty() {
            self.changed.notify_all();
        }
        Ok(())
    }
}

impl EmbeddedLog {
    /// Opens the log in `folder`, which is made where it is missing. One process at a time.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        let (store, topics) = Store::open(folder)?;
        let state = Mutex::new(State { topics, groups: group::Groups::default() });
        let shared = Shared { store, writing: Mutex::default(), state, changed: Condvar::new() };
        Ok(Self { shared: Arc::new(shared) })
    }
}

fn misfit(message: String) -> LogError {
    LogError::new(Failure::Unknown, Cause::Misfit, message)
}

fn fenced(message: &str) -> LogError {
    LogError::new(Failure::Fenced, Cause::Other, message)
}

impl Log for EmbeddedLog {
    type Consumer = EmbeddedConsumer;
    type Producer = EmbeddedProducer;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        let held = self.shared.writing();
        for spec in topics {
            let (found, id) = {
                let state = self.shared.state();
                (state.topics.get(&spec.name).map(|topic| topic.info), state.topics.len())
            };
            match found {
                Some(TopicInfo { partitions, .. }) if partitions == spec.partitions => {}
                Some(TopicInfo { partitions, .. }) => {
                    return Err(misfit(format!(
                        "{} has {partitions} partitions, not the {} of the settings: duplicates are found by partition, so it cannot change; set partitions = {partitions}, or start with an empty data folder",
                        spec.name, spec.partitions,
                    )));
                }
                None => {
                    let id = u32::try_from(id).map_err(|_| misfit("too many topics".to_owned()))?;
                    let topic = self.shared.store.create_topic(&held, id, spec)?;
                    self.shared.state().topics.insert(spec.name.clone(), topic);
                }
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
        Ok(state.topic(topic)?.ends.iter().copied().map(NextOffset::at).collect())
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        let id = self.shared.state().topic(topic)?.info.id;
        let (mut position, to) = (from.get(), to.get());
        while position < to {
            let batch = self.shared.store.batch_at(id, partition.0, position)?;
            let Some(batch) = batch.filter(|batch| batch.base() < to) else { break };
            let mut is_broken = false;
            batch.each(partition, position, &mut |record| {
                if record.offset >= to {
                    return ControlFlow::Break(());
                }
                position = record.offset + 1;
                let flow = each(record);
                is_broken = flow.is_break();
                flow
            });
            if is_broken {
                return Ok(NextOffset::at(position));
            }
            position = position.max(batch.end().min(to));
        }
        // What was compacted away behind the last record counts as read; there is nothing behind the log's own end.
        let end = self.shared.state().topic(topic)?.ends.get(partition.0 as usize).copied().unwrap_or(0);
        Ok(NextOffset::at(position.max(to.min(end))))
    }
}
