//! Batches that the server has, in the order in which they were sent; what may be committed is the part behind which
//! nothing is open. Pure.

use std::collections::{BTreeMap, VecDeque};

use engine::record::{NextOffset, Partition};

type Positions = BTreeMap<Partition, NextOffset>;

#[derive(Debug)]
struct Slot {
    positions: Positions,
    is_confirmed: bool,
}

/// Which batch an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence(u64);

#[derive(Debug, Default)]
pub(super) struct Pipeline {
    slots: VecDeque<Slot>,
    first: u64,
    confirmed: Positions,
}

impl Pipeline {
    /// A batch is sent that covers the records of each partition up to these positions.
    pub(super) fn sent(&mut self, positions: Positions) -> Sequence {
        self.slots.push_back(Slot { positions, is_confirmed: false });
        Sequence(self.first + self.slots.len() as u64 - 1)
    }

    /// Everything in the batch is in the index or in the file of refused documents.
    pub(super) fn confirmed(&mut self, sequence: Sequence) {
        let index = sequence.0.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            slot.is_confirmed = true;
        }
        while let Some(slot) = self.slots.pop_front_if(|slot| slot.is_confirmed) {
            self.first += 1;
            self.confirmed.extend(slot.positions);
        }
    }

    /// Batches that are not confirmed, or wait behind one that is not.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Somebody else answers for these partitions now.
    pub(super) fn forget(&mut self, partitions: &[Partition]) {
        let keep = |partition: &Partition, _: &mut NextOffset| !partitions.contains(partition);
        self.slots.iter_mut().for_each(|slot| slot.positions.retain(keep));
        self.confirmed.retain(keep);
    }

    /// What may be committed and has not been.
    pub(super) fn to_commit(&self) -> Vec<(Partition, NextOffset)> {
        self.confirmed.iter().map(|(partition, next)| (*partition, *next)).collect()
    }

    /// That is committed.
    pub(super) fn committed(&mut self) {
        self.confirmed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(partition: u32, next: u64) -> (Partition, NextOffset) {
        (Partition(partition), NextOffset::at(next))
    }

    #[test]
    fn only_the_contiguous_prefix_may_be_committed() {
        let mut pipeline = Pipeline::default();
        let first = pipeline.sent([at(0, 10), at(1, 5)].into());
        let second = pipeline.sent([at(0, 20)].into());
        let third = pipeline.sent([at(1, 9)].into());
        pipeline.confirmed(second);
        assert_eq!(pipeline.to_commit(), []);
        pipeline.confirmed(first);
        assert_eq!(pipeline.to_commit(), [at(0, 20), at(1, 5)]);
        assert_eq!(pipeline.len(), 1);
        pipeline.committed();
        pipeline.confirmed(third);
        pipeline.confirmed(third);
        assert_eq!(pipeline.to_commit(), [at(1, 9)]);
        assert!(pipeline.is_empty());
    }

    #[test]
    fn a_partition_that_was_given_back_is_not_committed() {
        let mut pipeline = Pipeline::default();
        let first = pipeline.sent([at(0, 10), at(1, 5)].into());
        let second = pipeline.sent([at(0, 20), at(1, 8)].into());
        pipeline.confirmed(first);
        pipeline.forget(&[Partition(0)]);
        pipeline.confirmed(second);
        assert_eq!(pipeline.to_commit(), [at(1, 8)]);
    }
}
