//! Writers beside each other.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use delta::{Commit, DeltaError, Encoder, Encoding, Lake, Outcome, Refusal, Table, Transaction};
use futures::future::join_all;
use object_store::ObjectStoreExt;

use crate::rows::{NAME, committed, data_objects, files, found, objects, offsets, opened, step, up_to};

pub(super) async fn a_place_that_can_be_written_passes_its_check(lake: &Lake) {
    // The environment has the settings of the check's own client, or none.
    if !lake.url.starts_with("s3://") {
        lake.check_writable().await.unwrap();
        assert_eq!(objects(lake).await, [""; 0]);
    }
}

pub(super) async fn a_table_is_created_once(lake: &Lake) {
    let tasks = (0..6).map(|_| {
        let lake = lake.clone();
        tokio::spawn(async move { opened(&lake).await })
    });
    let tables: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    for table in &tables {
        assert_eq!(table.snapshot().version, 0);
        assert_eq!(table.snapshot().metadata, tables[0].snapshot().metadata);
    }
    assert_eq!(objects(lake).await, ["_delta_log/00000000000000000000.json"]);
}

pub(super) async fn what_is_not_there_is_none(lake: &Lake) {
    assert!(Table::open(lake.store.clone(), lake.table(NAME)).await.unwrap().is_none());
}

pub(super) async fn two_writers_of_the_same_rows_leave_them_once(lake: &Lake) {
    let (mut one, mut two) = (opened(lake).await, opened(lake).await);
    assert_eq!(committed(&mut one, &step("raw/0", None, 5)).await, 1);
    let refused = two.commit(&step("raw/0", None, 4), 2).await.unwrap();
    let conflict = Refusal::Conflict { app_id: "raw/0".into(), expected: None, found: Some(5) };
    assert_eq!(refused, Outcome::Refused(conflict));
    assert_eq!(two.snapshot().transaction("raw/0"), Some(5));
    assert_eq!(committed(&mut two, &step("raw/0", Some(5), 9)).await, 2);
    // This handle has not seen the last step; that is no reason to refuse the next one.
    assert_eq!(committed(&mut one, &step("raw/0", Some(9), 12)).await, 3);
    assert_eq!(offsets(lake).await, up_to(12));
}

pub(super) async fn racing_writers_of_different_rows_lose_nothing(lake: &Lake) {
    const STEPS: i64 = 8;
    opened(lake).await;
    let writers = (0..4_i64).map(|writer| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let mut table = opened(&lake).await;
            table.set_checkpoint_interval(3);
            for round in 0..STEPS {
                let at = (writer * STEPS + round) * 3;
                let from = (round > 0).then_some(round);
                let transactions = vec![Transaction { app_id: format!("raw/{writer}"), from, to: round + 1 }];
                committed(&mut table, &Commit { adds: files(at..at + 3), removes: vec![], transactions })
                    .await;
            }
        })
    });
    join_all(writers).await.into_iter().for_each(|joined| joined.unwrap());
    assert_eq!(offsets(lake).await, up_to(4 * STEPS * 3));
    let table = opened(lake).await;
    assert_eq!(table.snapshot().version, 32);
    assert_eq!(table.snapshot().transactions().filter(|(_, version)| *version == STEPS).count(), 4);
}

/// Every writer believes that the partition is its own, as after a rebalance that one of them slept through.
pub(super) async fn racing_writers_of_the_same_rows_double_nothing(lake: &Lake) {
    const END: i64 = 60;
    opened(lake).await;
    let writers = (0..3_i64).map(|writer| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let mut table = opened(&lake).await;
            loop {
                let from = table.snapshot().transaction("raw/0");
                if from == Some(END) {
                    return;
                }
                let to = (from.unwrap_or(0) + 1 + writer).min(END);
                match table.commit(&step("raw/0", from, to), 2).await.unwrap() {
                    Outcome::Committed { .. } | Outcome::Refused(Refusal::Conflict { .. }) => {}
                    Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
                }
            }
        })
    });
    join_all(writers).await.into_iter().for_each(|joined| joined.unwrap());
    assert_eq!(offsets(lake).await, up_to(END));
}

pub(super) async fn a_reader_sees_whole_commits(lake: &Lake) {
    let mut writer = opened(lake).await;
    committed(&mut writer, &step("raw/0", None, 10)).await;
    let mut table = found(lake).await;
    let mut before = table.read(&["offset"]).unwrap();
    committed(&mut writer, &step("raw/0", Some(10), 20)).await;
    let mut seen = Vec::new();
    while let Some(batch) = before.next().await.unwrap() {
        seen.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
    }
    seen.sort_unstable();
    assert_eq!(seen, up_to(10));
    assert_eq!(table.snapshot().transaction("raw/0"), Some(10));
    table.refresh().await.unwrap();
    assert_eq!((table.snapshot().version, table.snapshot().transaction("raw/0")), (2, Some(20)));
    assert_eq!(table.snapshot().rows(), Some(20));
}

pub(super) async fn a_checkpoint_stands_for_the_log_before_it(lake: &Lake) {
    let mut table = opened(lake).await;
    table.set_checkpoint_interval(5);
    for at in 0..12 {
        committed(&mut table, &step("raw/0", (at > 0).then_some(at), at + 1)).await;
    }
    let log = lake.table(NAME).join("_delta_log");
    for version in 0..10 {
        lake.store.delete(&log.clone().join(format!("{version:020}.json"))).await.unwrap();
    }
    assert_eq!(offsets(lake).await, up_to(12));
    let mut again = opened(lake).await;
    assert_eq!(again.snapshot().version, 12);
    assert_eq!(again.snapshot().files, table.snapshot().files);
    assert_eq!(again.snapshot().metadata, table.snapshot().metadata);
    committed(&mut again, &step("raw/0", Some(12), 14)).await;
    assert_eq!(offsets(lake).await, up_to(14));
}

const BATCHES: i64 = 20;
const BATCH_ROWS: i64 = 128 * 1024;

/// Rows that do not compress.
fn numbers(seed: i64) -> RecordBatch {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let scramble = |n: i64| (seed * BATCH_ROWS + n).wrapping_mul(-0x61C8_8646_80B5_83EB);
    let numbers = Int64Array::from_iter_values((0..BATCH_ROWS).map(scramble));
    RecordBatch::try_new(schema, vec![Arc::new(numbers)]).unwrap()
}

pub(super) async fn a_large_file_goes_up_in_parts(lake: &Lake) {
    let schema = numbers(0).schema();
    let root = lake.table(NAME);
    let mut table = Table::open_or_create(lake.store.clone(), root, &schema, &[], 1).await.unwrap();
    let encoding = Encoding::new(&["n"]);
    let encoded = |seeds: std::ops::Range<i64>| {
        let mut encoder = Encoder::new(&schema, &encoding, &[]).unwrap();
        seeds.for_each(|seed| encoder.push(&numbers(seed)).unwrap());
        encoder.finish().unwrap()
    };
    // Streamed, uploaded ahead, or by the commit: it comes to the same.
    let mut writer = table.writer(&encoding, &[]).unwrap();
    for seed in 0..BATCHES {
        writer.push(&numbers(seed)).await.unwrap();
        assert!(writer.memory_bytes() < 64 * 1024 * 1024);
    }
    let streamed = writer.finish().await.unwrap();
    let mut ahead = encoded(BATCHES..2 * BATCHES);
    assert!(streamed.size > 2 * 8 * 1024 * 1024 && ahead.size > 2 * 8 * 1024 * 1024);
    table.upload(&mut ahead).await.unwrap();
    let adds = vec![streamed, ahead, encoded(2 * BATCHES..3 * BATCHES)];
    committed(&mut table, &Commit { adds, ..Commit::default() }).await;

    let rows = (3 * BATCHES * BATCH_ROWS) as u64;
    assert_eq!(table.snapshot().rows(), Some(rows));
    let sum = |sum: i64, batch: &RecordBatch| {
        let values = batch.column(0).as_primitive::<Int64Type>().values();
        values.iter().fold(sum, |sum, value| sum.wrapping_add(*value))
    };
    let (mut rows_read, mut sum_read) = (0, 0);
    let mut reader = table.read(&["n"]).unwrap();
    while let Some(batch) = reader.next().await.unwrap() {
        rows_read += batch.num_rows() as u64;
        sum_read = sum(sum_read, &batch);
    }
    assert_eq!(
        (rows_read, sum_read),
        (rows, (0..3 * BATCHES).fold(0, |so_far, seed| sum(so_far, &numbers(seed))))
    );

    // Given up: nothing of it is left.
    let mut writer = table.writer(&encoding, &[]).unwrap();
    for seed in 0..12 {
        writer.push(&numbers(seed)).await.unwrap();
    }
    writer.abort().await.unwrap();
    assert_eq!(data_objects(lake).await.len(), 3);
}

pub(super) async fn a_crash_between_upload_and_commit_leaves_no_row(lake: &Lake) {
    let mut table = opened(lake).await;
    committed(&mut table, &step("raw/0", None, 4)).await;
    let mut lost = step("raw/0", Some(4), 8);
    for file in &mut lost.adds {
        table.upload(file).await.unwrap();
    }
    drop(table);
    assert_eq!(offsets(lake).await, up_to(4));
    let mut table = opened(lake).await;
    assert_eq!(table.snapshot().transaction("raw/0"), Some(4));
    committed(&mut table, &step("raw/0", Some(4), 9)).await;
    assert_eq!(offsets(lake).await, up_to(9));
    // The first one wakes up again.
    assert!(matches!(table.commit(&lost, 3).await, Ok(Outcome::Refused(Refusal::Conflict { .. }))));
    assert_eq!(offsets(lake).await, up_to(9));
}

pub(super) async fn what_is_damaged_is_named(lake: &Lake) {
    let mut table = opened(lake).await;
    committed(&mut table, &step("raw/0", None, 1)).await;
    let name = data_objects(lake).await.remove(0);
    let object =
        lake.table(NAME).parts().chain(object_store::path::Path::from(name.as_str()).parts()).collect();
    let whole = lake.store.get(&object).await.unwrap().bytes().await.unwrap();
    // Cut short, empty, other bytes, gone.
    for bytes in [whole.slice(..whole.len() / 2), whole.slice(..0), vec![7; whole.len()].into()] {
        lake.store.put(&object, bytes.into()).await.unwrap();
        let error = table.read_all().unwrap().next().await.unwrap_err().to_string();
        assert!(error.contains(&name), "{error}");
    }
    lake.store.delete(&object).await.unwrap();
    let error = table.read_all().unwrap().next().await.unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains(&name), "{error}");

    let commit = lake.table(NAME).join("_delta_log").join(format!("{:020}.json", 1));
    for damage in ["", "{\"add\":{\"path\":"] {
        lake.store.put(&commit, damage.as_bytes().to_vec().into()).await.unwrap();
        let error = Table::open(lake.store.clone(), lake.table(NAME)).await.unwrap_err();
        assert!(matches!(&error, DeltaError::Damaged { object, .. } if object == commit.as_ref()), "{error}");
    }
}
