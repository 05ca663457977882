//! Reads the lake back, for the ledger.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use delta::{Lake, Table};
use domain::{Aggregate, CivilTime, Key, SightingId, Topics, View, topics};
use tokio::runtime::Runtime;

use super::path::Tables;
use super::{LakeError, runtime};

/// What bronze holds of one partition of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BronzeFacts {
    pub rows: u64,
    pub max_offset: u64,
}

/// What the lake holds.
#[derive(Clone, Debug, Default)]
pub struct LakeFacts {
    /// Rows of bronze.
    pub raw: u64,
    /// The same by topic and partition.
    pub bronze: BTreeMap<(String, u32), BronzeFacts>,
    /// Ids as often as they are there.
    pub sightings: Vec<SightingId>,
    pub rejects: Vec<SightingId>,
    /// By record key; the arrivals are left out.
    pub aggregates: Vec<(Vec<u8>, Aggregate)>,
}

impl LakeFacts {
    /// The rows of gold with their keys read.
    pub fn gold(&self) -> impl Iterator<Item = (View, Key, &Aggregate)> {
        self.aggregates.iter().filter_map(|(record_key, aggregate)| {
            let (view, key) = Key::parse(record_key)?;
            Some((view, key, aggregate))
        })
    }
}

/// Reads the ids and the aggregates of the first generation's tables.
pub fn lake_facts(lake: &Lake) -> Result<LakeFacts, LakeError> {
    lake_facts_of(lake, &Topics::new("", topics::FIRST_GENERATION))
}

/// Reads the ids and the aggregates of all tables of the topics' generation.
pub fn lake_facts_of(lake: &Lake, topics: &Topics) -> Result<LakeFacts, LakeError> {
    let runtime = runtime()?;
    let tables = Tables::new(topics);
    let mut facts = LakeFacts::default();
    each_batch(&runtime, lake, &tables.raw(), &["topic", "partition", "offset"], |batch| {
        facts.raw += batch.num_rows() as u64;
        (0..batch.num_rows()).for_each(|row| count_raw(&mut facts.bronze, batch, row));
    })?;
    for (name, ids) in [(tables.sightings(), &mut facts.sightings), (tables.rejects(), &mut facts.rejects)] {
        each_batch(&runtime, lake, &name, &["id"], |batch| {
            let column = batch.column(0).as_string::<i32>();
            ids.extend(column.iter().filter_map(|id| id?.parse::<SightingId>().ok()));
        })?;
    }
    for view in View::ALL.into_iter().filter(|view| *view != View::Arrivals) {
        each_batch(&runtime, lake, &tables.gold(view), &AGGREGATE_COLUMNS, |batch| {
            facts.aggregates.extend((0..batch.num_rows()).map(|row| aggregate(batch, row)));
        })?;
    }
    Ok(facts)
}

/// Nothing where there is no such table.
fn each_batch(
    runtime: &Runtime,
    lake: &Lake,
    name: &str,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch),
) -> Result<(), LakeError> {
    let Some(table) = runtime.block_on(Table::open(lake.store.clone(), lake.table(name)))? else {
        return Ok(());
    };
    runtime.block_on(table.each_batch::<LakeError>(columns, |batch, _| {
        each(batch);
        Ok(())
    }))
}

fn count_raw(bronze: &mut BTreeMap<(String, u32), BronzeFacts>, batch: &RecordBatch, row: usize) {
    let topic = batch.column(0).as_string::<i32>().value(row);
    let partition = batch.column(1).as_primitive::<Int32Type>().value(row).cast_unsigned();
    let offset = batch.column(2).as_primitive::<Int64Type>().value(row);
    let facts = match bronze.iter_mut().find(|((name, number), _)| name == topic && *number == partition) {
        Some((_, facts)) => facts,
        None => bronze.entry((topic.to_owned(), partition)).or_default(),
    };
    facts.rows += 1;
    facts.max_offset = facts.max_offset.max(u64::try_from(offset).unwrap_or(0));
}

const AGGREGATE_COLUMNS: [&str; 10] = [
    "record_key",
    "count",
    "with_duration",
    "total_duration_ms",
    "max_duration_ms",
    "implausible",
    "total_plausible_ms",
    "max_plausible_ms",
    "first_occurred_at",
    "last_occurred_at",
];

fn aggregate(batch: &RecordBatch, row: usize) -> (Vec<u8>, Aggregate) {
    let column = |name: &str| batch.column_by_name(name);
    let long = |name: &str| {
        let values = column(name)?.as_primitive::<Int64Type>();
        if values.is_null(row) { None } else { u64::try_from(values.value(row)).ok() }
    };
    let time = |name: &str| {
        let values = column(name)?.as_primitive::<TimestampMicrosecondType>();
        if values.is_null(row) { None } else { CivilTime::from_seconds(values.value(row) / 1_000_000) }
    };
    let key = column("record_key").map(|keys| keys.as_string::<i32>().value(row).as_bytes().to_vec());
    let aggregate = Aggregate {
        count: long("count").unwrap_or(0),
        with_duration: long("with_duration").unwrap_or(0),
        total_duration_ms: long("total_duration_ms").unwrap_or(0).into(),
        max_duration_ms: long("max_duration_ms"),
        implausible: long("implausible").unwrap_or(0),
        total_plausible_ms: long("total_plausible_ms").unwrap_or(0).into(),
        max_plausible_ms: long("max_plausible_ms"),
        first_occurred_at: time("first_occurred_at"),
        last_occurred_at: time("last_occurred_at"),
    };
    (key.unwrap_or_default(), aggregate)
}
