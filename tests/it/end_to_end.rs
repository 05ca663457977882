//! From the CSV to documents and lake: every row accounted for.

use std::path::PathBuf;
use std::{env, fs};

use pipeline_tests::{Pipeline, Servers, skipped};
use tempfile::TempDir;

fn synthetic(folder: &TempDir, seed: u64, rows: u64) -> PathBuf {
    let file = folder.path().join("rows.csv");
    let mut out = Vec::new();
    producer::generate::write_csv(seed, rows, &mut out).expect("memory takes it");
    fs::write(&file, out).expect("written");
    file
}

fn through(pipeline: &Pipeline, file: &str) -> String {
    pipeline.run("producer", &[file]);
    pipeline.run("processor", &["--until-end"]);
    pipeline.run("sink", &["--until-end"]);
    pipeline.run("verify", &[file])
}

#[test]
fn every_synthetic_row_is_accounted_for_and_a_second_run_adds_nothing() {
    let Some(servers) = Servers::attached("end to end, synthetic") else { return };
    let folder = TempDir::new().expect("a folder");
    let pipeline = Pipeline::new(servers, "synthetic");
    let file = synthetic(&folder, 1, 20_000);
    let file = file.to_string_lossy();
    through(&pipeline, &file);
    let again = pipeline.run("producer", &[&file]);
    assert!(again.contains("sent 0 rows") && again.contains("20000 were in already"), "{again}");
    through(&pipeline, &file);
}

#[test]
fn every_row_of_the_real_file_is_accounted_for() {
    let Some(servers) = Servers::attached("end to end, real file") else { return };
    let Ok(file) = env::var("UFO_REAL_CSV") else {
        skipped("end to end, real file", "UFO_REAL_CSV names no file");
        return;
    };
    let ledger = through(&Pipeline::new(servers, "real"), &file);
    assert!(ledger.contains("72517"), "{ledger}");
}

#[test]
fn three_processors_and_two_sinks_give_what_one_gives() {
    let Some(servers) = Servers::attached("end to end, several instances") else { return };
    let folder = TempDir::new().expect("a folder");
    let pipeline = Pipeline::new(servers, "several");
    let file = synthetic(&folder, 2, 20_000);
    let file = file.to_string_lossy();
    let mut running: Vec<_> = (0..3).map(|_| pipeline.start("processor", &[])).collect();
    running.extend((0..2).map(|_| pipeline.start("sink", &[])));
    pipeline.run("producer", &[&file]);
    for mut child in running {
        // A crash of each, whatever it was doing: the ones started below go on where they were.
        child.kill().expect("kill -9");
        child.wait().expect("ended");
    }
    pipeline.run("processor", &["--until-end"]);
    pipeline.run("sink", &["--until-end"]);
    pipeline.run("verify", &[&file]);
}
