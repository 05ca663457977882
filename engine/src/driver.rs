//! Drives a topology in a test: no broker, no clock, no threads. What a test of stages needs is here: pipe records in,
//! commit or abort, restart from the changelogs, read what was written.

use std::collections::BTreeMap;

use crate::partition::partition_of;
use crate::record::{NewRecord, NextOffset, Partition, Record};
use crate::stage::{Output, Stage, StageSpec};
use crate::state::StateError;

/// A record that the driver keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

#[derive(Default)]
struct Topics(BTreeMap<String, Vec<Vec<StoredRecord>>>);

impl Topics {
    fn records(&self, topic: &str, partition: Partition) -> &[StoredRecord] {
        self.0
            .get(topic)
            .and_then(|partitions| partitions.get(partition.0 as usize))
            .map_or(&[], Vec::as_slice)
    }

    fn append(&mut self, topic: &str, partition: Partition, record: StoredRecord) {
        let partitions = self.0.entry(topic.to_owned()).or_default();
        let index = partition.0 as usize;
        if partitions.len() <= index {
            partitions.resize_with(index + 1, Vec::new);
        }
        partitions[index].push(record);
    }
}

/// What a task has written since its last commit.
struct Pending<'d> {
    spec: &'d StageSpec,
    records: Vec<(String, Partition, StoredRecord)>,
}

impl Output for Pending<'_> {
    fn send(&mut self, output: usize, record: NewRecord<'_>) {
        let stored = StoredRecord {
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
        };
        self.records.push((self.spec.outputs[output].name.clone(), record.partition, stored));
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Committed,
    /// Aborted with everything sent.
    Aborted,
    /// Aborted before the stage was asked to flush.
    Broken,
}

/// A topology under test.
pub struct TopologyDriver {
    stages: Vec<StageSpec>,
    topics: Topics,
    tasks: BTreeMap<(usize, Partition), Box<dyn Stage>>,
    positions: BTreeMap<(usize, Partition), NextOffset>,
}

impl TopologyDriver {
    pub fn new(stages: Vec<StageSpec>) -> Self {
        Self { stages, topics: Topics::default(), tasks: BTreeMap::new(), positions: BTreeMap::new() }
    }

    /// Writes a record to the input topic of a stage, in the partition of its key.
    ///
    /// # Panics
    /// If no stage reads `topic`.
    pub fn pipe_in(&mut self, topic: &str, key: &[u8], value: &[u8], timestamp_ms: i64) {
        let input = self.stages.iter().map(|stage| &stage.input).find(|input| input.name == topic);
        let partitions = input.expect("a stage reads this topic").partitions;
        let record = StoredRecord { timestamp_ms, key: Some(key.to_vec()), value: Some(value.to_vec()) };
        self.topics.append(topic, partition_of(key, partitions), record);
    }

    /// Handles what is there, at most `records_max` records a task and transaction, and commits each transaction.
    pub fn run(&mut self, records_max: usize) -> Result<(), StateError> {
        self.run_all(records_max, false)
    }

    /// The same, but before each transaction others that read further are aborted, as a failing broker would have it:
    /// at the commit, and while records are sent.
    pub fn run_with_aborts(&mut self, records_max: usize) -> Result<(), StateError> {
        self.run_all(records_max, true)
    }

    fn run_all(&mut self, records_max: usize, is_aborting: bool) -> Result<(), StateError> {
        for stage in 0..self.stages.len() {
            for partition in (0..self.stages[stage].input.partitions).map(Partition) {
                loop {
                    if is_aborting {
                        self.transaction(stage, partition, 2 * records_max, End::Aborted)?;
                        self.transaction(stage, partition, 2 * records_max, End::Broken)?;
                    }
                    if self.transaction(stage, partition, records_max, End::Committed)? == 0 {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Forgets every task: the next run restores them from the changelogs.
    pub fn restart(&mut self) {
        self.tasks.clear();
    }

    /// Closes every task, as a process does that stops: what lies on disk can be opened again.
    pub fn close(&mut self) -> Result<(), StateError> {
        for ((stage, partition), mut task) in std::mem::take(&mut self.tasks) {
            task.close(self.positions.get(&(stage, partition)).copied().unwrap_or_default())?;
        }
        Ok(())
    }

    /// Goes on with other stages of the same topics: as another process, or with other stores.
    pub fn with_stages(&mut self, stages: Vec<StageSpec>) {
        self.tasks.clear();
        self.stages = stages;
    }

    /// All records of a topic, partition by partition, with where they are.
    pub fn read_out(&self, topic: &str) -> impl Iterator<Item = (Partition, u64, &StoredRecord)> {
        self.topics.0.get(topic).into_iter().flat_map(|partitions| {
            (0..).map(Partition).zip(partitions).flat_map(|(partition, records)| {
                (0..).zip(records).map(move |(offset, record)| (partition, offset, record))
            })
        })
    }

    fn transaction(
        &mut self,
        stage: usize,
        partition: Partition,
        records_max: usize,
        end: End,
    ) -> Result<usize, StateError> {
        let spec = &self.stages[stage];
        let from = self.positions.get(&(stage, partition)).copied().unwrap_or_default();
        let task = match self.tasks.entry((stage, partition)) {
            std::collections::btree_map::Entry::Occupied(task) => task.into_mut(),
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(restored(spec, partition, from, &self.topics)?)
            }
        };
        let mut pending = Pending { spec, records: Vec::new() };
        let input = self.topics.records(&spec.input.name, partition);
        let mut handled = 0;
        for (offset, record) in (0..).zip(input).skip(from.get() as usize).take(records_max) {
            task.handle(borrowed(partition, offset, record), &mut pending);
            handled += 1;
        }
        if handled > 0 {
            if end != End::Broken {
                task.flush(&mut pending)?;
            }
            if end != End::Committed {
                task.rolled_back();
                return Ok(handled);
            }
            task.committed()?;
            for (topic, partition, record) in pending.records {
                self.topics.append(&topic, partition, record);
            }
            self.positions.insert((stage, partition), NextOffset::at(from.get() + handled as u64));
        }
        Ok(handled)
    }
}

fn restored(
    spec: &StageSpec,
    partition: Partition,
    committed: NextOffset,
    topics: &Topics,
) -> Result<Box<dyn Stage>, StateError> {
    let mut task = (spec.make)(partition, committed)?;
    if !task.is_restored() {
        for (changelog, topic) in spec.changelogs.iter().enumerate() {
            for (offset, record) in (0..).zip(topics.records(&topic.name, partition)) {
                task.restore(changelog, borrowed(partition, offset, record))?;
            }
        }
        task.restored()?;
    }
    Ok(task)
}

fn borrowed(partition: Partition, offset: u64, record: &StoredRecord) -> Record<'_> {
    Record {
        partition,
        offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
    }
}
