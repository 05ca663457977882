//! Rows for tables: offsets, which each commit covers some of.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use delta::encode::encode;
use delta::{Commit, DataFile, Encoding, Lake, Outcome, Table, Transaction, file_schema};
use futures::TryStreamExt;

pub(crate) const NAME: &str = "bronze/raw";
pub(crate) const PARTITION: &str = "year";
/// Later than any object here was made.
pub(crate) const FAR_MS: i64 = 32_503_680_000_000;

/// `offset` and a text that is null now and then, by `year`.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("offset", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
        Field::new(PARTITION, DataType::Int32, true),
    ]))
}

fn year_of(offset: i64) -> Option<String> {
    (offset % 4 != 0).then(|| (2010 + offset % 4).to_string())
}

fn text_of(offset: i64) -> Option<String> {
    (offset % 3 != 0).then(|| format!("row {offset}"))
}

/// One file for each year that the offsets fall into.
pub(crate) fn files(offsets: impl Iterator<Item = i64>) -> Vec<DataFile> {
    let mut years: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for offset in offsets {
        years.entry(year_of(offset)).or_default().push(offset);
    }
    let schema = file_schema(&schema(), &[PARTITION]);
    let file = |(year, offsets): (Option<String>, Vec<i64>)| {
        let texts: ArrayRef =
            Arc::new(offsets.iter().map(|offset| text_of(*offset)).collect::<StringArray>());
        let batch =
            RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(offsets)), texts]).unwrap();
        encode(&schema, &[batch], &Encoding::new(&["offset"]), &[(PARTITION, year)]).unwrap()
    };
    years.into_iter().map(file).collect()
}

/// The application's step from `from` to `to`, with the rows in between.
pub(crate) fn step(app_id: &str, from: Option<i64>, to: i64) -> Commit {
    let transactions = vec![Transaction { app_id: app_id.into(), from, to }];
    Commit { adds: files(from.unwrap_or(0)..to), removes: vec![], transactions }
}

pub(crate) async fn opened(lake: &Lake) -> Table {
    Table::open_or_create(lake.store.clone(), lake.table(NAME), &schema(), &[PARTITION], 1).await.unwrap()
}

pub(crate) async fn found(lake: &Lake) -> Table {
    Table::open(lake.store.clone(), lake.table(NAME)).await.unwrap().unwrap()
}

pub(crate) async fn committed(table: &mut Table, commit: &Commit) -> u64 {
    match table.commit(commit, 2).await.unwrap() {
        Outcome::Committed { version } => version,
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// All offsets of the table, sorted; each row is what its offset says.
pub(crate) async fn offsets(lake: &Lake) -> Vec<i64> {
    let table = found(lake).await;
    let mut reader = table.read(&[PARTITION, "offset", "text"]).unwrap();
    let mut offsets = Vec::new();
    while let Some(batch) = reader.next().await.unwrap() {
        let years = batch.column(0).as_primitive::<Int32Type>().iter();
        let found = batch.column(1).as_primitive::<Int64Type>().values().iter();
        let texts = batch.column(2).as_string::<i32>().iter();
        for ((year, offset), text) in years.zip(found).zip(texts) {
            assert_eq!(year.map(|year| year.to_string()), year_of(*offset));
            assert_eq!(text.map(str::to_owned), text_of(*offset));
            offsets.push(*offset);
        }
    }
    assert_eq!(table.snapshot().rows(), Some(offsets.len() as u64));
    offsets.sort_unstable();
    offsets
}

pub(crate) fn up_to(end: i64) -> Vec<i64> {
    (0..end).collect()
}

/// All objects of the table, by name below its root.
pub(crate) async fn objects(lake: &Lake) -> Vec<String> {
    let root = lake.table(NAME);
    let listed: Vec<_> = lake.store.list(Some(&root)).try_collect().await.unwrap();
    let below = |location: &object_store::path::Path| location.as_ref()[root.as_ref().len() + 1..].to_owned();
    let mut names: Vec<_> = listed.iter().map(|meta| below(&meta.location)).collect();
    names.sort();
    names
}

pub(crate) async fn data_objects(lake: &Lake) -> Vec<String> {
    objects(lake).await.into_iter().filter(|name| !name.starts_with("_delta_log/")).collect()
}
