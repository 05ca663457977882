//! The topology against the plain recomputation, however it is cut into transactions, aborted and restarted.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Aggregate, Atlas, Header, Outcome, RawRecord, SightingId, Topics, Totals, arrivals_key, arrivals_minute,
    judge, wire,
};
use engine::driver::TopologyDriver;
use engine::partition::partition_of;
use engine::record::Partition;
use processor::seen::{Counters, decode_seen};
use processor::topology;
use proptest::prelude::*;

const PARTITIONS: u32 = 3;
const START_MS: i64 = 1_700_000_000_000;

fn row(day: u8, city: u8, shape: u8) -> Vec<u8> {
    let cities = ["seattle", "phoenix (west side)", "london (uk/england)", "toronto (canada)", ""];
    let shapes = ["light", "changed", "", "circle"];
    let header = Header::parse(domain::COLUMNS.iter().map(|name| name.as_bytes())).expect("all columns");
    let date = if day == 0 { "soon".to_owned() } else { format!("7/{day}/2010 24:00") };
    let city = cities[usize::from(city) % cities.len()];
    let shape = shapes[usize::from(shape) % shapes.len()];
    let fields = [
        date.as_str(),
        city,
        "wa",
        "us",
        shape,
        "8`",
        "8 seconds",
        "it hovered",
        "8/1/2010",
        "47.6063889",
        "-122.3308333",
    ];
    let mut value = Vec::new();
    wire::encode_row(&header, fields.iter().map(|field| field.as_bytes()), &mut value);
    value
}

fn key_of(value: &[u8]) -> Vec<u8> {
    wire::decode_raw(value).expect("a row").id().to_hex().to_vec()
}

/// What the view `arrivals` has to be: each partition of `ufo.raw` by itself, in its order, with nothing but maps.
#[derive(Default)]
struct ArrivalsModel {
    newest: BTreeMap<Partition, i64>,
    ids: BTreeSet<SightingId>,
    minutes: BTreeMap<Vec<u8>, Aggregate>,
    late: u64,
}

impl ArrivalsModel {
    fn add(&mut self, record: RawRecord<'_>, timestamp_ms: i64, atlas: &Atlas) {
        let partition = partition_of(record.key.expect("a key"), PARTITIONS);
        let newest = self.newest.entry(partition).or_insert(timestamp_ms);
        *newest = (*newest).max(timestamp_ms);
        let verdict = judge(record, atlas);
        let Outcome::Sighting(sighting) = verdict.outcome else { return };
        if !self.ids.insert(verdict.id) {
            return;
        }
        let minute_end = timestamp_ms.div_euclid(60_000) * 60_000 + 60_000;
        if minute_end + 600_000 <= *newest {
            self.late += 1;
            return;
        }
        let mut key = Vec::new();
        arrivals_key(sighting.country, timestamp_ms, &mut key);
        self.minutes.entry(key).or_default().merge(&Aggregate::of(&sighting));
    }
}

/// The last value of each key of `ufo.aggregates`; a final one is never followed by another.
fn published(driver: &TopologyDriver, topics: &Topics) -> (BTreeMap<Vec<u8>, Aggregate>, BTreeSet<Vec<u8>>) {
    let (mut aggregates, mut closed) = (BTreeMap::new(), BTreeSet::new());
    for (_, _, record) in driver.read_out(&topics.aggregates()) {
        let value = record.value.as_deref().expect("a value");
        let (_, _, aggregate) = wire::decode_aggregate(value).expect("an aggregate");
        let key = record.key.clone().expect("a key");
        assert!(!closed.contains(&key), "a closed minute is never published again");
        if wire::is_final_aggregate(value) {
            closed.insert(key.clone());
        }
        aggregates.insert(key, aggregate);
    }
    (aggregates, closed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn restore_equals_recompute(
        rows in prop::collection::vec((0..28_u8, 0..5_u8, 0..4_u8, 0..2_400_000_i64), 1..120),
        steps in prop::collection::vec((1..40_usize, 0..3_u8), 1..8),
    ) {
        let atlas = Atlas::new();
        let topics = Topics::new("ufo", "v1");
        let mut driver = TopologyDriver::new(topology(&topics, PARTITIONS));
        let (mut totals, mut arrivals) = (Totals::new(), ArrivalsModel::default());
        let chunk = rows.len().div_ceil(steps.len());
        for (rows, (records_max, fault)) in rows.chunks(chunk).zip(&steps) {
            for (day, city, shape, time_ms) in rows {
                let value = row(*day, *city, *shape);
                let key = key_of(&value);
                let record = RawRecord { key: Some(&key), value: Some(&value) };
                totals.add(record, &atlas);
                arrivals.add(record, START_MS + time_ms, &atlas);
                driver.pipe_in(&topics.raw(), &key, &value, START_MS + time_ms);
            }
            if *fault == 2 {
                driver.restart();
            }
            let result = if *fault == 1 { driver.run_with_aborts(*records_max) } else { driver.run(*records_max) };
            result.expect("state");
        }

        let sightings = driver.read_out(&topics.sightings()).count() as u64;
        let rejects = driver.read_out(&topics.rejects()).count() as u64;
        prop_assert_eq!(sightings, totals.sightings);
        prop_assert_eq!(rejects, totals.rejected());

        let mut last = BTreeMap::new();
        for (partition, _, record) in driver.read_out(&topics.seen_changelog()) {
            let block = decode_seen(record.value.as_deref().expect("a value")).expect("a block");
            last.insert(partition, block.counters);
        }
        let sum = |count: fn(&Counters) -> u64| last.values().map(count).sum::<u64>();
        prop_assert_eq!(sum(|counters| counters.rows), totals.rows);
        prop_assert_eq!(sum(|counters| counters.duplicates), totals.duplicates);
        prop_assert_eq!(sum(|counters| counters.arrivals.late), arrivals.late);

        let (mut aggregates, closed) = published(&driver, &topics);
        let minutes = aggregates.extract_if(.., |key, _| arrivals_minute(key).is_some()).collect();
        prop_assert_eq!(aggregates, totals.aggregates);
        prop_assert_eq!(&arrivals.minutes, &minutes);
        prop_assert_eq!(minutes.values().map(|minute| minute.count).sum::<u64>() + arrivals.late, sightings);

        // Final is what every partition has passed, restarts or not.
        let passed = (0..PARTITIONS).map(|partition| arrivals.newest.get(&Partition(partition)).copied());
        let passed = passed.min().flatten().unwrap_or(i64::MIN);
        let over = |key: &&Vec<u8>| arrivals_minute(key).expect("a minute") + 60_000 + 600_000 <= passed;
        prop_assert_eq!(closed, minutes.keys().filter(over).cloned().collect::<BTreeSet<_>>());
    }
}
