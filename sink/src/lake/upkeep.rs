//! Keeping the tables in shape, beside running sinks: small files become large ones, old ones go.

use arrow_schema::Schema;
use delta::{Compacted, Encoding, Lake, Table, Vacuum, Vacuumed};
use domain::{Topics, View};
use service::clock;
use tokio::runtime::Runtime;

use super::path::{PARTITION, Tables, YEAR};
use super::{LakeError, runtime, schema};

/// Compaction is done once for many reads: it may cost more than the first writing.
const ZSTD_LEVEL: i32 = 3;

/// Puts small files together into files of about `target_bytes`, in all tables of the topics' generation. What was done,
/// by table.
pub fn compact(
    lake: &Lake,
    topics: &Topics,
    target_bytes: u64,
) -> Result<Vec<(String, Compacted)>, LakeError> {
    let runtime = runtime()?;
    let tables = Tables::new(topics);
    let append_only = [
        (tables.raw(), schema::raw(), vec![], schema::RAW_DISTINCT),
        (tables.sightings(), schema::sightings(), vec![YEAR], schema::SIGHTINGS_DISTINCT),
        (tables.rejects(), schema::rejects(), vec![], schema::REJECTS_DISTINCT),
    ];
    let gold = View::ALL.map(|view| {
        (tables.gold(view), schema::aggregates(view), vec![PARTITION], schema::AGGREGATES_DISTINCT)
    });
    let mut done = Vec::new();
    for (name, schema, partition_columns, distinct) in append_only.into_iter().chain(gold) {
        let Some(mut table) = open(&runtime, lake, &name, &schema, &partition_columns)? else { continue };
        let encoding = Encoding::new(distinct).with_zstd_level(ZSTD_LEVEL);
        let compacted = runtime.block_on(table.compact(target_bytes, &encoding, clock::unix_ms()))?;
        done.push((name, compacted));
    }
    Ok(done)
}

/// A table that is there, with our columns: one that another generation of this program left without some of them
/// gets them first.
fn open(
    runtime: &Runtime,
    lake: &Lake,
    name: &str,
    schema: &Schema,
    partition_columns: &[&str],
) -> Result<Option<Table>, LakeError> {
    let (store, root) = (lake.store.clone(), lake.table(name));
    if runtime.block_on(Table::open(store.clone(), root.clone()))?.is_none() {
        return Ok(None);
    }
    let opening = Table::open_or_create(store, root, schema, partition_columns, clock::unix_ms());
    Ok(Some(runtime.block_on(opening)?))
}

/// Removes the files that no table names any more, or never named, in all tables of the topics' generation. What was
/// removed, by table.
pub fn vacuum(lake: &Lake, topics: &Topics, options: Vacuum) -> Result<Vec<(String, Vacuumed)>, LakeError> {
    let runtime = runtime()?;
    let mut done = Vec::new();
    for name in Tables::new(topics).all() {
        let opened = runtime.block_on(Table::open(lake.store.clone(), lake.table(&name)))?;
        let Some(mut table) = opened else { continue };
        let vacuumed = runtime.block_on(table.vacuum(options, clock::unix_ms()))?;
        if !options.dry_run {
            lake.remove_leftovers(&name, options.retention, clock::unix_ms())?;
        }
        done.push((name, vacuumed));
    }
    Ok(done)
}
