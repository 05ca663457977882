//! What is run: `input` → each id once → sums by group, over a topic in between, with the state of both in changelogs.

use std::collections::BTreeMap;

use engine::log::{Kept, TopicSpec};
use engine::partition::partition_of;
use engine::record::{NewRecord, Partition, Record};
use engine::stage::{Output, Stage, StageSpec};
use engine::state::{Codec, IdSet, KeyedStore, StateError, Store};

pub(crate) const INPUT: &str = "input";
pub(crate) const DISTINCT: &str = "distinct";
pub(crate) const TOTALS: &str = "totals";
const SEEN: &str = "seen";
const SUMS: &str = "sums";

/// How many there are, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) count: u64,
    pub(crate) sum: u64,
}

impl Total {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.count.to_le_bytes(), self.sum.to_le_bytes()].concat()
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (count, sum) = bytes.split_first_chunk()?;
        Some(Self { count: u64::from_le_bytes(*count), sum: u64::from_le_bytes(sum.try_into().ok()?) })
    }
}

/// The topics that the first stage reads and all that the others write, with so many partitions each.
pub(crate) fn topology(partitions: u32) -> Vec<StageSpec> {
    let topic = |name: &str, kept| TopicSpec { name: name.to_owned(), partitions, kept };
    let sums = topic(SUMS, Kept::For(std::time::Duration::from_hours(1)));
    let (seen, totals) = (topic(SEEN, Kept::Forever), topic(TOTALS, Kept::Compacted));
    let distinct = StageSpec {
        name: "distinct",
        input: topic(INPUT, Kept::Forever),
        outputs: vec![topic(DISTINCT, Kept::Forever), sums.clone(), seen.clone()],
        changelogs: vec![seen],
        make: Box::new(move |partition, _| Ok(Box::new(Distinct::new(partition, partitions)))),
    };
    let total = StageSpec {
        name: "total",
        input: sums,
        outputs: vec![totals.clone()],
        changelogs: vec![totals],
        make: Box::new(|partition, _| Ok(Box::new(Totals::new(partition)))),
    };
    vec![distinct, total]
}

/// A record of the input: 16 bytes of id; a group and an amount of one byte each.
struct Distinct {
    partition: Partition,
    partitions: u32,
    ids: IdSet,
    sums: BTreeMap<u8, Total>,
}

impl Distinct {
    fn new(partition: Partition, partitions: u32) -> Self {
        Self { partition, partitions, ids: IdSet::new(&Store::Memory), sums: BTreeMap::new() }
    }
}

fn record<'r>(partition: Partition, key: Option<&'r [u8]>, value: &'r [u8]) -> NewRecord<'r> {
    NewRecord { partition, timestamp_ms: 0, key, value: Some(value) }
}

impl Stage for Distinct {
    fn handle(&mut self, input: Record<'_>, output: &mut dyn Output) {
        let id: [u8; 16] = input.key.and_then(|key| key.try_into().ok()).expect("an id");
        let [group, amount] = *input.value.expect("a value") else { panic!("a group and an amount") };
        if self.ids.insert(id) {
            output.send(0, record(self.partition, Some(&id), &[group, amount]));
            self.sums.entry(group).or_default().add(Total { count: 1, sum: u64::from(amount) });
        }
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        for (group, total) in &self.sums {
            let partition = partition_of(&[*group], self.partitions);
            output.send(1, record(partition, Some(&[*group]), &total.bytes()));
        }
        let mut ids: Vec<_> = self.ids.pending().copied().collect();
        ids.sort_unstable();
        if !ids.is_empty() {
            output.send(2, record(self.partition, None, &ids.concat()));
        }
        self.ids.check()
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.sums.clear();
        self.ids.committed()
    }

    fn rolled_back(&mut self) {
        self.sums.clear();
        self.ids.rolled_back();
    }

    fn restore(&mut self, _changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let ids = record.value.expect("ids").chunks_exact(16);
        ids.map(|id| id.try_into().expect("16 bytes")).try_for_each(|id| self.ids.restore(id))
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}

struct Totals {
    partition: Partition,
    totals: KeyedStore<Total>,
}

impl Totals {
    fn new(partition: Partition) -> Self {
        let codec = Codec { write: |total: &Total, out| out.extend(total.bytes()), read: Total::read };
        Self { partition, totals: KeyedStore::new(&Store::Memory, codec) }
    }
}

impl Stage for Totals {
    fn handle(&mut self, input: Record<'_>, _output: &mut dyn Output) {
        let delta = input.value.and_then(Total::read).expect("a sum");
        self.totals.change(input.key.expect("a group")).add(delta);
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        let changed: BTreeMap<_, _> = self.totals.pending().collect();
        for (group, total) in changed {
            output.send(0, record(self.partition, Some(group), &total.bytes()));
        }
        self.totals.check()
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.totals.committed()
    }

    fn rolled_back(&mut self) {
        self.totals.rolled_back();
    }

    fn restore(&mut self, _changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        self.totals.restore(record.key.expect("a group"), record.value.and_then(Total::read))
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}
