//! Reading a topic again changes nothing; tombstones and odd values arrive.

use domain::view::Part;
use domain::{Aggregate, Key, Origin, Reject, RejectCode, Rejection, SightingId, View, wire};
use sink::index::Kind;

use crate::server::{Pipeline, address, aggregate, aggregate_of, sighting};

#[test]
fn replay_is_idempotent() {
    let Some(server) = address() else { return };
    let mut first = Pipeline::start(&server);
    first.settings.bounds.documents = 300;
    first.write_sightings(0..2_000);
    let report = first.run_until_end();
    assert_eq!((report.done, report.already_there, report.refused), (2_000, 0, 0));
    let found = first.found(Kind::Sightings);
    let mut expected: Vec<_> = (0..2_000).map(|n| String::from_utf8(sighting(n).1).unwrap()).collect();
    expected.sort_unstable();
    assert_eq!(found.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(first.committed(Kind::Sightings), first.ends(Kind::Sightings));

    // Nothing is left to read.
    let report = first.run_until_end();
    assert_eq!((report.done, report.already_there), (0, 0));

    // The same records read from the start, as after the loss of the group's offsets.
    let mut again = Pipeline::again(&first);
    again.write_sightings(0..2_000);
    let report = again.run_until_end();
    assert_eq!((report.done, report.already_there, report.refused), (0, 2_000, 0));
    assert_eq!(again.found(Kind::Sightings), found);
}

#[test]
fn older_version_never_wins() {
    let Some(server) = address() else { return };
    let mut new = Pipeline::start(&server);
    let counts: Vec<_> = (1..=50).map(|count| aggregate("us", count)).collect();
    new.write(Kind::Aggregates, &counts);
    assert_eq!(new.run_until_end().done, 1);
    let id = r#"["country","us"]"#.to_owned();
    assert_eq!(new.found(Kind::Aggregates), [(id.clone(), 50)]);

    // A sink that has been away for a while and writes what it still has.
    let mut old = Pipeline::again(&new);
    old.write(Kind::Aggregates, &counts[..20]);
    let report = old.run_until_end();
    assert_eq!((report.done, report.already_there), (0, 1));
    assert_eq!(old.found(Kind::Aggregates), [(id, 50)]);
    let index = old.index();
    let mut aggregates = index.aggregates(&old.name(Kind::Aggregates)).unwrap();
    let (view, key, aggregate) = aggregates.next().unwrap().unwrap();
    assert_eq!((view, key, aggregate.count), (View::Country, Key(vec![Part::Text("us".into())]), 50));
    assert!(aggregates.next().is_none());
}

#[test]
fn a_tombstone_takes_the_document_away_and_a_replay_does_not_bring_it_back() {
    let Some(server) = address() else { return };
    let mut first = Pipeline::start(&server);
    let records: Vec<_> = (0..10).map(sighting).collect();
    let (partition, key, _) = records[3].clone();
    let write = |pipeline: &Pipeline| {
        pipeline.write(Kind::Sightings, &records);
        pipeline.write(Kind::Sightings, &[(partition, key.clone(), None)]);
    };
    write(&first);
    assert_eq!(first.run_until_end().done, 11);
    let found = first.found(Kind::Sightings);
    assert_eq!(found.len(), 9);
    assert!(!found.iter().any(|(id, _)| id.as_bytes() == key));

    let mut again = Pipeline::again(&first);
    write(&again);
    again.run_until_end();
    assert_eq!(again.found(Kind::Sightings), found);
}

#[test]
fn everything_that_the_domain_can_say_is_taken() {
    let Some(server) = address() else { return };
    let mut pipeline = Pipeline::start(&server);
    let widest = Aggregate {
        count: 3,
        total_duration_ms: u128::MAX,
        total_plausible_ms: u128::from(u64::MAX),
        max_duration_ms: Some(31_557_600_000_000),
        first_occurred_at: Some("0001-01-01T00:00:00".parse().unwrap()),
        last_occurred_at: Some("9999-12-31T23:59:59".parse().unwrap()),
        ..Aggregate::default()
    };
    let long = || Part::Text("wide \u{1f6f8} ".repeat(30_000));
    let mut records = vec![
        aggregate_of(View::Place, vec![Part::Null, long(), long()], widest),
        aggregate_of(View::Cell, vec![Part::Text("832830fffffffff".into())], widest),
        aggregate_of(View::Arrivals, vec![Part::Null, Part::Text("2026-11-24T09:22:00Z".into())], widest),
        aggregate_of(View::Timeline, vec![Part::Null, Part::Number(1), Part::Number(1)], widest),
    ];
    for view in View::ALL {
        records.push(aggregate_of(view, view.key_fields().iter().map(|_| Part::Null).collect(), widest));
    }
    pipeline.write(Kind::Aggregates, &records);
    let bytes = vec![0xff; 100_000];
    let origin =
        Origin { topic: "t", partition: 0, offset: 0, timestamp_ms: 0, key: None, value: Some(&bytes) };
    let rejection = Rejection::new(RejectCode::NotJson, "no JSON");
    let reject = Reject::new(SightingId::from_bytes([1; 16]), rejection, origin);
    let mut value = Vec::new();
    wire::encode_reject(&reject, &mut value);
    pipeline.write(Kind::Rejects, &[(0, reject.id.to_string().into_bytes(), Some(value))]);
    let report = pipeline.run_until_end();
    assert_eq!((report.done, report.refused), (records.len() as u64 + 1, 0));

    // What no `long` holds is exact all the same.
    let index = pipeline.index();
    for found in index.aggregates(&pipeline.name(Kind::Aggregates)).unwrap() {
        assert_eq!(found.unwrap().2, widest);
    }
    assert_eq!(index.count(&pipeline.name(Kind::Aggregates)).unwrap(), records.len() as u64);
}
