//! Requests and answers that get lost: a commit is in once or not at all, and the writer knows which or says that it
//! does not.

use std::sync::Arc;
use std::time::Duration;

use delta::{DeltaError, Lake, Outcome, Refusal, Table, Vacuum};
use object_store::path::Path;
use proptest::prelude::*;

use crate::faulty::{Fault, Faulty, On};
use crate::rows::{FAR_MS, NAME, committed, data_objects, objects, offsets, opened, step, up_to};

fn lake(store: &Arc<Faulty>) -> Lake {
    Lake { store: store.clone(), root: Path::from("lake"), url: "faulty".into() }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut table = opened(&lake).await;
    store.expect([(On::PutCommit, Fault::AnswerLost)]);
    assert_eq!(committed(&mut table, &step("raw/0", None, 5)).await, 1);
    assert!(store.is_through());
    assert_eq!(committed(&mut table, &step("raw/0", Some(5), 7)).await, 2);
    assert_eq!(offsets(&lake).await, up_to(7));
}

#[tokio::test]
async fn a_commit_that_got_lost_is_made_again() {
    for fault in [Fault::RequestLost, Fault::FalselyTaken] {
        let store = Faulty::new();
        let lake = lake(&store);
        let mut table = opened(&lake).await;
        store.expect([(On::PutCommit, fault), (On::PutCommit, fault)]);
        assert_eq!(committed(&mut table, &step("raw/0", None, 5)).await, 1);
        assert_eq!(offsets(&lake).await, up_to(5));
    }
}

#[tokio::test]
async fn a_commit_in_doubt_is_an_error_and_its_files_stay() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut table = opened(&lake).await;
    store.expect([(On::PutCommit, Fault::RequestLost); 3]);
    let error = table.commit(&step("raw/0", None, 4), 2).await.unwrap_err();
    assert!(matches!(error, DeltaError::InDoubt { version: 1, .. }), "{error}");
    assert_eq!(data_objects(&lake).await.len(), 4);

    // Answered by nobody, and the log cannot be read either; but it has landed.
    let faults =
        [(On::PutCommit, Fault::AnswerLost), (On::GetLog, Fault::None), (On::GetLog, Fault::RequestLost)];
    store.expect(faults);
    let error = table.commit(&step("raw/0", None, 4), 2).await.unwrap_err();
    assert!(matches!(error, DeltaError::InDoubt { version: 1, .. }), "{error}");
    // Who goes on finds it by its application.
    let mut table = opened(&lake).await;
    assert_eq!(table.snapshot().transaction("raw/0"), Some(4));
    committed(&mut table, &step("raw/0", Some(4), 6)).await;
    assert_eq!(offsets(&lake).await, up_to(6));
}

#[tokio::test]
async fn what_is_denied_is_an_error_at_once() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut table = opened(&lake).await;
    for on in [On::PutCommit, On::PutData] {
        store.expect([(on, Fault::Denied)]);
        let error = table.commit(&step("raw/0", None, 5), 2).await.unwrap_err();
        assert!(matches!(error, DeltaError::Store { .. }), "{error}");
        assert!(store.is_through());
    }
    committed(&mut table, &step("raw/0", None, 5)).await;
    assert_eq!(offsets(&lake).await, up_to(5));
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_found() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::FalselyTaken] {
        let store = Faulty::new();
        store.expect([(On::PutCommit, fault)]);
        let lake = lake(&store);
        assert_eq!(opened(&lake).await.snapshot().version, 0);
        assert!(store.is_through());
    }
}

#[tokio::test]
async fn a_checkpoint_that_fails_does_not_fail_the_commit() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut table = opened(&lake).await;
    table.set_checkpoint_interval(1);
    store.expect([(On::PutCheckpoint, Fault::RequestLost)]);
    assert_eq!(committed(&mut table, &step("raw/0", None, 5)).await, 1);
    assert!(!objects(&lake).await.iter().any(|name| name.contains("checkpoint")));
    assert_eq!(committed(&mut table, &step("raw/0", Some(5), 6)).await, 2);
    assert_eq!(objects(&lake).await.iter().filter(|name| name.contains("checkpoint")).count(), 2);
}

/// Others take three steps from `from` on; with `is_cleaned`, they clean up the log behind them.
async fn others_go_on(lake: Lake, from: i64, is_cleaned: bool) {
    let mut table = opened(&lake).await;
    table.set_checkpoint_interval(1);
    for at in from..from + 3 {
        committed(&mut table, &step("raw/0", Some(at), at + 1)).await;
    }
    if is_cleaned {
        let alone = Vacuum { retention: Duration::ZERO, dry_run: false, is_alone: true };
        table.vacuum(alone, FAR_MS).await.unwrap();
    }
}

#[tokio::test]
async fn frozen_between_look_and_commit_past_a_clean_up_is_in_doubt() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut frozen = opened(&lake).await;
    committed(&mut frozen, &step("raw/0", None, 5)).await;
    store.before_commit(others_go_on(lake.clone(), 5, true));
    let error = frozen.commit(&step("raw/0", Some(5), 7), 2).await.unwrap_err();
    assert!(matches!(error, DeltaError::InDoubt { version: 2, .. }), "{error}");
    // Its commit lies before the log's beginning, where nobody sees it.
    assert_eq!(offsets(&lake).await, up_to(8));
    let mut table = opened(&lake).await;
    committed(&mut table, &step("raw/0", Some(8), 9)).await;
    assert_eq!(offsets(&lake).await, up_to(9));
}

#[tokio::test]
async fn overtaken_between_look_and_commit_is_a_conflict() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut slow = opened(&lake).await;
    committed(&mut slow, &step("raw/0", None, 5)).await;
    store.before_commit(others_go_on(lake.clone(), 5, false));
    let refused = slow.commit(&step("raw/0", Some(5), 7), 2).await.unwrap();
    let conflict = Refusal::Conflict { app_id: "raw/0".into(), expected: Some(5), found: Some(8) };
    assert_eq!(refused, Outcome::Refused(conflict));
    assert_eq!(offsets(&lake).await, up_to(8));
}

#[tokio::test]
async fn a_checkpoint_of_others_right_after_a_commit_is_no_reason_for_doubt() {
    let store = Faulty::new();
    let lake = lake(&store);
    let mut table = opened(&lake).await;
    committed(&mut table, &step("raw/0", None, 5)).await;
    store.after_commit(others_go_on(lake.clone(), 7, false));
    assert_eq!(committed(&mut table, &step("raw/0", Some(5), 7)).await, 2);
    assert_eq!(offsets(&lake).await, up_to(10));
}

#[tokio::test]
async fn a_store_that_overwrites_is_found_out() {
    let store = Faulty::new();
    let lake = lake(&store);
    lake.check_writable().await.unwrap();
    store.expect([(On::PutData, Fault::Unconditional); 2]);
    let error = lake.check_writable().await.unwrap_err().to_string();
    assert!(error.contains("If-None-Match"), "{error}");
    store.expect([(On::PutData, Fault::Denied)]);
    let error = lake.check_writable().await.unwrap_err().to_string();
    assert!(error.contains("cannot be written to"), "{error}");
}

#[tokio::test]
async fn a_zombie_uploads_nothing() {
    let store = Faulty::new();
    let lake = lake(&store);
    let (mut zombie, mut table) = (opened(&lake).await, opened(&lake).await);
    committed(&mut table, &step("raw/0", None, 5)).await;
    zombie.refresh().await.unwrap();
    let before = objects(&lake).await;
    let refused = zombie.commit(&step("raw/0", None, 5), 2).await.unwrap();
    assert!(matches!(refused, Outcome::Refused(Refusal::Conflict { .. })));
    assert_eq!(objects(&lake).await, before);
}

fn fault() -> impl Strategy<Value = (On, Fault)> {
    let on = prop_oneof![
        4 => Just(On::PutCommit),
        1 => Just(On::PutData),
        1 => Just(On::PutCheckpoint),
        1 => Just(On::GetLog),
    ];
    let fault = prop_oneof![
        3 => Just(Fault::None),
        2 => Just(Fault::RequestLost),
        2 => Just(Fault::AnswerLost),
        1 => Just(Fault::FalselyTaken),
        1 => Just(Fault::Denied),
    ];
    (on, fault)
}

/// One step of one of the writers; after an error it opens the table again, as a process that was started anew.
async fn try_step(writer: &mut Option<Table>, lake: &Lake, offsets: i64) -> Result<(), DeltaError> {
    if writer.is_none() {
        *writer = Table::open(lake.store.clone(), lake.table(NAME)).await?;
    }
    let Some(table) = writer else { return Ok(()) };
    table.set_checkpoint_interval(2);
    let from = table.snapshot().transaction("raw/0");
    let commit = step("raw/0", from, from.unwrap_or(0) + offsets);
    match table.commit(&commit, 2).await? {
        Outcome::Committed { .. } | Outcome::Refused(Refusal::Conflict { .. }) => Ok(()),
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Writers of the same application on a store that loses requests and answers: every offset is there once.
    #[test]
    fn every_row_is_there_once_whatever_gets_lost(
        steps in proptest::collection::vec((0..3_usize, 1..4_i64), 1..25),
        faults in proptest::collection::vec(fault(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Faulty::new();
            let lake = lake(&store);
            opened(&lake).await;
            store.expect(faults);
            let mut writers = [None, None, None];
            for (writer, offsets) in steps {
                if try_step(&mut writers[writer], &lake, offsets).await.is_err() {
                    writers[writer] = None;
                }
            }
            store.forget_faults();
            let table = opened(&lake).await;
            let end = table.snapshot().transaction("raw/0").unwrap_or(0);
            assert_eq!(offsets(&lake).await, up_to(end));
        });
    }
}
