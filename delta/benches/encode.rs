//! What encoding costs beside a bare `ArrowWriter` with the same settings, and reading. Rows like those of a table of
//! sightings: ids, times, few codes, some numbers, a paragraph of text.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::SchemaRef;
use delta::encode::encode;
use delta::{Commit, Encoder, Encoding, Table};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use object_store::memory::InMemory;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

const ROWS: i64 = 64 * 1024;
const BATCH_ROWS: i64 = 8 * 1024;

fn main() {
    divan::main();
}

/// Repeatable noise.
fn noise(n: i64) -> u64 {
    let mixed = n.cast_unsigned().wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn text(n: i64) -> String {
    const WORDS: [&str; 16] = [
        "light",
        "in the sky",
        "moving",
        "fast",
        "bright",
        "orange",
        "over the trees",
        "no sound",
        "we saw",
        "three",
        "hovering",
        "then gone",
        "my wife",
        "and I",
        "for a minute",
        "north",
    ];
    let words = 8 + noise(n) % 24;
    let word = |at: u64| WORDS[usize::try_from(noise(n ^ (at << 32).cast_signed()) % 16).unwrap()];
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

fn batch(from: i64) -> RecordBatch {
    const SHAPES: [&str; 6] = ["light", "circle", "triangle", "disk", "fireball", "unknown"];
    let ns = || from..from + BATCH_ROWS;
    let texts =
        |of: &dyn Fn(i64) -> String| Arc::new(ns().map(|n| Some(of(n))).collect::<StringArray>()) as ArrayRef;
    let shape = |n: i64| SHAPES[usize::try_from(noise(n) % 6).unwrap()].to_owned();
    let at = ns().map(|n| n * 60_000_000 + (noise(n) % 60).cast_signed() * 1_000_000);
    let duration = ns().map(|n| (!noise(n).is_multiple_of(7)).then_some((noise(n) % 600_000).cast_signed()));
    let degrees = |n: i64| (noise(n) % 180_000) as f64 / 1_000.0 - 90.0;
    RecordBatch::try_from_iter([
        ("id", texts(&|n| format!("{:016x}{:016x}", noise(n), noise(!n)))),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC"))),
        ("city", texts(&|n| format!("city {}", noise(n) % 5_000))),
        ("shape", texts(&shape)),
        ("duration_ms", Arc::new(duration.collect::<Int64Array>())),
        ("latitude", Arc::new(Float64Array::from_iter_values(ns().map(degrees)))),
        ("longitude", Arc::new(Float64Array::from_iter_values(ns().map(|n| 2.0 * degrees(!n))))),
        ("comments", texts(&text)),
    ])
    .unwrap()
}

fn batches() -> Vec<RecordBatch> {
    (0..ROWS / BATCH_ROWS).map(|number| batch(number * BATCH_ROWS)).collect()
}

const DISTINCT: [&str; 2] = ["id", "comments"];

fn items() -> ItemsCount {
    ItemsCount::new(usize::try_from(ROWS).unwrap())
}

#[divan::bench(args = [1, 3])]
fn bare_arrow_writer(bencher: Bencher<'_, '_>, level: i32) {
    let batches = batches();
    let schema = batches[0].schema();
    let mut properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(level).unwrap()));
    for column in DISTINCT {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    let properties = properties.build();
    bencher.counter(items()).bench(|| {
        let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties.clone())).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        black_box(writer.into_inner().unwrap().len())
    });
}

#[divan::bench(args = [1, 3])]
fn encoder(bencher: Bencher<'_, '_>, level: i32) {
    let batches = batches();
    let schema = batches[0].schema();
    let encoding = Encoding::new(&DISTINCT).with_zstd_level(level);
    bencher.counter(items()).bench(|| {
        let mut encoder = Encoder::new(&schema, &encoding, &[("year", Some("2014".into()))]).unwrap();
        batches.iter().for_each(|batch| encoder.push(batch).unwrap());
        black_box(encoder.finish().unwrap().size)
    });
}

fn filled(runtime: &tokio::runtime::Runtime, schema: &SchemaRef, batches: &[RecordBatch]) -> Table {
    runtime.block_on(async {
        let store = Arc::new(InMemory::new());
        let mut table = Table::open_or_create(store, Path::from("t"), schema, &[], 1).await.unwrap();
        let file = encode(schema, batches, &Encoding::new(&DISTINCT), &[]).unwrap();
        table.commit(&Commit { adds: vec![file], ..Commit::default() }, 2).await.unwrap();
        table
    })
}

#[divan::bench]
fn reader(bencher: Bencher<'_, '_>) {
    let batches = batches();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let table = filled(&runtime, &batches[0].schema(), &batches);
    bencher.counter(items()).bench(|| {
        runtime.block_on(async {
            let mut reader = table.read_all().unwrap();
            let mut rows = 0;
            while let Some(batch) = reader.next().await.unwrap() {
                rows += batch.num_rows();
            }
            black_box(rows)
        })
    });
}
