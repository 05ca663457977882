//! Whatever dies: kills drawn from a seed that is printed, the ledger after them.

use std::fs;
use std::process::Child;
use std::time::Duration;

use pipeline_tests::{Pipeline, Servers};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;

const ROWS: u64 = 40_000;
const KILLS: u32 = 14;

#[test]
fn kill_9_repeatedly() {
    let Some(servers) = Servers::attached("exactly once, kill -9") else { return };
    let seed = std::env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    eprintln!("UFO_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("rows.csv");
    let mut rows = Vec::new();
    producer::generate::write_csv(seed, ROWS, &mut rows).expect("memory takes it");
    fs::write(&file, rows).expect("written");
    let file = file.to_string_lossy().into_owned();

    let pipeline = Pipeline::new(servers, "kills");
    let starts: [(&str, Vec<&str>); 4] = [
        ("producer", vec!["--rate", "4000", &file]),
        ("processor", vec![]),
        ("processor", vec![]),
        ("sink", vec![]),
    ];
    let start = |index: usize| -> Child { pipeline.start(starts[index].0, &starts[index].1) };
    let mut running: Vec<Child> = (0..starts.len()).map(start).collect();
    for _ in 0..KILLS {
        // When the next one dies is the fault that is drawn.
        std::thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 1_200)));
        let victim = (random.next_u32() as usize) % running.len();
        running[victim].kill().expect("kill -9");
        running[victim].wait().expect("ended");
        running[victim] = start(victim);
    }
    for mut child in running {
        child.kill().expect("kill -9");
        child.wait().expect("ended");
    }
    pipeline.run("producer", &[&file]);
    pipeline.run("processor", &["--until-end"]);
    pipeline.run("sink", &["--until-end"]);
    pipeline.run("verify", &[&file]);
}
