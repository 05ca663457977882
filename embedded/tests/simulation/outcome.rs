//! What goes in, and what has to come out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use engine::log::{Log, Producer};
use engine::partition::partition_of;
use engine::record::{NewRecord, NextOffset, Partition};

use crate::draw::Draw;
use crate::topology::{DISTINCT, INPUT, TOTALS, Total};

type Row = ([u8; 16], [u8; 2]);

/// The rows of a history: one in four or so has been there before.
pub(crate) struct Input {
    rows: Vec<Row>,
    fed: usize,
    partitions: u32,
}

impl Input {
    pub(crate) fn drawn(draw: &mut Draw, partitions: u32) -> Self {
        let count = 20 + draw.below(180);
        let row = |number: u64, draw: &mut Draw| {
            let name = if draw.below(4) == 0 { draw.below(number + 1) } else { number };
            let mut id = [0; 16];
            id[..8].copy_from_slice(&name.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            // Of a row's id everything else follows.
            (id, [id[1] % 5, id[2]])
        };
        Self { rows: (0..count).map(|number| row(number, draw)).collect(), fed: 0, partitions }
    }

    /// Writes so many more of the rows, in one transaction.
    pub(crate) fn feed<L: Log>(&mut self, log: &L, count: usize) {
        let rows = &self.rows[self.fed..(self.fed.saturating_add(count)).min(self.rows.len())];
        if rows.is_empty() {
            return;
        }
        let mut producer = log.producer("feeder").expect("a producer");
        producer.begin().expect("begins");
        for (id, value) in rows {
            let partition = partition_of(id, self.partitions);
            let record = NewRecord { partition, timestamp_ms: 0, key: Some(id), value: Some(value) };
            producer.send(INPUT, record).expect("is sent");
        }
        producer.commit().expect("commits");
        self.fed += rows.len();
    }

    /// Compares what the log holds with one pass over the rows.
    pub(crate) fn compare<L: Log>(&self, log: &L) -> Result<(), String> {
        let rows: BTreeMap<_, _> = self.rows.iter().copied().collect();
        let mut expected: BTreeMap<Vec<u8>, Total> = BTreeMap::new();
        for [group, amount] in rows.values() {
            expected.entry(vec![*group]).or_default().add(Total { count: 1, sum: u64::from(*amount) });
        }
        let mut distinct = BTreeMap::new();
        let mut twice = Vec::new();
        each(log, DISTINCT, |key, value| {
            if distinct.insert(key.to_vec(), value.to_vec()).is_some() {
                twice.push(key.to_vec());
            }
        });
        if !twice.is_empty() {
            return Err(format!("{} of {} ids are there twice", twice.len(), rows.len()));
        }
        let missing =
            rows.iter().filter(|(id, value)| distinct.get(id.as_slice()).map(Vec::as_slice) != Some(*value));
        let missing = missing.count();
        if missing > 0 || distinct.len() != rows.len() {
            return Err(format!(
                "of {} ids {missing} are missing, and {} are there",
                rows.len(),
                distinct.len()
            ));
        }
        let mut totals: BTreeMap<Vec<u8>, Total> = BTreeMap::new();
        let mut went_back = None;
        each(log, TOTALS, |key, value| {
            let total = Total::read(value).expect("a total");
            let before = totals.insert(key.to_vec(), total).unwrap_or_default();
            if before.count >= total.count {
                went_back = Some(format!("the total of {key:?} was {before:?}, then {total:?}"));
            }
        });
        if let Some(went_back) = went_back {
            return Err(went_back);
        }
        if totals == expected { Ok(()) } else { Err(format!("totals are {totals:?}, not {expected:?}")) }
    }
}

/// Hands out all that is committed in a topic.
fn each<L: Log>(log: &L, topic: &str, mut each: impl FnMut(&[u8], &[u8])) {
    let ends = log.ends(topic).expect("ends");
    for (partition, end) in (0..).map(Partition).zip(ends) {
        let read = log.read(topic, partition, NextOffset::START, end, &mut |record| {
            each(record.key.expect("a key"), record.value.expect("a value"));
            ControlFlow::Continue(())
        });
        read.expect("is read");
    }
}
