//! Reads: a member of a group in this process.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use engine::log::{Consumer, Event, LogError};
use engine::record::{NextOffset, Partition, Record};

use crate::group::{Change, Member};
use crate::store::{GroupOffset, KeptAs, TopicInfo};
use crate::{Shared, State};

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
    info: TopicInfo,
    member: Member,
    places: BTreeMap<u32, Place>,
    /// The partition to look at first, so that each gets its turn.
    turn: u32,
}

impl EmbeddedConsumer {
    pub(crate) fn join(shared: Arc<Shared>, group: &str, topic: &str) -> Result<Self, LogError> {
        let held = shared.writing();
        let info = shared.state().topic(topic)?.info;
        if info.kept == KeptAs::UntilRead {
            shared.store.add_reader(&held, info.id, group)?;
        }
        let member = shared.state().groups.join(group, topic);
        drop(held);
        shared.changed.notify_all();
        let (group, topic) = (group.to_owned(), topic.to_owned());
        Ok(Self { shared, group, topic, info, member, places: BTreeMap::new(), turn: 0 })
    }

    pub(crate) fn member(&self) -> Member {
        self.member
    }

    pub(crate) fn group_offset(&self, partition: Partition, next: NextOffset) -> GroupOffset {
        GroupOffset {
            group: self.group.clone(),
            topic: self.topic.clone(),
            info: self.info,
            partition: partition.0,
            next: next.get(),
        }
    }

    /// What there is to do now, waiting for it up to `wait`.
    fn next_step(&mut self, wait: Duration) -> Step {
        let shared = Arc::clone(&self.shared);
        let mut found = Step::Tell(Event::Idle);
        let is_idle = |state: &mut State| {
            found = self.step_now(state);
            matches!(found, Step::Tell(Event::Idle))
        };
        // Every commit wakes everyone; whom it does not concern waits on for what is left of `wait`.
        let woken = shared.changed.wait_timeout_while(shared.state(), wait, is_idle);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
        found
    }

    /// A change of the group, or a partition with records, or one whose end is to be told.
    fn step_now(&mut self, state: &mut State) -> Step {
        match state.groups.change(&self.group, &self.topic, self.member, self.info.partitions) {
            Change::None => {}
            Change::GiveBack(partitions) => return Step::Tell(Event::Revoked(named(&partitions))),
            Change::Take(partitions) => return Step::Tell(Event::Assigned(named(&partitions))),
        }
        let ends = state.topics.get(&self.topic).map(|topic| topic.ends.as_slice()).unwrap_or_default();
        let places = self.places.range(self.turn..).chain(self.places.range(..self.turn));
        for (&partition, place) in places {
            let end = ends.get(partition as usize).copied().unwrap_or(0);
            if place.next < end {
                self.turn = partition + 1;
                return Step::Read { partition, next: place.next, end };
            }
        }
        match self.places.iter_mut().find(|(_, place)| !place.is_end_told) {
            Some((partition, place)) => {
                place.is_end_told = true;
                Step::Tell(Event::End(Partition(*partition)))
            }
            None => Step::Tell(Event::Idle),
        }
    }
}

enum Step {
    Tell(Event),
    Read { partition: u32, next: u64, end: u64 },
}

fn named(partitions: &[u32]) -> Vec<Partition> {
    partitions.iter().copied().map(Partition).collect()
}

impl Consumer for EmbeddedConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        let (partition, next, end) = match self.next_step(wait) {
            Step::Tell(event) => return Ok(event),
            Step::Read { partition, next, end } => (partition, next, end),
        };
        let mut records = 0;
        // Nothing behind `next`, although the partition goes on: it was read by all groups, or compacted, and dropped.
        let mut read_to = end;
        if let Some(batch) = self.shared.store.batch_at(self.info.id, partition, next)? {
            batch.each(Partition(partition), next, &mut |record| {
                records += 1;
                each(record);
                ControlFlow::Continue(())
            });
            read_to = batch.end();
        }
        self.places.insert(partition, Place { next: read_to.max(next), is_end_told: false });
        Ok(if records > 0 { Event::Records(records) } else { Event::Idle })
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.seek(positions)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        let partitions: Vec<_> = partitions.iter().map(|partition| partition.0).collect();
        self.places.retain(|partition, _| !partitions.contains(partition));
        // Not in the middle of a commit that counts on them.
        let _held = self.shared.writing();
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
        let committed = |partition: &Partition| {
            self.shared.store.committed(&self.group_offset(*partition, NextOffset::START))
        };
        partitions.iter().map(committed).collect()
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        let offset = |(partition, next): &(_, _)| (self.group_offset(*partition, *next), self.member);
        let held = self.shared.writing();
        let offsets = self.shared.state().groups.held(positions.iter().map(offset).collect())?;
        self.shared.commit(&held, &[], &offsets)
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        let state = self.shared.state();
        let ends = &state.topic(&self.topic)?.ends;
        Ok(NextOffset::at(ends.get(partition.0 as usize).copied().unwrap_or(0)))
    }

    fn close(self) {}
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        let _held = self.shared.writing();
        self.shared.state().groups.leave(&self.group, &self.topic, self.member);
        self.shared.changed.notify_all();
    }
}
