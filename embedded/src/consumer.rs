//! Reads: a member of a group in this process.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use engine::log::{Consumer, Event, LogError};
use engine::record::{NextOffset, Partition, Record};

use crate::group::{Change, Member};
use crate::store::GroupOffset;
use crate::{Shared, no_topic};

struct Place {
    next: u64,
    /// Its end was told and nothing has come since.
    is_end_told: bool,
}

/// A member of a group that reads one topic.
pub struct EmbeddedConsumer {
    shared: Arc<Shared>,
    group: String,
    topic: String,
    topic_id: u32,
    partitions: u32,
    member: Member,
    places: BTreeMap<u32, Place>,
    /// The partition to look at first, so that each gets its turn.
    turn: u32,
}

impl EmbeddedConsumer {
    pub(crate) fn join(shared: Arc<Shared>, group: &str, topic: &str) -> Result<Self, LogError> {
        let mut state = shared.state();
        let (topic_id, partitions) = {
            let found = state.topics.get(topic).ok_or_else(|| no_topic(topic))?;
            (found.id, found.partitions())
        };
        let member = state.groups.join(group, topic);
        drop(state);
        shared.changed.notify_all();
        let (group, topic) = (group.to_owned(), topic.to_owned());
        Ok(Self { shared, group, topic, topic_id, partitions, member, places: BTreeMap::new(), turn: 0 })
    }

    pub(crate) fn member(&self) -> Member {
        self.member
    }

    pub(crate) fn group_offset(&self, partition: Partition, next: NextOffset) -> GroupOffset {
        GroupOffset {
            group: self.group.clone(),
            topic: self.topic.clone(),
            partition: partition.0,
            next: next.get(),
        }
    }

    /// A change of the group, a partition with records, or one whose end is to be told; waits for one of them.
    fn next_step(&mut self, wait: Duration) -> Step {
        let mut state = self.shared.state();
        let mut has_waited = false;
        loop {
            match state.groups.change(&self.group, &self.topic, self.member, self.partitions) {
                Change::None => {}
                Change::GiveBack(partitions) => return Step::Tell(Event::Revoked(named(&partitions))),
                Change::Take(partitions) => return Step::Tell(Event::Assigned(named(&partitions))),
            }
            let ends = state.topics.get(&self.topic).map(|topic| topic.ends.as_slice()).unwrap_or_default();
            let end_of = |partition: u32| ends.get(partition as usize).copied().unwrap_or(0);
            let behind = self.places.range(self.turn..).chain(self.places.range(..self.turn));
            let behind = behind.map(|(partition, place)| (*partition, place.next));
            if let Some((partition, next)) =
                behind.clone().find(|(partition, next)| *next < end_of(*partition))
            {
                self.turn = partition + 1;
                return Step::Read { partition, next };
            }
            if let Some((partition, place)) = self.places.iter_mut().find(|(_, place)| !place.is_end_told) {
                place.is_end_told = true;
                return Step::Tell(Event::End(Partition(*partition)));
            }
            if has_waited || wait.is_zero() {
                return Step::Tell(Event::Idle);
            }
            has_waited = true;
            state = self.shared.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

enum Step {
    Tell(Event),
    Read { partition: u32, next: u64 },
}

fn named(partitions: &[u32]) -> Vec<Partition> {
    partitions.iter().copied().map(Partition).collect()
}

impl Consumer for EmbeddedConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        let (partition, next) = match self.next_step(wait) {
            Step::Tell(event) => return Ok(event),
            Step::Read { partition, next } => (partition, next),
        };
        let Some(batch) = self.shared.store.batch_at(self.topic_id, partition, next)? else {
            return Ok(Event::Idle);
        };
        let mut records = 0;
        batch.each(Partition(partition), next, &mut |record| {
            records += 1;
            each(record);
            ControlFlow::Continue(())
        });
        if let Some(place) = self.places.get_mut(&partition) {
            *place = Place { next: batch.end().max(next), is_end_told: false };
        }
        Ok(Event::Records(records))
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.seek(positions)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        let partitions: Vec<_> = partitions.iter().map(|partition| partition.0).collect();
        self.places.retain(|partition, _| !partitions.contains(partition));
        self.shared.state().groups.give_back(&self.group, &self.topic, self.member, &partitions);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        for (partition, next) in positions {
            self.places.insert(partition.0, Place { next: next.get(), is_end_told: false });
        }
        Ok(())
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        let offset = |partition: &Partition| self.group_offset(*partition, NextOffset::START);
        partitions.iter().map(|partition| self.shared.store.committed(&offset(partition))).collect()
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        let offsets: Vec<_> =
            positions.iter().map(|(partition, next)| self.group_offset(*partition, *next)).collect();
        let mut state = self.shared.state();
        self.shared.store.commit(&mut state.topics, &[], &offsets)
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        let state = self.shared.state();
        let topic = state.topics.get(&self.topic).ok_or_else(|| no_topic(&self.topic))?;
        Ok(NextOffset::at(topic.ends.get(partition.0 as usize).copied().unwrap_or(0)))
    }

    fn close(self) {}
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        self.shared.state().groups.leave(&self.group, &self.topic, self.member);
        self.shared.changed.notify_all();
    }
}
