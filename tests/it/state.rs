//! State that moves between processors, and is made anew.

use std::time::Duration;

use pipeline_tests::running::Running;
use pipeline_tests::{LIMIT, Pipeline, Servers, synthetic, wait};
use tempfile::TempDir;

const STOP_LIMIT: Duration = Duration::from_secs(35);

#[test]
fn rescale_1_to_4_to_2_same_aggregates() {
    let Some(servers) = Servers::attached("rescaling") else { return };
    let pipeline = Pipeline::on(&servers.brokers, "rescale");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 51, 25_000);
    let watch = pipeline.watch();
    let mut feeding = pipeline.running("producer", &["--rate", "1500", &file]);
    let more = |sightings: u64| {
        let enough = watch.sightings() + sightings;
        wait::until("work goes on", LIMIT, || watch.sightings() > enough);
    };
    let mut members: Vec<Running> = vec![pipeline.running("processor", &[])];
    more(2_000);
    members.extend((0..3).map(|_| pipeline.running("processor", &[])));
    for member in &members[1..] {
        member.wait_for("clean: ", 1, LIMIT);
    }
    more(2_000);
    for mut member in members.drain(..2) {
        member.stop(STOP_LIMIT);
    }
    more(2_000);
    feeding.ends_well(LIMIT);
    for member in &mut members {
        member.stop(STOP_LIMIT);
    }
    pipeline.settle(&file);
    assert!(watch.finish() > 0);
}

#[test]
fn reprocessing_v2_equals_v1() {
    let Some(servers) = Servers::attached("reprocessing") else { return };
    let pipeline = Pipeline::new(servers, "reprocess");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 52, 8_000);
    let mut first = pipeline.running("processor", &[]);
    pipeline.run("producer", &[&file]);
    // The second generation reads from the start, beside the first.
    pipeline.run("processor", &["--generation", "v2", "--until-end"]);
    pipeline.run("sink", &["--generation", "v2", "--until-end"]);
    first.stop(STOP_LIMIT);
    pipeline.settle(&file);
    pipeline.run("verify", &["--generation", "v2", &file]);
}
