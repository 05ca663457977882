//! A table on a real folder: what is committed is there once, whoever writes.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use delta::encode::encode;
use delta::{Commit, DeltaError, Encoding, Lake, Outcome, Table, Transaction};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("offset", DataType::Int64, false)]))
}

fn commit(from: Option<i64>, to: i64) -> Commit {
    let offsets: ArrayRef = Arc::new(Int64Array::from_iter_values(from.unwrap_or(0)..to));
    let batch = RecordBatch::try_new(schema(), vec![offsets]).expect("a batch");
    let file = encode(&schema(), &[batch], &Encoding::new(&["offset"]), &[]).expect("encodes");
    let step = Transaction { app_id: "raw/0".into(), from, to };
    Commit { adds: vec![file], removes: vec![], transactions: vec![step] }
}

async fn opened(lake: &Lake) -> Table {
    Table::open_or_create(lake.store.clone(), lake.table("bronze/raw"), &schema(), &[], 0)
        .await
        .expect("opens")
}

async fn offsets(lake: &Lake) -> Vec<i64> {
    let table =
        Table::open(lake.store.clone(), lake.table("bronze/raw")).await.expect("opens").expect("is there");
    let mut offsets = Vec::new();
    table
        .each_batch::<DeltaError>(&["offset"], |batch, _| {
            let column = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("long");
            offsets.extend(column.values().iter().copied());
            Ok(())
        })
        .await
        .expect("reads");
    offsets.sort_unstable();
    offsets
}

#[tokio::test]
async fn two_writers_of_the_same_rows_leave_them_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open(folder.path().to_str().expect("a name")).expect("opens");
    let (mut one, mut two) = (opened(&lake).await, opened(&lake).await);
    assert!(matches!(one.commit(&commit(None, 5), 1).await, Ok(Outcome::Committed { .. })));
    assert!(matches!(two.commit(&commit(None, 4), 2).await, Ok(Outcome::Refused(_))));
    assert_eq!(two.snapshot().transaction("raw/0"), Some(5));
    assert!(matches!(two.commit(&commit(Some(5), 9), 3).await, Ok(Outcome::Committed { .. })));
    assert_eq!(offsets(&lake).await, (0..9).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_writers_of_different_rows_all_get_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open(folder.path().to_str().expect("a name")).expect("opens");
    let writers = (0..4_i64).map(|writer| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let mut table = opened(&lake).await;
            for round in 0..10_i64 {
                let mut commit = commit(Some(writer * 1_000 + round), writer * 1_000 + round + 1);
                commit.transactions[0] = Transaction {
                    app_id: format!("raw/{writer}"),
                    from: (round > 0).then_some(round),
                    to: round + 1,
                };
                assert!(matches!(table.commit(&commit, 0).await, Ok(Outcome::Committed { .. })));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    assert_eq!(offsets(&lake).await.len(), 40);
}
