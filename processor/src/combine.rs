//! Combines deltas per key inside one transaction, before the repartition topic: `us` is 81 % of the data.

use domain::{Aggregate, wire};
use engine::partition::partition_of;
use engine::record::Partition;
use hashbrown::HashMap;

/// Rough cost of one key: the key's bytes, the aggregate and the map's slot.
const ENTRY_BYTES: usize = 200;
/// A block stays well under the 1 MiB that brokers take by default.
const BLOCK_BYTES_MAX: usize = 512 * 1024;

/// The deltas of the open transaction, by record key.
#[derive(Debug, Default)]
pub struct Combiner {
    deltas: HashMap<Vec<u8>, Aggregate>,
}

impl Combiner {
    pub fn add(&mut self, key: &[u8], delta: &Aggregate) {
        self.deltas.entry_ref(key).or_default().merge(delta);
    }

    pub fn clear(&mut self) {
        self.deltas.clear();
    }

    pub fn bytes(&self) -> usize {
        self.deltas.len() * ENTRY_BYTES
    }

    /// Hands the deltas out as blocks for the repartition topic, each for the partition that its keys belong to.
    pub fn blocks(&self, partitions: u32, mut each: impl FnMut(Partition, &[u8])) {
        let mut by_partition: Vec<Vec<(&[u8], &Aggregate)>> = vec![Vec::new(); partitions as usize];
        for (key, delta) in &self.deltas {
            by_partition[partition_of(key, partitions).0 as usize].push((key, delta));
        }
        let mut block = Vec::new();
        for (partition, deltas) in (0..).zip(&by_partition) {
            for deltas in deltas.chunks(BLOCK_BYTES_MAX / ENTRY_BYTES) {
                block.clear();
                wire::encode_deltas(deltas.iter().copied(), &mut block);
                each(Partition(partition), &block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delta_is_in_one_block_of_its_partition() {
        let mut combiner = Combiner::default();
        let one = Aggregate { count: 1, ..Aggregate::default() };
        for key in 0..10_000_u32 {
            for _ in 0..=(key % 3) {
                combiner.add(key.to_string().as_bytes(), &one);
            }
        }
        let mut found = HashMap::new();
        combiner.blocks(7, |partition, block| {
            for delta in wire::decode_deltas(block) {
                let (key, delta) = delta.expect("decodes");
                assert_eq!(partition_of(key, 7), partition);
                assert_eq!(found.insert(key.to_vec(), delta.count), None);
            }
        });
        assert_eq!(found.len(), 10_000);
        for (key, count) in found {
            let key: u64 = String::from_utf8(key).expect("digits").parse().expect("number");
            assert_eq!(count, key % 3 + 1);
        }
    }
}
