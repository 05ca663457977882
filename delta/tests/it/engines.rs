//! Other engines open our tables, and we theirs: `tests/engines.py` reads with deltalake and pyarrow, asks DuckDB, and
//! appends. Python is `UFO_PYTHON` (`python3`); without it or its packages the test says so in one line.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use delta::encode::encode;
use delta::{Commit, Encoding, Lake, Table, Transaction, Vacuum, file_schema};
use serde_json::{Value, json};

use crate::contract::all_types;
use crate::place::{self, Place};
use crate::rows::{FAR_MS, committed};

const NAME: &str = "silver/sightings";
const YEAR: &str = "year";
const COMMITS: i64 = 12;
const ROWS: i64 = 100;

fn schema(has_mood: bool) -> SchemaRef {
    let mut fields = vec![
        Field::new("n", DataType::Int64, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("place", DataType::Utf8, true),
        Field::new(YEAR, DataType::Int32, true),
    ];
    if has_mood {
        fields.push(Field::new("mood", DataType::Utf8, true));
    }
    Arc::new(Schema::new(fields))
}

/// Row `n` happened `n` hours and 1 µs after 1947 began; each seventh has no time, and each fifth no place.
fn rows(from: i64, has_mood: bool) -> RecordBatch {
    const YEAR_1947_US: i64 = -725_846_400_000_000;
    let ns = from..from + ROWS;
    let at = ns.clone().map(|n| (n % 7 != 0).then_some(YEAR_1947_US + n * 3_600_000_000 + 1));
    let place = ns
        .clone()
        .map(|n| (n % 5 != 0).then(|| format!("a place with a rather long name, number {}", n % 30)));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ns.clone())),
        Arc::new(at.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(place.collect::<StringArray>()),
    ];
    if has_mood {
        columns.push(Arc::new(ns.map(|n| (n % 2 == 0).then_some("calm")).collect::<StringArray>()));
    }
    RecordBatch::try_new(file_schema(&schema(has_mood), &[YEAR]), columns).unwrap()
}

/// Twelve commits in three partitions, with checkpoints in between; from the seventh on there is one more column.
async fn filled(lake: &Lake) -> Table {
    let mut table = None;
    for number in 0..COMMITS {
        let has_mood = number >= COMMITS / 2;
        let (root, schema) = (lake.table(NAME), schema(has_mood));
        let mut opened =
            Table::open_or_create(lake.store.clone(), root, &schema, &[YEAR], number).await.unwrap();
        opened.set_checkpoint_interval(3);
        let batch = rows(number * ROWS, has_mood);
        let year = (number % 3 != 0).then(|| (1947 + number % 3).to_string());
        let file = encode(&batch.schema(), &[batch], &Encoding::new(&["n"]), &[(YEAR, year)]).unwrap();
        let from = (number > 0).then_some(number * ROWS);
        let transactions = vec![Transaction { app_id: "raw/0".into(), from, to: (number + 1) * ROWS }];
        committed(&mut opened, &Commit { adds: vec![file], removes: vec![], transactions }).await;
        table = Some(opened);
    }
    table.unwrap()
}

async fn with_all_types(lake: &Lake) {
    let batch = all_types();
    let (root, schema) = (lake.table("types"), batch.schema());
    let mut table = Table::open_or_create(lake.store.clone(), root, &schema, &[], 1).await.unwrap();
    let file = encode(&schema, &[batch], &Encoding::new(&[]), &[]).unwrap();
    committed(&mut table, &Commit { adds: vec![file], ..Commit::default() }).await;
}

async fn with_strange_places(lake: &Lake) {
    let schema =
        Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("place", DataType::Utf8, true)]);
    let root = lake.table("places");
    let mut table = Table::open_or_create(lake.store.clone(), root, &schema, &["place"], 1).await.unwrap();
    let files_schema = file_schema(&schema, &["place"]);
    let mut commit = Commit::default();
    for (n, place) in (0_i64..).zip(["St. Louis/é 100%", "a=b", "日本"]) {
        let batch =
            RecordBatch::try_new(files_schema.clone(), vec![Arc::new(Int64Array::from(vec![n]))]).unwrap();
        let partition = [("place", Some(place.to_owned()))];
        commit.adds.push(encode(&files_schema, &[batch], &Encoding::new(&[]), &partition).unwrap());
    }
    committed(&mut table, &commit).await;
}

/// What the script tells; `None` where it was not run.
fn ask(url: &str, expected: &Value) -> Option<String> {
    let python = std::env::var("UFO_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines.py");
    let output = match Command::new(&python).args([script, url, &expected.to_string()]).output() {
        Ok(output) => output,
        Err(error) => {
            place::tell(&format!("SKIPPED with other engines: {python}: {error}"));
            return None;
        }
    };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    if told.starts_with("SKIPPED") {
        place::tell(told.trim());
        return None;
    }
    Some(told)
}

fn expected(table: &Table, is_appending: bool) -> Value {
    json!({
        "version": table.snapshot().version,
        "files": table.snapshot().files.len(),
        "rows": COMMITS * ROWS,
        "transactions": { "raw/0": COMMITS * ROWS },
        "append": is_appending,
    })
}

async fn other_engines_read_and_append(place: &Place) {
    let lake = &place.lake;
    with_all_types(lake).await;
    with_strange_places(lake).await;
    let mut table = filled(lake).await;
    if ask(&lake.url, &expected(&table, false)).is_none() {
        return;
    }
    // The same rows after upkeep, and with nothing but a checkpoint to begin from.
    table.compact(1 << 20, &Encoding::new(&["n"]), 50).await.unwrap();
    assert_eq!(table.snapshot().files.len(), 3);
    table.checkpoint(51).await.unwrap();
    let vacuum = Vacuum { retention: Duration::ZERO, dry_run: false, is_alone: true };
    let vacuumed = table.vacuum(vacuum, FAR_MS).await.unwrap();
    assert_eq!(vacuumed.data_files.len(), 12);
    assert!(vacuumed.log_files.len() > 12);
    let told = ask(&lake.url, &expected(&table, true)).unwrap_or_default();
    assert!(told.contains("appended"), "{told}");

    // It has appended three rows and written a checkpoint of its own.
    let mut later = Table::open(lake.store.clone(), lake.table(NAME)).await.unwrap().unwrap();
    table.refresh().await.unwrap();
    for table in [&table, &later] {
        assert_eq!(table.snapshot().rows(), Some(1_203));
        assert_eq!(table.snapshot().transaction("raw/0"), Some(COMMITS * ROWS));
    }
    let mut appended = Vec::new();
    let mut reader = later.read(&["n", "place"]).unwrap();
    while let Some(batch) = reader.next().await.unwrap() {
        let (ns, places) = (batch.column(0).as_primitive::<Int64Type>().values(), batch.column(1));
        let found =
            (0..batch.num_rows()).filter(|row| ns[*row] < 0).map(|row| (ns[row], places.is_null(row)));
        appended.extend(found);
    }
    appended.sort_unstable();
    assert_eq!(appended, [(-3, true), (-2, false), (-1, false)]);
    // And on we go, on top of the other's commit.
    let compacted = later.compact(1 << 20, &Encoding::new(&["n"]), 60).await.unwrap();
    assert!(compacted.groups_lost == 0 && compacted.files_before > 0, "{compacted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_engines_read_and_append_on_a_folder() {
    other_engines_read_and_append(&place::folder().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_engines_read_and_append_on_a_bucket() {
    if let Some(place) = place::bucket() {
        other_engines_read_and_append(&place).await;
    }
}
