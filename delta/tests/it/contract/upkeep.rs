//! Compaction, vacuum and the log's end, beside running writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use delta::{Commit, Compacted, DeltaError, Encoding, Lake, Outcome, Refusal, Table, Vacuum, Vacuumed};
use object_store::ObjectStoreExt;

use crate::rows::{
    FAR_MS, NAME, committed, data_objects, files, found, objects, offsets, opened, step, up_to,
};

const ALONE: Vacuum = Vacuum { retention: Duration::ZERO, dry_run: false, is_alone: true };

/// A table of so many steps of four rows in four files.
async fn filled(lake: &Lake, steps: i64) -> Table {
    let mut table = opened(lake).await;
    for at in 0..steps {
        committed(&mut table, &step("raw/0", (at > 0).then_some(at * 4), (at + 1) * 4)).await;
    }
    table
}

async fn compacted(table: &mut Table) -> Compacted {
    table.compact(1 << 20, &Encoding::new(&["offset"]), 5).await.unwrap()
}

pub(super) async fn compaction_keeps_every_row(lake: &Lake) {
    let mut table = filled(lake, 10).await;
    let done = compacted(&mut table).await;
    assert_eq!((done.files_before, done.files_after, done.groups_lost), (40, 4, 0));
    assert!(done.bytes_after < done.bytes_before);
    assert_eq!((table.snapshot().files.len(), table.snapshot().transaction("raw/0")), (4, Some(40)));
    assert_eq!(offsets(lake).await, up_to(40));
    // Nothing left to do.
    assert_eq!((compacted(&mut table).await, table.snapshot().version), (Compacted::default(), 14));
    // The writer's place is untouched.
    committed(&mut table, &step("raw/0", Some(40), 44)).await;
    assert_eq!(offsets(lake).await, up_to(44));
}

pub(super) async fn compaction_beside_writers_loses_nothing(lake: &Lake) {
    opened(lake).await;
    let is_done = Arc::new(AtomicBool::new(false));
    let compactors = [0, 1].map(|_| {
        let (lake, is_done) = (lake.clone(), is_done.clone());
        tokio::spawn(async move {
            let mut table = opened(&lake).await;
            while !is_done.load(Ordering::Acquire) {
                compacted(&mut table).await;
                tokio::task::yield_now().await;
            }
        })
    });
    let writer = {
        let lake = lake.clone();
        tokio::spawn(async move { filled(&lake, 25).await })
    };
    let written = writer.await;
    is_done.store(true, Ordering::Release);
    for compactor in compactors {
        compactor.await.unwrap();
    }
    assert_eq!(written.unwrap().snapshot().transaction("raw/0"), Some(100));
    assert_eq!(offsets(lake).await, up_to(100));
    let mut table = opened(lake).await;
    compacted(&mut table).await;
    assert_eq!(table.snapshot().files.len(), 4);
    assert_eq!(offsets(lake).await, up_to(100));
}

pub(super) async fn who_replaces_a_file_first_wins(lake: &Lake) {
    let mut one = filled(lake, 1).await;
    let mut two = opened(lake).await;
    let removes: Vec<_> = one.snapshot().files.keys().cloned().collect();
    let replace = |offsets: std::ops::Range<i64>| Commit {
        adds: files(offsets),
        removes: removes.clone(),
        transactions: vec![],
    };
    committed(&mut one, &replace(0..8)).await;
    let refused = two.commit(&replace(0..9), 3).await.unwrap();
    assert!(matches!(refused, Outcome::Refused(Refusal::Replaced { .. })), "{refused:?}");
    assert_eq!(offsets(lake).await, up_to(8));
}

pub(super) async fn vacuum_removes_only_what_nobody_needs(lake: &Lake) {
    let mut table = filled(lake, 6).await;
    compacted(&mut table).await;
    let mut orphans = files(1_000..1_004);
    for orphan in &mut orphans {
        table.upload(orphan).await.unwrap();
    }
    table.set_checkpoint_interval(1);
    committed(&mut table, &step("raw/0", Some(24), 28)).await;
    let before = objects(lake).await;

    // All objects are minutes old at most.
    let patient = Vacuum { retention: Duration::from_secs(86_400), ..Vacuum::default() };
    assert_eq!(table.vacuum(patient, now_ms()).await.unwrap(), Vacuumed::default());
    let told = table.vacuum(Vacuum { dry_run: true, ..ALONE }, FAR_MS).await.unwrap();
    assert_eq!(objects(lake).await, before);
    let done = table.vacuum(ALONE, FAR_MS).await.unwrap();
    assert_eq!(done, told);
    assert_eq!((done.data_files.len(), done.log_files.len()), (24 + 4, 11));

    assert!(data_objects(lake).await.iter().eq(table.snapshot().files.keys()));
    assert_eq!(offsets(lake).await, up_to(28));
    let mut table = opened(lake).await;
    committed(&mut table, &step("raw/0", Some(28), 30)).await;
    assert_eq!(offsets(lake).await, up_to(30));
    assert_eq!(table.vacuum(ALONE, FAR_MS).await.unwrap().data_files, []);
}

/// A writer sleeps while others commit and the log behind it is cleaned up: the next version that it knows of is free
/// again.
pub(super) async fn a_late_writer_finds_a_cleaned_log(lake: &Lake) {
    let mut late = filled(lake, 2).await;
    let mut asleep = found(lake).await;
    let mut table = opened(lake).await;
    table.set_checkpoint_interval(3);
    for at in 2..9 {
        committed(&mut table, &step("raw/0", Some(at * 4), (at + 1) * 4)).await;
    }
    table.vacuum(ALONE, FAR_MS).await.unwrap();
    let next_of_late = format!("_delta_log/{:020}.json", 3);
    assert!(!objects(lake).await.contains(&next_of_late));

    let refused = late.commit(&step("raw/0", Some(8), 11), 3).await.unwrap();
    let conflict = Refusal::Conflict { app_id: "raw/0".into(), expected: Some(8), found: Some(36) };
    assert_eq!(refused, Outcome::Refused(conflict));
    assert!(!objects(lake).await.contains(&next_of_late));
    committed(&mut late, &step("raw/0", Some(36), 38)).await;
    asleep.refresh().await.unwrap();
    assert_eq!((asleep.snapshot().version, asleep.snapshot().rows()), (10, Some(38)));
    assert_eq!(offsets(lake).await, up_to(38));
}

pub(super) async fn a_log_without_its_pointer_is_read(lake: &Lake) {
    let mut table = filled(lake, 3).await;
    table.set_checkpoint_interval(2);
    committed(&mut table, &step("raw/0", Some(12), 16)).await;
    let log = lake.table(NAME).join("_delta_log");
    // Damaged, then gone, then with the log's beginning gone too.
    lake.store.put(&log.clone().join("_last_checkpoint"), "{".into()).await.unwrap();
    assert_eq!(offsets(lake).await, up_to(16));
    lake.store.delete(&log.clone().join("_last_checkpoint")).await.unwrap();
    assert_eq!(offsets(lake).await, up_to(16));
    for version in 0..3 {
        lake.store.delete(&log.clone().join(format!("{version:020}.json"))).await.unwrap();
    }
    assert_eq!(offsets(lake).await, up_to(16));
    lake.store.delete(&log.clone().join(format!("{:020}.checkpoint.parquet", 4))).await.unwrap();
    let error = Table::open(lake.store.clone(), lake.table(NAME)).await.unwrap_err();
    assert!(matches!(error, DeltaError::Unsupported { .. }), "{error:?}");
}

pub(super) async fn a_short_retention_asks_for_a_word(lake: &Lake) {
    let mut table = filled(lake, 1).await;
    let hasty = Vacuum { retention: Duration::from_secs(60), ..Vacuum::default() };
    assert!(matches!(table.vacuum(hasty, FAR_MS).await, Err(DeltaError::Retention { .. })));
    assert!(table.vacuum(Vacuum::default(), FAR_MS).await.is_ok());
}

#[expect(clippy::disallowed_methods, reason = "the objects' times are the store's")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
