//! Rejects and edited rows on a log, with a commit that fails meanwhile.

use std::ops::ControlFlow;

use domain::wire::encode_reject;
use domain::{Atlas, Origin, Outcome, RawRecord, Reject, RejectCode, judge};
use embedded::EmbeddedLog;
use engine::log::{Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, Partition};
use producer::rejects::{self, Plan, Repairs, Selection, plan};
use service::Shutdown;

use super::faulty::{Fate, FaultyLog};
use super::{PARTITIONS, keys, row, target};

/// Records of `ufo.raw` as anybody might write them, by their offset.
fn records() -> Vec<(Option<&'static [u8]>, Vec<u8>)> {
    let mut soon = row(3);
    soon["datetime"] = "soon".into();
    vec![
        (Some(b"4711"), row(1).to_string().into_bytes()),
        (None, row(2).to_string().into_bytes()),
        (Some(b"4712"), soon.to_string().into_bytes()),
        (None, b"no json".to_vec()),
    ]
}

/// A log with what the processor would make of them.
fn log(folder: &tempfile::TempDir) -> FaultyLog {
    let log = FaultyLog::new(EmbeddedLog::open(folder.path()).unwrap());
    let spec = |name| TopicSpec { name, partitions: PARTITIONS, kept: Kept::Forever };
    log.ensure_topics(&[spec(target().topics.rejects()), spec(target().topics.raw())]).unwrap();
    let mut producer = log.producer("a processor").unwrap();
    producer.begin().unwrap();
    for (offset, (key, value)) in (0..).zip(records()) {
        let value = Some(value.as_slice());
        let verdict = judge(RawRecord { key, value }, &Atlas::new());
        let Outcome::Reject(rejection) = verdict.outcome else { panic!("{offset} is a sighting") };
        let origin =
            Origin { topic: "ufo.raw", partition: 1, offset, timestamp_ms: 1_000 * offset, key, value };
        let mut reject = Vec::new();
        encode_reject(&Reject::new(verdict.id, rejection, origin), &mut reject);
        let key = verdict.id.to_hex();
        let (key, value) = (Some(key.as_slice()), Some(reject.as_slice()));
        let record = NewRecord { partition: Partition(1), timestamp_ms: 1_000 * offset, key, value };
        producer.send(&target().topics.rejects(), record).unwrap();
    }
    producer.commit().unwrap();
    log
}

fn found(log: &FaultyLog, selection: &Selection) -> Vec<(i64, RejectCode)> {
    let mut found = Vec::new();
    rejects::each(log, &target(), selection, &mut |reject, _| {
        found.push((reject.offset, reject.code));
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[test]
fn rejects_are_found_by_code_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(&folder);
    let mismatch = RejectCode::KeyMismatch;
    let all = [(0, mismatch), (1, mismatch), (2, mismatch), (3, RejectCode::NotJson)];
    assert_eq!(found(&log, &Selection::default()), all);
    let codes = vec![RejectCode::NotJson];
    assert_eq!(found(&log, &Selection { codes, ..Selection::default() }), all[3..]);
    assert_eq!(found(&log, &Selection::at(1, 2)), all[2..3]);
    assert_eq!(found(&log, &Selection::at(0, 2)), []);
    let until = Some("1970-01-01T00:00:01Z".parse().unwrap());
    assert_eq!(found(&log, &Selection { until, ..Selection::default() }), all[..1]);
}

fn sent_again(log: &FaultyLog, is_real: bool) -> u64 {
    let shutdown = Shutdown::new();
    let (target, atlas) = (target(), Atlas::new());
    let mut repairs = Repairs::new(log, &target, &shutdown, is_real);
    rejects::each(log, &target, &Selection::default(), &mut |reject, _| {
        repairs.take(reject, &plan(reject, &atlas)).unwrap();
        ControlFlow::Continue(())
    })
    .unwrap();
    repairs.finish().unwrap()
}

#[test]
fn only_what_is_judged_anew_is_sent_again_and_only_when_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(&folder);
    assert_eq!((sent_again(&log, false), keys(&log).len()), (2, 0), "a dry run sends nothing");
    log.next_commits(&[Fate::Lost, Fate::Unanswered]);
    assert_eq!(sent_again(&log, true), 2);
    let keys = keys(&log);
    assert_eq!(keys.len(), 2, "each under its own id, whatever became of the commits");
    let mut judged = 0;
    rejects::each(&log, &target(), &Selection::default(), &mut |reject, _| {
        if let Plan::Rekey(id) = plan(reject, &Atlas::new()) {
            let key = id.to_string();
            assert!(keys.contains_key(&key));
            let record = RawRecord { key: Some(key.as_bytes()), value: Some(&reject.bytes) };
            assert!(matches!(judge(record, &Atlas::new()).outcome, Outcome::Sighting(_)));
            judged += 1;
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(judged, 2);
}

#[test]
fn edited_rows_are_sent_and_those_that_are_still_bad_are_told_by_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(&folder);
    let mut rows = Vec::new();
    rejects::each(&log, &target(), &Selection::default(), &mut |reject, _| {
        rows.extend(rejects::row(reject));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(rows.len(), 3, "what is no JSON holds no row");
    let edited = format!("{}\n\n{}\n{}\n5\n", rows[0], rows[2], rows[2].replace("soon", "10/10/1949 20:30"));
    let (shutdown, target, mut bad) = (Shutdown::new(), target(), Vec::new());
    let mut repairs = Repairs::new(&log, &target, &shutdown, true);
    repairs
        .take_lines(edited.as_bytes(), &Atlas::new(), &mut |edited| {
            bad.push((edited.line, edited.rejection.code))
        })
        .unwrap();
    assert_eq!(repairs.finish().unwrap(), 2);
    assert_eq!(bad, [(3, RejectCode::DatetimeInvalid), (5, RejectCode::NotAnObject)]);
    assert_eq!(keys(&log).len(), 2);
}
