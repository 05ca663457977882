//! The ledger finds what a broken pipeline would do: lose, double, miscount.

use domain::{Aggregate, SightingId, Totals};
use processor::seen::Counters;
use verify::facts::{Arrivals, LogFacts, StoreFacts};
use verify::ledger;

fn id(number: u8) -> SightingId {
    SightingId::from_bytes([number; 16])
}

/// Three rows in two partitions: two sightings, one reject; one duplicate of the first.
fn clean() -> (Totals, LogFacts, StoreFacts) {
    let key = br#"["country","us"]"#.to_vec();
    let aggregate = Aggregate { count: 2, ..Aggregate::default() };
    let mut totals = Totals::new();
    totals.rows = 4;
    totals.duplicates = 1;
    totals.sightings = 2;
    totals.sighting_ids.extend([id(1), id(2)]);
    totals.reject_ids.insert(id(3));
    totals.aggregates.insert(key.clone(), aggregate);

    let mut log = LogFacts {
        raw_by_partition: vec![3, 1],
        counters_by_partition: vec![
            Counters { rows: 3, sightings: 2, duplicates: 1, ..Counters::default() },
            Counters { rows: 1, rejects: 1, ..Counters::default() },
        ],
        arrivals: Arrivals { count: 1, late: 1 },
        ..LogFacts::default()
    };
    log.sightings.add(id(1));
    log.sightings.add(id(2));
    log.rejects.add(id(3));
    log.aggregates.insert(key, aggregate);
    let store = StoreFacts {
        raw: Some(4),
        sightings: log.sightings.clone(),
        rejects: log.rejects.clone(),
        aggregates: log.aggregates.clone(),
    };
    (totals, log, store)
}

fn first_difference(totals: &Totals, log: &LogFacts, store: &StoreFacts) -> Option<String> {
    let report = ledger(Some(totals), log, &[("lake", store)]);
    report.first_difference().map(|check| check.name.clone())
}

#[test]
fn a_clean_run_is_clean() {
    let (totals, log, store) = clean();
    assert_eq!(first_difference(&totals, &log, &store), None);
}

#[test]
fn what_is_lost_is_found() {
    let (totals, log, mut store) = clean();
    store.sightings.ids.remove(&id(2));
    assert_eq!(first_difference(&totals, &log, &store).as_deref(), Some("sightings = lake"));
}

#[test]
fn what_is_there_twice_is_found() {
    let (totals, mut log, store) = clean();
    log.sightings.add(id(1));
    assert_eq!(
        first_difference(&totals, &log, &store).as_deref(),
        Some("sightings counted = sightings in the topic")
    );
    let (totals, log, mut store) = clean();
    store.sightings.add(id(1));
    assert_eq!(first_difference(&totals, &log, &store).as_deref(), Some("lake sightings: none twice"));
}

#[test]
fn a_digit_that_differs_is_found() {
    let (totals, log, mut store) = clean();
    for aggregate in store.aggregates.values_mut() {
        aggregate.total_duration_ms += 1;
    }
    assert_eq!(first_difference(&totals, &log, &store).as_deref(), Some("aggregates: topic = lake"));
}

#[test]
fn a_row_not_accounted_for_is_found_in_its_partition() {
    let (totals, mut log, store) = clean();
    log.counters_by_partition[1].rejects = 0;
    assert_eq!(
        first_difference(&totals, &log, &store).as_deref(),
        Some("partition 1: raw = sightings + rejects + duplicates")
    );
}

#[test]
fn a_sighting_in_no_minute_of_arrival_and_not_late_is_found() {
    let (totals, mut log, store) = clean();
    log.arrivals.late = 0;
    assert_eq!(
        first_difference(&totals, &log, &store).as_deref(),
        Some("sightings counted = arrivals + late")
    );
}
