//! The server is away, has no room, or stays away when the sink is to stop.

use std::time::Duration;

use engine::record::NextOffset;
use service::exit::Code;
use service::{Secret, clock};
use sink::index::Kind;

use crate::proxy::{Wire, crowded};
use crate::server::{LIMIT, Pipeline, address, aggregate, wait_for};

#[test]
fn bulk_mixed_200_429_400() {
    let Some(server) = address() else { return };
    let mut pipeline = Pipeline::start(&server);
    pipeline.settings.url = Secret::new(crowded(&server, 4));
    pipeline.settings.bounds.documents = 40;
    // A count that no `long` holds is refused by the real server with 400.
    let records: Vec<_> = (0..100)
        .map(|number| aggregate(&format!("c{number}"), if number % 10 == 0 { u64::MAX } else { number }))
        .collect();
    pipeline.write(Kind::Aggregates, &records);
    let report = pipeline.run_until_end();
    assert_eq!((report.done, report.already_there, report.refused), (90, 0, 10));
    assert!(pipeline.metrics.retried.get() > 0 && pipeline.metrics.requests_retried.get() == 1);
    assert_eq!(pipeline.found(Kind::Aggregates).len(), 90);
    assert_eq!(pipeline.committed(Kind::Aggregates), pipeline.ends(Kind::Aggregates));

    let refused = std::fs::read_to_string(pipeline.refused_file()).unwrap();
    let lines: Vec<serde_json::Value> =
        refused.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 10);
    for line in &lines {
        assert_eq!((&line["status"], &line["type"]), (&400.into(), &"document_parsing_exception".into()));
        assert!(line["reason"].as_str().unwrap().contains("out of range"), "{line}");
        assert_eq!(line["document"]["count"], u64::MAX);
    }
}

#[test]
fn search_down_for_minutes_then_catches_up() {
    let Some(server) = address() else { return };
    let wire = Wire::to(&server);
    let mut pipeline = Pipeline::start(&server);
    pipeline.settings.url = Secret::new(&*wire.address);
    pipeline.settings.bounds.documents = 20;
    let result = pipeline.run_beside(|_| {
        pipeline.write_sightings(0..100);
        wait_for("the first hundred", LIMIT, || pipeline.metrics.done.get() == 100);
        wire.cut(true);
        pipeline.write_sightings(100..1_000);
        // Longer than the sink goes without polling its log.
        clock::pause(Duration::from_secs(12));
        assert!(pipeline.found(Kind::Sightings).len() < 1_000);
        wire.cut(false);
        wait_for("everything", LIMIT, || pipeline.found(Kind::Sightings).len() == 1_000);
    });
    result.unwrap();
    assert_eq!(pipeline.committed(Kind::Sightings), pipeline.ends(Kind::Sightings));
    assert!(pipeline.metrics.requests_retried.get() > 0);
    assert_eq!(pipeline.metrics.refused.get(), 0);
}

#[test]
fn a_stop_while_search_is_down_does_not_hang_and_commits_nothing_unconfirmed() {
    let Some(server) = address() else { return };
    let wire = Wire::to(&server);
    let mut pipeline = Pipeline::start(&server);
    pipeline.settings.url = Secret::new(&*wire.address);
    pipeline.settings.shutdown_grace = Duration::from_secs(1);
    let mut stopped_at = None;
    let result = pipeline.run_beside(|_| {
        pipeline.write(Kind::Aggregates, &[aggregate("us", 1)]);
        wait_for("the sink at work", LIMIT, || pipeline.metrics.done.get() == 1);
        wire.cut(true);
        pipeline.write_sightings(0..100);
        wait_for("a failed request", LIMIT, || pipeline.metrics.requests_retried.get() > 0);
        stopped_at = Some(clock::now());
    });
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::NotDrained, "{error}");
    assert!(stopped_at.unwrap().elapsed() < Duration::from_secs(3));
    assert_eq!(pipeline.committed(Kind::Sightings), [NextOffset::START; 2]);
    // And the next start sends them.
    wire.cut(false);
    assert_eq!(pipeline.run_until_end().done, 100);
    assert_eq!(pipeline.found(Kind::Sightings).len(), 100);
}
