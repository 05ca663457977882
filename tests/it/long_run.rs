//! The long form: a great many random `kill -9` of producer, processors, sink and brokers (one of three) over one run of a
//! great many rows.
//!
//! `cargo test --release -p pipeline-tests --test it -- --ignored long_run --nocapture`, with `UFO_SEED`,
//! `UFO_FAULTS_ROWS`, `UFO_FAULTS_KILLS`, `UFO_FAULTS_RATE` (rows a second) and `UFO_FAULTS_GAP_MS` (the longest time from
//! one kill to the next) for another one.

use std::collections::BTreeMap;
use std::env;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use domain::{View, wire};
use engine::log::Log;
use engine::record::{NextOffset, Partition};
use kafka::{Kafka, KafkaSettings};
use pipeline_tests::cluster::Cluster;
use pipeline_tests::own;
use pipeline_tests::supervised::Supervised;
use pipeline_tests::{Pipeline, Servers, seeded, synthetic, wait};
use rand_core::RngCore;
use service::clock;
use tempfile::TempDir;

const WORK_LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);
const HIT_LIMIT: Duration = Duration::from_secs(120);
const DONE_LIMIT: Duration = Duration::from_secs(3600);

fn asked(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
#[ignore = "takes half an hour and more"]
fn long_run() {
    let Some(mut servers) = Servers::attached("the long run") else { return };
    let Some(scripts) = own::scripts("the long run") else { return };
    let cluster = Cluster::start(&scripts);
    cluster.addresses().clone_into(&mut servers.brokers);
    let (rows, kills) = (asked("UFO_FAULTS_ROWS", 1_000_000), asked("UFO_FAULTS_KILLS", 200));
    let (rate, gap) = (asked("UFO_FAULTS_RATE", 600), asked("UFO_FAULTS_GAP_MS", 3_000));
    let (seed, mut random) = seeded("long_run");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), seed, rows);
    let pipeline = Pipeline::new(servers, "long");
    let watch = pipeline.watch();
    let begun = clock::now();
    let rate = rate.to_string();
    let programs: Vec<Supervised> = [
        ("producer", vec!["--rate", &rate, &file]),
        ("processor", vec![]),
        ("processor", vec![]),
        ("sink", vec![]),
    ]
    .iter()
    .map(|(name, arguments)| Supervised::start(&pipeline, name, arguments))
    .collect();

    let mut hits = BTreeMap::<String, u64>::new();
    for number in 1..=kills {
        // A kill while nothing works yet after the one before shows little: work is waited for, but not for ever.
        let (seen, waiting) = (watch.sightings(), clock::now());
        while watch.sightings() == seen && waiting.elapsed() < WORK_LIMIT && !programs[0].is_done() {
            clock::pause(LOOK);
        }
        // When the next one dies is the fault that is drawn.
        clock::pause(Duration::from_millis(u64::from(random.next_u32()) % gap));
        let drawn = (random.next_u32() as usize) % (programs.len() + 1);
        let victim = match programs.get(drawn) {
            // The producer that is through cannot be killed any more: a processor is.
            Some(program) => {
                let program = if program.is_done() { &programs[1] } else { program };
                wait::until("there is something to kill", HIT_LIMIT, || program.kill());
                program.name().to_owned()
            }
            None => {
                let node = &cluster.nodes()[(random.next_u32() as usize) % cluster.nodes().len()];
                node.end("KILL");
                node.start();
                "broker".to_owned()
            }
        };
        *hits.entry(victim.clone()).or_default() += 1;
        eprintln!("{:>7.1?} kill {number}: {victim}; readers see {}", begun.elapsed(), watch.sightings());
    }
    let (during, under_fire) = (watch.sightings(), begun.elapsed());
    programs[0].wait(DONE_LIMIT);
    let mut ends = BTreeMap::<String, u64>::new();
    for program in programs {
        for end in program.ends().iter().filter(|end| *end != "killed") {
            *ends.entry(format!("{}: {end}", program.name())).or_default() += 1;
        }
        program.stop();
    }
    let ledger = catch_unwind(AssertUnwindSafe(|| pipeline.settle(&file))).unwrap_or_else(|wrong| {
        tell_deltas(&pipeline);
        resume_unwind(wrong)
    });
    let values = watch.finish();
    eprintln!("{ledger}\nended by themselves and were started again: {ends:#?}");
    eprintln!(
        "| seed | rows | kills | of them | seen before the last kill | took | values that never went back | ledger |\n\
         | {seed} | {rows} | {kills} | {hits:?} | {during} sightings in {under_fire:.0?} | {:.0?} | {values} | clean |",
        begun.elapsed()
    );
}

/// What lies between the two stages, where the ledger is not clean: it tells which of them has lost something.
fn tell_deltas(pipeline: &Pipeline) {
    let log = Kafka::new(KafkaSettings::new(pipeline.brokers()));
    let topic = pipeline.topics().aggregates_repartition();
    for (partition, end) in (0..).map(Partition).zip(log.ends(&topic).expect("ends")) {
        let (mut records, mut sightings) = (0_u64, 0_u64);
        let read = log.read(&topic, partition, NextOffset::START, end, &mut |record| {
            records += 1;
            for (key, delta) in wire::decode_deltas(record.value.unwrap_or_default()).map_while(Result::ok) {
                let is_country = View::of_record_key(key) == Some(View::Country);
                sightings += if is_country { delta.count } else { 0 };
            }
            ControlFlow::Continue(())
        });
        read.expect("is read");
        eprintln!(
            "{topic}, partition {partition}: {records} records up to {end}, {sightings} sightings by country"
        );
    }
}
