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

#[test]
fn state_on_disk_is_restored_after_a_kill_and_not_after_a_clean_stop() {
    const RESTORED: &str = "restored partition";
    let Some(servers) = Servers::attached("state on disk") else { return };
    let pipeline = Pipeline::on(&servers.brokers, "disk");
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("processor").to_string_lossy().into_owned();
    let file = synthetic(folder.path(), 53, 12_000);
    let watch = pipeline.watch();
    let works_up_to = |sightings: u64| {
        pipeline.run("producer", &["--limit", "4000", &file]);
        let processor = pipeline.running("processor", &["--data", &data]);
        wait::until("it is through", LIMIT, || watch.sightings() >= sightings);
        processor
    };
    works_up_to(3_900).stop(STOP_LIMIT);
    let mut again = works_up_to(7_900);
    assert_eq!(again.told(RESTORED), 0, "after a clean stop the folder has it all");
    again.kill();
    let mut once_more = works_up_to(11_900);
    assert!(once_more.told(RESTORED) > 0, "what a killed process has left is not to be trusted");
    once_more.stop(STOP_LIMIT);
    pipeline.settle(&file);
    watch.finish();
}
