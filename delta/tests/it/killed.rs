//! A process that is killed at any moment while it writes to a folder.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use delta::{Lake, Vacuum};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::place;
use crate::rows::{FAR_MS, NAME, committed, data_objects, offsets, opened, step, up_to};

/// Names the folder to the child, which is this test binary again.
const FOLDER: &str = "UFO_DELTA_KILLED_FOLDER";
const ROUNDS: usize = 15;

/// Not a test: what the child does until it is killed.
#[tokio::test]
async fn child_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let lake = Lake::open(&folder).unwrap();
    let mut table = opened(&lake).await;
    table.set_checkpoint_interval(4);
    loop {
        let from = table.snapshot().transaction("raw/0");
        committed(&mut table, &step("raw/0", from, from.unwrap_or(0) + 7)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_repeatedly_leaves_whole_commits() {
    let place = place::folder().unwrap();
    let folder = place.folder.as_ref().unwrap().path();
    let seed = uuid::Uuid::new_v4().as_u64_pair().0;
    eprintln!("delta: kill -9 with seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let mut reached = 0;
    for _ in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::child_writes_until_it_is_killed", "--exact"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(random.random_range(5..250)));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "the child ended by itself");
        let table = opened(&place.lake).await;
        let end = table.snapshot().transaction("raw/0").unwrap_or(0);
        assert!(end >= reached);
        reached = end;
        assert_eq!(offsets(&place.lake).await, up_to(end));
    }
    assert!(reached > 0, "no child came to its first commit");
    // What the killed ones left half-written is seen by nobody, and goes.
    place.lake.remove_leftovers(NAME, Duration::ZERO, FAR_MS).unwrap();
    let mut table = opened(&place.lake).await;
    table.vacuum(Vacuum { retention: Duration::ZERO, dry_run: false, is_alone: true }, FAR_MS).await.unwrap();
    assert_eq!(data_objects(&place.lake).await.len(), table.snapshot().files.len());
    let on_disk = names(&folder.join(NAME));
    assert!(on_disk.iter().all(|name| !name.contains('#')), "{on_disk:?}");
    assert_eq!(offsets(&place.lake).await, up_to(reached));
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let of = |entry: std::fs::DirEntry| {
        let is_folder = entry.file_type().unwrap().is_dir();
        if is_folder { names(&entry.path()) } else { vec![entry.file_name().to_string_lossy().into_owned()] }
    };
    entries.flat_map(of).collect()
}
