//! Stores that are away, and sinks that die or share the work while their batches are open.

use std::time::Duration;

use pipeline_tests::own::{self, Folder, Server};
use pipeline_tests::proxy::{Framing, Proxy, Verdict, holds};
use pipeline_tests::running::signal;
use pipeline_tests::{LIMIT, Pipeline, Servers, seeded, synthetic, wait};
use rand_core::RngCore;
use service::clock;
use tempfile::TempDir;

/// Longer than a sink goes without asking its log, and than its first tries.
const AWAY: Duration = Duration::from_secs(15);

#[test]
fn search_down_for_minutes_then_catches_up() {
    let Some(servers) = Servers::attached("search that is away") else { return };
    let search = Proxy::to(servers.elasticsearch.trim_start_matches("http://"), Framing::Bytes);
    let pipeline = Pipeline::new(servers, "search-down");
    let faulty = pipeline.clone().with("UFO_ELASTICSEARCH", format!("http://{}", search.address()));
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 61, 12_000);
    pipeline.run("producer", &["--limit", "4000", &file]);
    pipeline.run("processor", &["--until-end"]);
    faulty.run("sink", &["--until-end"]);
    let mut writing = faulty.running("sink", &[]);
    writing.wait_for("given to this member", 7, LIMIT);
    search.cut();
    pipeline.run("producer", &[&file]);
    pipeline.run("processor", &["--until-end"]);
    clock::pause(AWAY);
    assert!(!writing.has_ended(), "{:#?}", writing.lines());
    search.heal();
    // It catches up by itself, and what is idle is flushed.
    wait::until("the ledger is clean", LIMIT, || is_clean(&pipeline, &file));
    writing.stop(LIMIT);
    pipeline.settle(&file);
}

fn is_clean(pipeline: &Pipeline, file: &str) -> bool {
    pipeline.program("verify").arg(file).output().expect("the program can be started").status.success()
}

#[test]
fn idle_topic_flushes() {
    let Some(servers) = Servers::attached("idle topics") else { return };
    let pipeline = Pipeline::new(servers, "idle");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 62, 500);
    let mut writing = pipeline.running("sink", &[]);
    pipeline.run("producer", &[&file]);
    pipeline.run("processor", &["--until-end"]);
    let took = wait::until("everything is written while nothing comes", LIMIT, || is_clean(&pipeline, &file));
    eprintln!("idle topics are flushed within {took:.1?}");
    assert!(!writing.has_ended());
    writing.stop(LIMIT);
}

#[test]
fn revoked_with_an_open_batch_loses_nothing() {
    let Some(servers) = Servers::attached("sinks that come and go") else { return };
    let pipeline = Pipeline::new(servers, "revoked");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 63, 20_000);
    let mut cleaning = pipeline.running("processor", &[]);
    let mut feeding = pipeline.running("producer", &["--rate", "1500", &file]);
    // While rows come, a batch of the lake is open for a minute: each of these takes partitions from such a batch.
    let mut first = pipeline.running("sink", &[]);
    first.wait_for("given to this member", 7, LIMIT);
    let mut second = pipeline.running("sink", &[]);
    second.wait_for("given to this member", 7, LIMIT);
    first.kill();
    let mut third = pipeline.running("sink", &[]);
    third.wait_for("given to this member", 7, LIMIT);
    feeding.ends_well(LIMIT);
    second.stop(LIMIT);
    third.stop(LIMIT);
    cleaning.stop(LIMIT);
    pipeline.settle(&file);
}

/// Dead between the upload of files and the commit that names them, and with the commit under way; then the store itself.
#[test]
fn store_crash_between_put_and_commit() {
    let Some(servers) = Servers::attached("crashes beside a store") else { return };
    let Some(scripts) = own::scripts("a store of the test's own") else { return };
    let (_, mut random) = seeded("store_crash_between_put_and_commit");
    let (own, port) = (Folder::new(), own::free_port());
    let variables = vec![
        ("MINIO_PORT", port.to_string().into()),
        ("MINIO_CONSOLE_PORT", own::free_port().to_string().into()),
        ("MINIO_BUCKETS", "own".into()),
        ("MINIO_BIN", Server::fetched("bin/minio")),
        ("MC_BIN", Server::fetched("bin/mc")),
    ];
    let store =
        Server::new(&scripts, "minio", own.path().join(format!("run/minio-{port}.pid")), &own, variables);
    store.start();
    let proxy = Proxy::to(&format!("127.0.0.1:{port}"), Framing::Bytes);
    let pipeline = Pipeline::on(&servers.brokers, "store")
        .with("UFO_LAKE", "s3://own/lake")
        .with("AWS_ENDPOINT_URL", format!("http://{}", proxy.address()));
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 64, 6_000);
    pipeline.run("producer", &[&file]);
    pipeline.run("processor", &["--until-end"]);
    for last in [Verdict::Cut, Verdict::CutAfter, Verdict::Cut, Verdict::CutAfter] {
        let mut doomed = pipeline.running("sink", &["--until-end"]);
        let (pid, mut left) = (doomed.pid(), random.next_u32() % 4);
        proxy.watch(move |request| {
            let is_commit = request.starts_with(b"PUT ") && holds(request, "/_delta_log/");
            left = left.saturating_sub(u32::from(is_commit));
            if is_commit && left == 0 && signal(pid, "KILL") { last } else { Verdict::Forward }
        });
        assert_eq!(doomed.code(LIMIT), None, "{:#?}", doomed.lines());
        proxy.heal();
    }
    let mut unlucky = pipeline.running("sink", &["--until-end"]);
    let victim = store.pid();
    proxy.watch(move |request| {
        if request.starts_with(b"PUT ") && holds(request, ".parquet") {
            signal(victim, "KILL");
        }
        Verdict::Forward
    });
    wait::until("the store is dead, or nothing is left to upload", LIMIT, || {
        !store.is_there() || unlucky.has_ended()
    });
    proxy.heal();
    if !store.is_there() {
        store.start();
    }
    eprintln!("the sink beside a store that died ends with {:?}", unlucky.code(LIMIT));
    pipeline.settle(&file);
}
