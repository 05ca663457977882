//! A broker that stops, dies, freezes, is not there yet, or whose connections break at the worst moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use pipeline_tests::broker::Lease;
use pipeline_tests::flow::Flow;
use pipeline_tests::proxy::{Request, Verdict};
use pipeline_tests::running::signal;
use pipeline_tests::{LIMIT, Pipeline, seeded, skipped, synthetic, wait};
use rand_core::RngCore;
use service::clock;
use tempfile::TempDir;

/// Longer than a request, a transaction and a member's session may take.
const LONG: Duration = Duration::from_secs(12);

/// By then every session and every transaction from before is over.
const STUCK: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

#[test]
#[ignore = "long form: a broker that comes back alone may have lost a marker, see docs/exactly-once.md"]
fn clean_bounce() {
    assert!(bounced("clean-bounce", "TERM", 2), "a broker that stops in order keeps its markers");
}

#[test]
#[ignore = "long form: a broker that comes back alone may have lost a marker, see docs/exactly-once.md"]
fn kill_9_bounce() {
    if !(0..3).any(|_| bounced("kill-bounce", "KILL", 1)) {
        skipped("kill_9_bounce", "each of three brokers has lost a marker (docs/exactly-once.md)");
    }
}

/// False where nothing can be shown, since the broker has lost what it had decided.
fn bounced(name: &str, by: &str, times: u32) -> bool {
    let Some(broker) = Lease::take(name) else { return true };
    let flow = Flow::start(name, broker.address(), broker.address(), (31, 15_000, 1_500));
    for _ in 0..times {
        flow.wait_for_more(2_000);
        broker.server().end(by);
        broker.server().start();
        let (seen, back) = (flow.watch.sightings(), clock::now());
        while flow.watch.sightings() == seen && back.elapsed() < STUCK {
            clock::pause(LOOK);
        }
        // A broker that is killed alone may lose the marker of a transaction that it had decided to commit.
        let lost = if flow.watch.sightings() == seen { broker.lost_markers() } else { Vec::new() };
        if !lost.is_empty() {
            eprintln!("{name}: the broker has lost the markers of {lost:?} (docs/exactly-once.md)");
            broker.server().end("KILL");
            return false;
        }
        let took = back.elapsed() + flow.wait_for_more(1);
        eprintln!("{name}: the first commit that readers see comes {took:.1?} after the broker is back");
    }
    flow.finish();
    true
}

#[test]
fn paused_during_commit() {
    let Some(broker) = Lease::take("a broker frozen during a commit") else { return };
    let proxy = broker.proxy();
    let flow = Flow::start("paused", broker.address(), &proxy.address(), (32, 15_000, 1_500));
    flow.wait_for(2_000);
    let (pid, is_frozen) = (broker.server().pid(), Arc::new(AtomicBool::new(false)));
    let (freezing, id) = (Arc::clone(&is_frozen), format!("{}-processor-v1-clean-", flow.pipeline.prefix()));
    proxy.watch(move |request| {
        // The request waits in the frozen broker's socket.
        if Request::EndTxn.is(request, &id) && !freezing.load(Ordering::Acquire) {
            freezing.store(signal(pid, "STOP"), Ordering::Release);
        }
        Verdict::Forward
    });
    wait::until("the broker is frozen", LIMIT, || is_frozen.load(Ordering::Acquire));
    proxy.heal();
    // How long it stays so is the fault itself.
    clock::pause(LONG);
    broker.server().signal("CONT");
    flow.wait_for_more(2_000);
    flow.finish();
}

#[test]
fn down_at_start() {
    let Some(broker) = Lease::take("a broker that is down at the start") else { return };
    broker.server().end("TERM");
    let flow = Flow::start("down", broker.address(), broker.address(), (33, 6_000, 3_000));
    let waiting = || flow.processors.iter().chain([&flow.producer, &flow.sink]);
    wait::until("each has given up once", LIMIT, || waiting().all(|program| program.starts() > 1));
    for program in waiting() {
        let end = program.ends().concat();
        assert!(end.starts_with("69: ") || end.contains("cannot reach the broker"), "{end}");
    }
    broker.server().start();
    flow.finish();
}

/// Offsets are in the transaction, and the request to commit it never arrives, or its answer never does.
#[test]
fn connection_cut_between_offsets_and_commit() {
    let Some(broker) = Lease::take("connections cut between offsets and commit") else { return };
    let (seed, mut random) = seeded("connection_cut_between_offsets_and_commit");
    let proxy = broker.proxy();
    let flow = Flow::start("cut", broker.address(), &proxy.address(), (seed, 15_000, 1_500));
    flow.wait_for(1_000);
    let (cuts, offsets) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (cut, sent, id) =
        (Arc::clone(&cuts), Arc::clone(&offsets), format!("{}-processor", flow.pipeline.prefix()));
    proxy.watch(move |request| {
        if Request::TxnOffsetCommit.is(request, &id) {
            sent.fetch_add(1, Ordering::AcqRel);
        }
        if !Request::EndTxn.is(request, &id) || sent.load(Ordering::Acquire) == 0 {
            return Verdict::Forward;
        }
        let verdict = [Verdict::Forward, Verdict::Cut, Verdict::CutAfter][(random.next_u32() % 3) as usize];
        cut.fetch_add(u32::from(verdict != Verdict::Forward), Ordering::AcqRel);
        verdict
    });
    wait::until("twenty commits are cut off", LIMIT, || cuts.load(Ordering::Acquire) >= 20);
    // And everything at once, for longer than a moment.
    proxy.cut();
    clock::pause(Duration::from_secs(2));
    proxy.heal();
    flow.wait_for_more(1_000);
    flow.finish();
}

#[test]
fn a_commit_in_doubt_that_arrived() {
    in_doubt("arrived", Verdict::LoseAnswers);
}

#[test]
fn a_commit_in_doubt_that_got_lost() {
    in_doubt("lost", Verdict::Swallow);
}

/// Nobody answers a commit of each stage: the processor asks with a new producer how it ended, and goes on by itself.
fn in_doubt(name: &str, fate: Verdict) {
    let Some(broker) = Lease::take("commits in doubt") else { return };
    let folder = TempDir::new().expect("a folder");
    let pipeline = Pipeline::on(broker.address(), name);
    let file = synthetic(folder.path(), 34, 12_000);
    let watch = pipeline.watch();
    let _feeding = pipeline.running("producer", &["--rate", "1500", &file]);
    let proxy = broker.proxy();
    let mut doubting = pipeline.by(&proxy.address()).running("processor", &[]);
    wait::until("work has begun", LIMIT, || watch.sightings() > 1_000);
    let stages = ["clean", "aggregate"].map(|stage| format!("{}-processor-v1-{stage}-", pipeline.prefix()));
    let mut is_in_doubt = [false; 2];
    proxy.watch(move |request| {
        for (id, is_in_doubt) in stages.iter().zip(&mut is_in_doubt) {
            if Request::EndTxn.is(request, id) && !*is_in_doubt {
                *is_in_doubt = true;
                return fate;
            }
        }
        Verdict::Forward
    });
    for stage in ["clean", "aggregate"] {
        let doubt = format!("\"stage\":\"{stage}\",\"step\":\"Commit\",\"recovery\":\"RecreateAndRewind\"");
        doubting.wait_for(&doubt, 1, LIMIT);
    }
    wait::until("it has gone on", LIMIT, || watch.sightings() > 11_000);
    doubting.stop(LIMIT);
    pipeline.settle(&file);
    watch.finish();
}
