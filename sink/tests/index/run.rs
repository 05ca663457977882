//! How a running sink behaves: idle topics, partitions that come and go, a clean stop.

use std::thread;
use std::time::Duration;

use service::{Shutdown, clock};
use sink::index::Kind;

use crate::server::{LIMIT, Pipeline, StopOnDrop, address, sighting, wait_for};

/// Time in which a sink that does not hold back would have sent what it has.
const QUIET: Duration = Duration::from_millis(500);

#[test]
fn idle_topic_flushes() {
    let Some(server) = address() else { return };
    let pipeline = Pipeline::start(&server);
    let result = pipeline.run_beside(|_| {
        pipeline.write(Kind::Sightings, &[sighting(1)]);
        // One record of a batch of thousands.
        wait_for("one document", Duration::from_secs(3), || pipeline.found(Kind::Sightings).len() == 1);
    });
    assert_eq!(result.unwrap().done, 1);
}

#[test]
fn a_stop_sends_and_commits_what_was_read() {
    let Some(server) = address() else { return };
    let mut pipeline = Pipeline::start(&server);
    pipeline.settings.linger = Duration::from_secs(600);
    let result = pipeline.run_beside(|_| {
        pipeline.write_sightings(0..100);
        clock::pause(QUIET);
        assert_eq!(pipeline.found(Kind::Sightings).len(), 0);
    });
    assert_eq!(result.unwrap().done, 100);
    assert_eq!(pipeline.found(Kind::Sightings).len(), 100);
    assert_eq!(pipeline.committed(Kind::Sightings), pipeline.ends(Kind::Sightings));
}

#[test]
fn revoked_with_an_open_batch_loses_nothing() {
    let Some(server) = address() else { return };
    let mut pipeline = Pipeline::start(&server);
    // Only what is revoked, or stopped, is sent.
    pipeline.settings.linger = Duration::from_secs(600);
    let second_stop = Shutdown::new();
    thread::scope(|scope| {
        let _guard = StopOnDrop(&second_stop);
        let mut second = None;
        let first = pipeline.run_beside(|_| {
            pipeline.write_sightings(0..200);
            clock::pause(QUIET);
            assert_eq!(pipeline.found(Kind::Sightings).len(), 0);
            // A second sink takes one of the partitions over.
            second = Some(scope.spawn(|| pipeline.run(&second_stop)));
            wait_for("what the first had read", LIMIT, || pipeline.found(Kind::Sightings).len() == 200);
            pipeline.write_sightings(200..400);
            clock::pause(QUIET);
        });
        first.unwrap();
        // The first one has left: the second one has everything now.
        pipeline.write_sightings(400..500);
        clock::pause(QUIET);
        second_stop.request();
        second.unwrap().join().unwrap().unwrap();
    });
    assert_eq!(pipeline.found(Kind::Sightings).len(), 500);
    assert_eq!(pipeline.committed(Kind::Sightings), pipeline.ends(Kind::Sightings));
    assert_eq!(pipeline.metrics.already_there.get(), 0, "nothing was sent twice");
}
