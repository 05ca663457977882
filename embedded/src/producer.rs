//! Writes: records are collected per partition and stored, with the offsets of the consumer's group, in one database
//! transaction.

use std::sync::Arc;

use engine::log::{Cause, Failure, LogError, Producer};
use engine::record::{NewRecord, NextOffset, Partition};

use crate::batch::{BATCH_BYTES, Builder, Encoded};
use crate::consumer::EmbeddedConsumer;
use crate::store::{GroupOffset, Write};
use crate::{Shared, no_topic};

#[derive(Default)]
struct Pending {
    open: Builder,
    closed: Vec<Encoded>,
}

/// A transactional producer. A newer one with the same id fences it.
pub struct EmbeddedProducer {
    shared: Arc<Shared>,
    transactional_id: String,
    epoch: u64,
    /// By topic and partition; few topics, so a scan finds them faster than a map.
    pending: Vec<(String, Vec<Pending>)>,
    offsets: Vec<(GroupOffset, crate::group::Member)>,
}

impl EmbeddedProducer {
    pub(crate) fn new(shared: Arc<Shared>, transactional_id: &str) -> Self {
        let epoch = {
            let mut state = shared.state();
            let epoch = state.epochs.entry(transactional_id.to_owned()).or_default();
            *epoch += 1;
            *epoch
        };
        let transactional_id = transactional_id.to_owned();
        Self { shared, transactional_id, epoch, pending: Vec::new(), offsets: Vec::new() }
    }

    fn clear(&mut self) {
        self.pending.clear();
        self.offsets.clear();
    }
}

impl Producer for EmbeddedProducer {
    type Consumer = EmbeddedConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        self.clear();
        Ok(())
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        let place = self.pending.iter().position(|(name, _)| name == topic).unwrap_or_else(|| {
            self.pending.push((topic.to_owned(), Vec::new()));
            self.pending.len() - 1
        });
        let partitions = &mut self.pending[place].1;
        let index = record.partition.0 as usize;
        if partitions.len() <= index {
            partitions.resize_with(index + 1, Pending::default);
        }
        let pending = &mut partitions[index];
        let offset = pending.open.records();
        pending.open.push(offset, record);
        if pending.open.bytes() >= BATCH_BYTES {
            pending.closed.push(std::mem::take(&mut pending.open).finish());
        }
        Ok(())
    }

    fn send_offsets(
        &mut self,
        consumer: &EmbeddedConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        for (partition, next) in positions {
            self.offsets.push((consumer.group_offset(*partition, *next), consumer.member()));
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), LogError> {
        let mut writes = Vec::new();
        for (topic, partitions) in std::mem::take(&mut self.pending) {
            for (partition, mut pending) in (0..).zip(partitions) {
                if !pending.open.is_empty() {
                    pending.closed.push(pending.open.finish());
                }
                if !pending.closed.is_empty() {
                    writes.push(Write { topic: topic.clone(), partition, batches: pending.closed });
                }
            }
        }
        let offsets = std::mem::take(&mut self.offsets);
        let mut state = self.shared.state();
        let fenced = |what: &str| LogError::new(Failure::Fenced, Cause::Other, what.to_owned());
        if state.epochs.get(&self.transactional_id) != Some(&self.epoch) {
            return Err(fenced("a newer producer with the same transactional id has taken over"));
        }
        for (offset, member) in &offsets {
            if !state.groups.holds(&offset.group, &offset.topic, *member, offset.partition) {
                return Err(fenced("another member of the group holds this partition"));
            }
        }
        if let Some(unknown) = writes.iter().find(|write| !state.topics.contains_key(&write.topic)) {
            return Err(no_topic(&unknown.topic));
        }
        let offsets: Vec<_> = offsets.into_iter().map(|(offset, _)| offset).collect();
        self.shared.store.commit(&mut state.topics, &writes, &offsets)?;
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.clear();
        Ok(())
    }
}
