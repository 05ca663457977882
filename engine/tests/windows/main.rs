//! The laws of windows, on a topology that knows nothing but keys and times.

mod counting;

use std::collections::BTreeMap;

use counting::{GRACE_MS, PARTITIONS, topology};
use engine::driver::TopologyDriver;
use engine::partition::partition_of;
use proptest::prelude::*;

/// A key and the time that the reading tells.
type Reading = (u8, i64);

/// Behind every window: closes all of them.
const LAST_MS: i64 = 1_000_000;

/// How a run is cut: records in a transaction, and what happens before (nothing, an abort, a restart).
type Step = (usize, u8);

fn run(readings: &[Reading], steps: &[Step]) -> TopologyDriver {
    let mut driver = TopologyDriver::new(topology());
    let chunk = readings.len().div_ceil(steps.len()).max(1);
    for (index, readings) in readings.chunks(chunk).enumerate() {
        for (key, time_ms) in readings {
            driver.pipe_in("readings", &[*key], time_ms.to_string().as_bytes(), 0);
        }
        let (records_max, fault) = steps[index];
        if fault == 2 {
            driver.restart();
        }
        let result = if fault == 1 { driver.run_with_aborts(records_max) } else { driver.run(records_max) };
        result.expect("state");
    }
    driver
}

/// The same, and every window closed at the end: one reading far ahead in each partition.
fn run_to_the_end(readings: &[Reading], steps: &[Step]) -> TopologyDriver {
    let mut all = readings.to_vec();
    all.extend((0..PARTITIONS).map(|partition| (key_in(partition), LAST_MS)));
    run(&all, steps)
}

fn key_in(partition: u32) -> u8 {
    (0..).find(|key| partition_of(&[*key], PARTITIONS).0 == partition).expect("some key is there")
}

/// Final results in the order of their publishing; none may come twice.
fn results(driver: &TopologyDriver) -> BTreeMap<Vec<u8>, i64> {
    let mut results = BTreeMap::new();
    for (_, _, record) in driver.read_out("results") {
        let key = record.key.clone().expect("a key");
        let count =
            i64::from_be_bytes(record.value.as_deref().expect("a count").try_into().expect("a number"));
        assert_eq!(results.insert(key, count), None, "a final result is published once");
    }
    results
}

fn late(driver: &TopologyDriver) -> u64 {
    let mut late = BTreeMap::new();
    for (partition, _, record) in driver.read_out("intakes") {
        let value = record.value.as_deref().expect("an intake");
        late.insert(partition, u64::from_be_bytes(value[8..].try_into().expect("a number")));
    }
    late.values().sum()
}

/// What the definition says: each partition by itself, in order; then everything that was admitted, counted.
fn model(readings: &[Reading]) -> (BTreeMap<Vec<u8>, i64>, u64) {
    let (mut counts, mut late) = (BTreeMap::new(), 0);
    let mut newest = BTreeMap::new();
    for (key, time_ms) in readings {
        let newest = newest.entry(partition_of(&[*key], PARTITIONS)).or_insert(*time_ms);
        *newest = (*newest).max(*time_ms);
        let end_ms = time_ms.div_euclid(10) * 10 + 10;
        if end_ms + GRACE_MS <= *newest {
            late += 1;
        } else {
            let key = [&(end_ms - 10).to_be_bytes()[..], &[*key]].concat();
            *counts.entry(key).or_insert(0) += 1;
        }
    }
    (counts, late)
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    prop::collection::vec((0..6_u8, -200..200_i64), 0..120)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((1..20_usize, 0..3_u8), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_within_grace_gives_the_same_windows(
        readings in readings(),
        delays in prop::collection::vec(0..=GRACE_MS, 120),
    ) {
        let mut in_order = readings.clone();
        in_order.sort_by_key(|(_, time_ms)| *time_ms);
        let mut delayed: Vec<_> = readings.iter().zip(&delays).collect();
        delayed.sort_by_key(|((_, time_ms), delay)| time_ms + **delay);
        let delayed: Vec<Reading> = delayed.into_iter().map(|(reading, _)| *reading).collect();
        let (ordered, delayed) = (run_to_the_end(&in_order, &[(7, 0)]), run_to_the_end(&delayed, &[(7, 0)]));
        prop_assert_eq!(late(&ordered), 0);
        prop_assert_eq!(late(&delayed), 0);
        prop_assert_eq!(results(&ordered), results(&delayed));
    }

    #[test]
    fn later_than_grace_is_counted_and_changes_nothing(readings in readings()) {
        let driver = run_to_the_end(&readings, &[(7, 0)]);
        let (counts, late_count) = model(&readings);
        prop_assert_eq!(late(&driver), late_count);
        prop_assert_eq!(results(&driver), counts);
    }

    #[test]
    fn restore_and_replay_give_the_same(readings in readings(), steps in steps()) {
        let driver = run_to_the_end(&readings, &steps);
        let (counts, late_count) = model(&readings);
        prop_assert_eq!(late(&driver), late_count);
        prop_assert_eq!(results(&driver), counts);
    }

    /// After a restart a window is closed by the same record that would have closed it without.
    #[test]
    fn what_is_closed_does_not_depend_on_restarts(readings in readings(), records_max in 1..20_usize) {
        let restarted = run(&readings, &[(records_max, 2); 6]);
        let whole = run(&readings, &[(records_max, 0); 6]);
        prop_assert_eq!(results(&restarted), results(&whole));
    }
}

#[test]
fn a_window_is_closed_when_every_source_has_passed_it_and_not_before() {
    let [first, second, third] = [0, 1, 2].map(key_in);
    let passed = 10 + GRACE_MS;
    let mut readings = vec![(first, 5), (first, passed), (second, passed), (third, passed - 1)];
    assert_eq!(results(&run(&readings, &[(9, 0)])), BTreeMap::new());
    readings.push((third, passed));
    let key = [&0_i64.to_be_bytes()[..], &[first]].concat();
    assert_eq!(results(&run(&readings, &[(9, 0)])), BTreeMap::from([(key, 1)]));
}
