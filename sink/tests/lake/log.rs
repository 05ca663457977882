//! A log in memory that is only read, whose groups are moved about by the tests. Every consumer gets all partitions:
//! two at a time are what a zombie and its successor are.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use engine::log::{Consumer, Event, Group, Log, LogError, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition, Record};

/// Records handed out by one poll.
const POLL_RECORDS_MAX: usize = 50;

#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) offset: u64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

/// What happens to a consumer of a topic at its next poll.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Revoke(Vec<u32>),
    Lose(Vec<u32>),
    Assign(Vec<u32>),
    /// Not before it has been handed so many records in all.
    After(u64),
}

#[derive(Default)]
struct State {
    topics: BTreeMap<String, Vec<Vec<Stored>>>,
    turns: BTreeMap<String, VecDeque<Turn>>,
    committed: BTreeMap<(String, u32), u64>,
}

#[derive(Clone, Default)]
pub(crate) struct MemoryLog(Arc<Mutex<State>>);

impl MemoryLog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn create(&self, topic: &str, partitions: u32) {
        self.state().topics.insert(topic.to_owned(), vec![Vec::new(); partitions as usize]);
    }

    /// Appends a record; its offset.
    pub(crate) fn append(
        &self,
        topic: &str,
        partition: u32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> u64 {
        let mut state = self.state();
        let records = &mut state.topics.get_mut(topic).unwrap()[partition as usize];
        let offset = records.last().map_or(0, |last| last.offset + 1);
        let (key, value) = (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
        records.push(Stored { offset, timestamp_ms: 1_700_000_000_000, key, value });
        offset
    }

    /// Keeps the last record of each key, as compaction does.
    pub(crate) fn compact(&self, topic: &str) {
        for records in self.state().topics.get_mut(topic).unwrap() {
            let last: BTreeMap<_, _> =
                records.iter().map(|record| (record.key.clone(), record.offset)).collect();
            records.retain(|record| last[&record.key] == record.offset);
        }
    }

    pub(crate) fn turn(&self, topic: &str, turns: impl IntoIterator<Item = Turn>) {
        self.state().turns.entry(topic.to_owned()).or_default().extend(turns);
    }

    pub(crate) fn turns_left(&self, topic: &str) -> usize {
        self.state().turns.get(topic).map_or(0, VecDeque::len)
    }

    /// What consumers have committed of a topic's partition.
    pub(crate) fn committed(&self, topic: &str, partition: u32) -> Option<u64> {
        self.state().committed.get(&(topic.to_owned(), partition)).copied()
    }
}

pub(crate) struct MemoryConsumer {
    log: MemoryLog,
    topic: String,
    is_new: bool,
    handed_out: u64,
    positions: BTreeMap<Partition, NextOffset>,
    told_end: BTreeMap<Partition, NextOffset>,
}

impl MemoryConsumer {
    fn next_turn(&mut self) -> Option<Event> {
        let mut state = self.log.state();
        let turns = state.turns.entry(self.topic.clone()).or_default();
        if let Some(Turn::After(records)) = turns.front() {
            if self.handed_out < *records {
                return None;
            }
            turns.pop_front();
        }
        let partitions = |numbers: Vec<u32>| numbers.into_iter().map(Partition).collect();
        match turns.pop_front()? {
            Turn::Revoke(numbers) => Some(Event::Revoked(partitions(numbers))),
            Turn::Lose(numbers) => Some(Event::Lost(partitions(numbers))),
            Turn::Assign(numbers) => Some(Event::Assigned(partitions(numbers))),
            Turn::After(_) => panic!("one wait after another"),
        }
    }
}

impl Consumer for MemoryConsumer {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        if std::mem::take(&mut self.is_new) {
            let partitions = self.log.state().topics[&self.topic].len();
            return Ok(Event::Assigned((0..partitions as u32).map(Partition).collect()));
        }
        if let Some(event) = self.next_turn() {
            return Ok(event);
        }
        for (partition, position) in &mut self.positions {
            let records: Vec<_> = {
                let state = self.log.state();
                let records = &state.topics[&self.topic][partition.0 as usize];
                let first = records.partition_point(|record| record.offset < position.get());
                records[first..].iter().take(POLL_RECORDS_MAX).cloned().collect()
            };
            for record in &records {
                let (key, value) = (record.key.as_deref(), record.value.as_deref());
                let (offset, timestamp_ms) = (record.offset, record.timestamp_ms);
                each(Record { partition: *partition, offset, timestamp_ms, key, value });
                *position = NextOffset::after(offset);
            }
            self.handed_out += records.len() as u64;
            if !records.is_empty() {
                return Ok(Event::Records(records.len()));
            }
            if self.told_end.insert(*partition, *position) != Some(*position) {
                return Ok(Event::End(*partition));
            }
        }
        thread::sleep(wait.min(Duration::from_millis(2)));
        Ok(Event::Idle)
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.positions.extend(positions.iter().copied());
        Ok(())
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.positions.retain(|partition, _| !partitions.contains(partition));
        self.told_end.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.told_end.retain(|partition, _| !positions.iter().any(|(sought, _)| sought == partition));
        self.start(positions)
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        let committed =
            |partition: &Partition| self.log.committed(&self.topic, partition.0).map(NextOffset::at);
        Ok(partitions.iter().map(committed).collect())
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        let mut state = self.log.state();
        for (partition, position) in positions {
            state.committed.insert((self.topic.clone(), partition.0), position.get());
        }
        Ok(())
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        Ok(self.log.ends(&self.topic)?[partition.0 as usize])
    }

    fn close(self) {}
}

/// The sink writes to no topic.
pub(crate) struct NoProducer;

impl Producer for NoProducer {
    type Consumer = MemoryConsumer;

    fn begin(&mut self) -> Result<(), LogError> {
        unreachable!("the sink writes to no topic")
    }

    fn send(&mut self, _topic: &str, _record: NewRecord<'_>) -> Result<(), LogError> {
        unreachable!("the sink writes to no topic")
    }

    fn send_offsets(
        &mut self,
        _consumer: &MemoryConsumer,
        _positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        unreachable!("the sink writes to no topic")
    }

    fn commit(&mut self) -> Result<(), LogError> {
        unreachable!("the sink writes to no topic")
    }

    fn abort(&mut self) -> Result<(), LogError> {
        unreachable!("the sink writes to no topic")
    }
}

impl Log for MemoryLog {
    type Consumer = MemoryConsumer;
    type Producer = NoProducer;

    fn ensure_topics(&self, _topics: &[TopicSpec]) -> Result<(), LogError> {
        Ok(())
    }

    fn consumer(&self, _group: &Group, topic: &str) -> Result<MemoryConsumer, LogError> {
        Ok(MemoryConsumer {
            log: self.clone(),
            topic: topic.to_owned(),
            is_new: true,
            handed_out: 0,
            positions: BTreeMap::new(),
            told_end: BTreeMap::new(),
        })
    }

    fn producer(&self, _transactional_id: &str) -> Result<NoProducer, LogError> {
        Ok(NoProducer)
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        let state = self.state();
        let end = |records: &Vec<Stored>| {
            records.last().map_or(NextOffset::START, |last| NextOffset::after(last.offset))
        };
        Ok(state.topics[topic].iter().map(end).collect())
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        let records = self.state().topics[topic][partition.0 as usize].clone();
        let range = from.get()..to.get();
        for record in records.iter().filter(|record| range.contains(&record.offset)) {
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            let (offset, timestamp_ms) = (record.offset, record.timestamp_ms);
            if each(Record { partition, offset, timestamp_ms, key, value }).is_break() {
                return Ok(NextOffset::after(offset));
            }
        }
        Ok(to)
    }
}
