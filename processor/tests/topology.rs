//! The topology against the plain recomputation, however it is cut into transactions, aborted and restarted.

use std::collections::BTreeMap;

use domain::{Aggregate, Atlas, Header, RawRecord, Topics, Totals, wire};
use engine::driver::TopologyDriver;
use processor::seen::{Counters, decode_seen};
use processor::topology;
use proptest::prelude::*;

const PARTITIONS: u32 = 3;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn restore_equals_recompute(
        rows in prop::collection::vec((0..28_u8, 0..5_u8, 0..4_u8), 1..120),
        steps in prop::collection::vec((1..40_usize, 0..3_u8), 1..8),
    ) {
        let atlas = Atlas::new();
        let topics = Topics::new("ufo", "v1");
        let mut driver = TopologyDriver::new(topology(&topics, PARTITIONS));
        let mut totals = Totals::new();
        let chunk = rows.len().div_ceil(steps.len());
        for (rows, (records_max, fault)) in rows.chunks(chunk).zip(&steps) {
            for (day, city, shape) in rows {
                let value = row(*day, *city, *shape);
                let key = key_of(&value);
                totals.add(RawRecord { key: Some(&key), value: Some(&value) }, &atlas);
                driver.pipe_in(&topics.raw(), &key, &value, 1_700_000_000_000);
            }
            match fault {
                0 => {}
                1 => driver.run_aborted(*records_max).expect("state"),
                _ => driver.restart(),
            }
            driver.run(*records_max).expect("state");
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

        let mut aggregates: BTreeMap<Vec<u8>, Aggregate> = BTreeMap::new();
        for (_, _, record) in driver.read_out(&topics.aggregates()) {
            let (_, _, aggregate) =
                wire::decode_aggregate(record.value.as_deref().expect("a value")).expect("an aggregate");
            aggregates.insert(record.key.clone().expect("a key"), aggregate);
        }
        prop_assert_eq!(aggregates, totals.aggregates);
    }
}
