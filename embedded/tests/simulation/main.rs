//! The engine on the embedded log, one call at a time, under faults that a seed draws: thousands of histories a minute,
//! each compared with one pass over its input. A history that fails tells its seed, which lives through it again:
//! `UFO_SEED=… UFO_HISTORIES=1 cargo test -p embedded --test simulation -- --nocapture`.

mod draw;
mod faulty;
mod history;
mod outcome;
mod scheduler;
mod topology;

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use embedded::EmbeddedLog;
use history::History;
use tempfile::TempDir;

const HISTORIES: u64 = 500;
const LAST_LINES: usize = 60;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// A folder in memory where there is such: these logs need not outlive anything.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a folder")
}

/// What happened in a history, and whether it came out as it had to.
fn lived(seed: u64) -> (Vec<String>, Result<(), String>) {
    let folder = folder();
    let log = EmbeddedLog::open(folder.path()).expect("a log");
    let mut history = History::new(log, seed);
    let outcome = history.run();
    (history.told, outcome)
}

#[test]
fn every_history_comes_out_as_one_pass_over_its_input() {
    let first = number("UFO_SEED").unwrap_or(1);
    let histories = number("UFO_HISTORIES").unwrap_or(HISTORIES);
    eprintln!("UFO_SEED={first} UFO_HISTORIES={histories}");
    let next = AtomicU64::new(first);
    let live = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= first + histories {
            return;
        }
        let (told, outcome) = lived(seed);
        if let Err(wrong) = outcome {
            for line in &told[told.len().saturating_sub(LAST_LINES)..] {
                eprintln!("{line}");
            }
            panic!("UFO_SEED={seed}: {wrong}");
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(live);
        }
    });
}

#[test]
fn a_seed_lives_through_the_same_history_again() {
    for seed in [3, 5, 8] {
        assert_eq!(lived(seed).0, lived(seed).0, "UFO_SEED={seed}");
    }
}
