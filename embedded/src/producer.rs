//! Writes: records are collected per partition and stored, with the offsets of the consumer's group, in one database
//! transaction.

use std::mem;
use std::sync::Arc;

use engine::log::{Cause, Failure, LogError, Producer};
use engine::record::{NewRecord, NextOffset, Partition};

use crate::batch::{BATCH_BYTES, Builder, Encoded};
use crate::consumer::EmbeddedConsumer;
use crate::group::Member;
use crate::store::{GroupOffset, KeptAs, TopicInfo, Write};
use crate::{Shared, fenced, misfit};

/// Compressed bytes of one transaction, which lie in memory until it commits. The engine commits at 32 MiB of input.
const TRANSACTION_BYTES_MAX: usize = 512 * 1024 * 1024;

#[derive(Default)]
struct Pending {
    open: Builder,
    closed: Vec<Encoded>,
}

/// What the open transaction holds for one topic.
struct PendingTopic {
    name: String,
    info: TopicInfo,
    partitions: Vec<Pending>,
}

/// A transactional producer. A newer one with the same id fences it.
pub struct EmbeddedProducer {
    shared: Arc<Shared>,
    transactional_id: String,
    epoch: u64,
    is_open: bool,
    /// Few topics, so a scan finds them faster than a map. Kept from one transaction to the next.
    topics: Vec<PendingTopic>,
    closed_bytes: usize,
    offsets: Vec<(GroupOffset, Member)>,
}

impl EmbeddedProducer {
    /// Waits for a commit that is under way: behind this, no earlier producer with this id commits.
    pub(crate) fn new(shared: Arc<Shared>, transactional_id: &str) -> Self {
        let epoch = {
            let mut writing = shared.writing();
            let epoch = writing.epochs.entry(transactional_id.to_owned()).or_default();
            *epoch += 1;
            *epoch
        };
        let transactional_id = transactional_id.to_owned();
        let (topics, offsets) = (Vec::new(), Vec::new());
        Self { shared, transactional_id, epoch, is_open: false, topics, closed_bytes: 0, offsets }
    }

    fn clear(&mut self) {
        self.is_open = false;
        for topic in &mut self.topics {
            topic.partitions.fill_with(Pending::default);
        }
        self.closed_bytes = 0;
        self.offsets.clear();
    }

    fn require_open(&self) -> Result<(), LogError> {
        let closed =
            || LogError::new(Failure::Unknown, Cause::Other, "no transaction is open: begin one first");
        if self.is_open { Ok(()) } else { Err(closed()) }
    }

    fn topic(&mut self, name: &str) -> Result<&mut PendingTopic, LogError> {
        let place = match self.topics.iter().position(|topic| topic.name == name) {
            Some(place) => place,
            None => {
                let info = self.shared.state().topic(name)?.info;
                let partitions = (0..info.partitions).map(|_| Pending::default()).collect();
                self.topics.push(PendingTopic { name: name.to_owned(), info, partitions });
                self.topics.len() - 1
            }
        };
        Ok(&mut self.topics[place])
    }

    /// Takes what is pending, as batches: compressed before any lock is taken.
    fn take_writes(&mut self) -> Vec<Write> {
        let mut writes = Vec::new();
        for topic in &mut self.topics {
            for (partition, pending) in (0..).zip(&mut topic.partitions) {
                let Pending { open, mut closed } = mem::take(pending);
                if !open.is_empty() {
                    closed.push(open.finish());
                }
                if !closed.is_empty() {
                    writes.push(Write {
                        topic: topic.name.clone(),
                        info: topic.info,
                        partition,
                        batches: closed,
                    });
                }
            }
        }
        writes
    }
}

impl Producer for EmbeddedProducer {
    type Consumer = EmbeddedConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        self.clear();
        self.is_open = true;
        Ok(())
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        self.require_open()?;
        let PendingTopic { info, partitions, .. } = self.topic(topic)?;
        if info.kept == KeptAs::Compacted && record.key.is_none() {
            return Err(misfit(format!("{topic} is compacted: each of its records needs a key")));
        }
        let count = info.partitions;
        let Some(pending) = partitions.get_mut(record.partition.0 as usize) else {
            let partition = record.partition;
            return Err(misfit(format!("{topic} has {count} partitions: there is no partition {partition}")));
        };
        pending.open.push(pending.open.records(), record);
        if pending.open.bytes() >= BATCH_BYTES {
            let encoded = mem::take(&mut pending.open).finish();
            let bytes = encoded.value.len();
            pending.closed.push(encoded);
            self.closed_bytes += bytes;
        }
        if self.closed_bytes > TRANSACTION_BYTES_MAX {
            let message = "a transaction of more than 512 MiB (compressed): commit more often";
            return Err(LogError::new(Failure::Unknown, Cause::Other, message));
        }
        Ok(())
    }

    fn send_offsets(
        &mut self,
        consumer: &EmbeddedConsumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        self.require_open()?;
        for (partition, next) in positions {
            self.offsets.push((consumer.group_offset(*partition, *next), consumer.member()));
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), LogError> {
        self.require_open()?;
        let writes = self.take_writes();
        let offsets = mem::take(&mut self.offsets);
        self.clear();
        let held = self.shared.writing();
        if held.epochs.get(&self.transactional_id) != Some(&self.epoch) {
            return Err(fenced("a newer producer with the same transactional id has taken over"));
        }
        let offsets = self.shared.state().groups.held(offsets)?;
        if writes.is_empty() && offsets.is_empty() {
            return Ok(());
        }
        self.shared.commit(&held, &writes, &offsets)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.clear();
        Ok(())
    }
}
