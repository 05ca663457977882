//! Reads the lake back, for the ledger.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use delta::{Lake, Table};
use domain::{Aggregate, CivilTime, SightingId, View};

use super::{LakeError, runtime, schema};

/// What the lake holds.
#[derive(Clone, Debug, Default)]
pub struct LakeFacts {
    /// Rows of bronze.
    pub raw: u64,
    /// Ids as often as they are there.
    pub sightings: Vec<SightingId>,
    pub rejects: Vec<SightingId>,
    /// By record key; the arrivals are left out.
    pub aggregates: Vec<(Vec<u8>, Aggregate)>,
}

/// Reads the ids and the aggregates of all tables.
pub fn lake_facts(lake: &Lake) -> Result<LakeFacts, LakeError> {
    let runtime = runtime()?;
    let mut facts = LakeFacts::default();
    let opened = |name: &str| runtime.block_on(Table::open(lake.store.clone(), lake.table(name)));
    if let Some(table) = opened(schema::BRONZE_RAW)? {
        runtime.block_on(table.each_batch::<LakeError>(&["offset"], |batch, _| {
            facts.raw += batch.num_rows() as u64;
            Ok(())
        }))?;
    }
    for (name, ids) in
        [(schema::SILVER_SIGHTINGS, &mut facts.sightings), (schema::SILVER_REJECTS, &mut facts.rejects)]
    {
        let Some(table) = opened(name)? else { continue };
        runtime.block_on(table.each_batch::<LakeError>(&["id"], |batch, _| {
            let column = batch.column(0).as_string::<i32>();
            ids.extend(column.iter().filter_map(|id| id?.parse::<SightingId>().ok()));
            Ok(())
        }))?;
    }
    for view in View::ALL.into_iter().filter(|view| *view != View::Arrivals) {
        let Some(table) = opened(&schema::gold(view))? else { continue };
        runtime.block_on(table.each_batch::<LakeError>(&AGGREGATE_COLUMNS, |batch, _| {
            facts.aggregates.extend((0..batch.num_rows()).map(|row| aggregate(batch, row)));
            Ok(())
        }))?;
    }
    Ok(facts)
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
