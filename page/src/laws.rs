//! What must hold of the charts, whatever comes: against plain counting.

use std::collections::BTreeMap;
use std::io::Write as _;

use domain::{Aggregate, Atlas, Country, Key, Outcome, RawRecord, Totals, judge, wire};
use engine::record::{Partition, Record};
use producer::rows::Rows;
use proptest::prelude::*;

use crate::aggregates::Aggregates;
use crate::charts::{Look, NAMES};
use crate::facts::{Answer, Facts};
use crate::filter::Filter;
use crate::newest::{NewestRejects, NewestSightings};
use crate::table::{Table, Value};

const ROWS: u64 = 4_000;

/// What a run of the pipeline over synthetic rows leaves behind.
struct World {
    aggregates: BTreeMap<Vec<u8>, Aggregate>,
    sightings: Vec<Vec<u8>>,
}

fn world() -> World {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    let mut csv = Vec::new();
    producer::generate::write_csv(7, ROWS, &mut csv).unwrap();
    file.write_all(&csv).unwrap();
    let mut rows = Rows::new(producer::input::open(file.path()).unwrap()).unwrap();
    let (atlas, mut totals, mut value, mut sightings) =
        (Atlas::new(), Totals::new(), Vec::new(), BTreeMap::new());
    while let Some(id) = rows.next_into(&mut value).unwrap() {
        let key = id.to_hex();
        let record = RawRecord { key: Some(&key), value: Some(&value) };
        totals.add(record, &atlas);
        let verdict = judge(record, &atlas);
        if let Outcome::Sighting(sighting) = verdict.outcome {
            let mut bytes = Vec::new();
            wire::encode_sighting(&sighting, &mut bytes);
            sightings.insert(verdict.id, bytes);
        }
        value.clear();
    }
    World { aggregates: totals.aggregates, sightings: sightings.into_values().collect() }
}

/// The record of an aggregate, at an offset.
fn take(into: &mut Aggregates, key: &[u8], aggregate: &Aggregate, offset: u64) {
    let (view, _) = Key::parse(key).unwrap();
    let mut value = Vec::new();
    wire::encode_aggregate(view, key, aggregate, &mut value);
    let record =
        Record { partition: Partition(0), offset, timestamp_ms: 0, key: Some(key), value: Some(&value) };
    assert!(into.take(record));
}

fn facts(world: &World) -> Facts {
    let mut facts = Facts::new(usize::MAX);
    for bytes in &world.sightings {
        facts.add(&wire::decode_sighting(bytes).unwrap());
    }
    facts
}

fn aggregates(world: &World) -> Aggregates {
    let mut aggregates = Aggregates::default();
    world.aggregates.iter().for_each(|(key, aggregate)| take(&mut aggregates, key, aggregate, 0));
    aggregates
}

/// All charts, and the figures above them as text.
fn charts(aggregates: &Aggregates, facts: &Facts, query: &str) -> BTreeMap<&'static str, Table> {
    let filter = Filter::parse(query).unwrap();
    let mut answer = Answer::new(filter.clone());
    answer.advance(facts);
    let look = Look {
        filter: &filter,
        home: "us",
        aggregates,
        facts,
        answer: &answer,
        sightings: &NewestSightings::default(),
        rejects: &NewestRejects::default(),
    };
    let mut totals = Table::new(&["totals"]);
    totals.push(vec![Value::Text(serde_json::to_string(&look.totals()).unwrap())]);
    let tables = NAMES.map(|name| (name, look.table(name).unwrap()));
    tables
        .into_iter()
        .chain([("totals", totals)])
        .map(|(name, table)| (name, Table { note: None, ..table }))
        .collect()
}

#[test]
fn a_filter_that_takes_everything_changes_nothing() {
    let world = world();
    let (aggregates, facts) = (aggregates(&world), facts(&world));
    for country in ["", "country=us&", "country=unknown&", "country=de&"] {
        let of_views = charts(&aggregates, &facts, country);
        let of_sightings = charts(&aggregates, &facts, &format!("{country}from=1&to=9999"));
        for (name, table) in &of_views {
            assert!(
                !table.rows.is_empty() || matches!(*name, "sightings" | "rejects" | "cells"),
                "{country}: {name}"
            );
            assert_eq!(table, &of_sightings[name], "{country}: {name}");
        }
    }
}

fn number(value: &Value) -> u128 {
    match value {
        Value::Count(count) => *count,
        Value::Null | Value::Degrees(_) | Value::Text(_) => 0,
    }
}

/// The sum of a chart's counts.
fn sum(table: &Table) -> u128 {
    let column = table.columns.iter().position(|name| *name == "count").unwrap();
    table.rows.iter().map(|row| number(&row[column])).sum()
}

#[test]
fn every_chart_follows_every_filter() {
    let world = world();
    let (aggregates, facts) = (aggregates(&world), facts(&world));
    let sightings: Vec<_> =
        world.sightings.iter().map(|bytes| wire::decode_sighting(bytes).unwrap()).collect();
    for (country, shape, from, to) in [
        (Some("us"), Some("light"), 1990, 2005),
        (Some("us"), None, 2000, 2000),
        (None, Some("triangle"), 1, 9999),
        (Some("ca"), Some("disk"), 1960, 2014),
        (None, None, 2010, 2012),
    ] {
        let of_country = |of: &Option<Country>| {
            country.is_none_or(|code| of.as_ref().is_some_and(|of| of.as_str() == code))
        };
        let of_shape = |of: &str| shape.is_none_or(|shape| shape == of);
        let of_years = |year: i32| (from..=to).contains(&year);
        let mut query = format!("from={from}&to={to}");
        country.iter().for_each(|country| query += &format!("&country={country}"));
        shape.iter().for_each(|shape| query += &format!("&shape={shape}"));
        let charts = charts(&aggregates, &facts, &query);
        let count = |is_counted: &dyn Fn(&domain::Sighting<'_>) -> bool| {
            sightings.iter().filter(|sighting| is_counted(sighting)).count() as u128
        };
        let all = count(&|s| of_country(&s.country) && of_shape(&s.shape) && of_years(s.occurred_at.year()));
        assert!(all > 0, "{query} takes something");
        for name in ["months", "seasons", "timeline", "hours"] {
            assert_eq!(sum(&charts[name]), all, "{query}: {name}");
        }
        // Those that compare leave their own part of the filter out.
        let every_country = count(&|s| of_shape(&s.shape) && of_years(s.occurred_at.year()));
        assert_eq!(sum(&charts["countries"]), every_country, "{query}");
        let every_shape = count(&|s| of_country(&s.country) && of_years(s.occurred_at.year()));
        assert_eq!(sum(&charts["shapes"]), every_shape, "{query}");
        let located = count(&|s| {
            of_country(&s.country)
                && of_shape(&s.shape)
                && of_years(s.occurred_at.year())
                && s.location.is_some()
        });
        assert_eq!(sum(&charts["cells"]), located, "{query}");
    }
}

#[test]
fn an_answer_that_grows_is_the_answer_of_all() {
    let world = world();
    let (aggregates, whole) = (aggregates(&world), facts(&world));
    let filter = Filter::parse("country=us&from=1995").unwrap();
    let (mut facts, mut grown) = (Facts::new(usize::MAX), Answer::new(filter.clone()));
    for (at, bytes) in world.sightings.iter().enumerate() {
        facts.add(&wire::decode_sighting(bytes).unwrap());
        if at % 700 == 0 {
            grown.advance(&facts);
        }
    }
    grown.advance(&facts);
    let mut at_once = Answer::new(filter);
    at_once.advance(&whole);
    let hours = |answer: &Answer| answer.hours().to_vec();
    assert_eq!(hours(&grown), hours(&at_once));
    assert_eq!(grown.seasons(), at_once.seasons());
    assert_eq!(grown.places(&facts).count(), at_once.places(&whole).count());
    assert_eq!(charts(&aggregates, &facts, ""), charts(&aggregates, &whole, ""));
}

#[test]
fn beyond_its_limit_the_memory_does_not_grow_and_the_page_says_so() {
    let world = world();
    let mut facts = Facts::new(100);
    for bytes in &world.sightings {
        facts.add(&wire::decode_sighting(bytes).unwrap());
    }
    assert_eq!((facts.len(), facts.left_out()), (100, world.sightings.len() as u64 - 100));
    let (aggregates, filter) = (aggregates(&world), Filter::parse("from=1900").unwrap());
    let mut answer = Answer::new(filter.clone());
    answer.advance(&facts);
    let look = Look {
        filter: &filter,
        home: "us",
        aggregates: &aggregates,
        facts: &facts,
        answer: &answer,
        sightings: &NewestSightings::default(),
        rejects: &NewestRejects::default(),
    };
    let note = look.table("hours").unwrap().note.unwrap();
    assert!(note.contains("first 100 sightings"), "{note}");
    assert_eq!(look.table("timeline").unwrap().note, None, "years are answered by the view");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn records_in_any_order_and_again_give_the_same(order in prop::collection::vec((0..300_usize, 1..5_u64), 300..900)) {
        let world = world_once();
        let keys: Vec<_> = world.aggregates.iter().step_by(world.aggregates.len() / 300).take(300).collect();
        // The value of a key at an offset: it only grows.
        let value = |at: usize, offset: u64| {
            let mut aggregate = Aggregate::empty();
            (0..offset).for_each(|_| aggregate.merge(keys[at].1));
            aggregate
        };
        let (mut shuffled, mut last) = (Aggregates::default(), BTreeMap::new());
        for (at, offset) in order {
            take(&mut shuffled, keys[at].0, &value(at, offset), offset);
            let newest = last.entry(at).or_insert(offset);
            *newest = offset.max(*newest);
        }
        let mut sorted = Aggregates::default();
        last.iter().for_each(|(at, offset)| take(&mut sorted, keys[*at].0, &value(*at, *offset), *offset));
        let none = Facts::new(0);
        for query in ["", "country=us"] {
            prop_assert_eq!(charts(&shuffled, &none, query), charts(&sorted, &none, query));
        }
        prop_assert_eq!(shuffled.keys(), sorted.keys());
    }
}

fn world_once() -> &'static World {
    static WORLD: std::sync::OnceLock<World> = std::sync::OnceLock::new();
    WORLD.get_or_init(world)
}
