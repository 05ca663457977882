//! The sink dies and starts again: whatever was under way, every record is in the lake once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use delta::Lake;
use service::{Shutdown, clock};
use sink::lake::roller::Bounds;
use sink::lake::{LakeSettings, run_lake};

use crate::store::DyingStore;
use crate::world::World;

/// Small commits, so that there are many moments to die in.
fn small(world: &World) -> LakeSettings {
    let bounds = Bounds { commit_bytes: 1, age: Duration::from_millis(20), ..world.settings().bounds };
    LakeSettings { bounds, gold_interval: Duration::from_millis(20), ..world.settings() }
}

/// Runs until the store dies; whether it did before everything was in.
fn run_and_die(world: &World, requests: u32, last_is_carried_out: bool) -> bool {
    let mut settings = small(world);
    let store = Arc::new(DyingStore::new(settings.lake.store.clone(), requests, last_is_carried_out));
    settings.lake.store = store.clone();
    let result = world.run(&settings);
    assert_eq!(result.is_err(), store.is_dead(), "{result:?}");
    store.is_dead()
}

#[test]
fn store_crash_between_put_and_commit() {
    for mut world in World::all() {
        world.input.add(300);
        // All tables are there…
        world.catch_up();
        world.input.add(300);
        // …so that each of the next requests is a file or a commit: die after each of the first ones, both ways.
        for requests in 0..12 {
            for is_carried_out in [false, true] {
                run_and_die(&world, requests, is_carried_out);
            }
        }
        world.catch_up();
        world.assert_exact();
    }
}

/// splitmix64
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % u64::from(end)) as u32
    }
}

#[test]
fn restart_at_random_points_gives_every_record_once() {
    let seed = std::env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| clock::unix_ms().unsigned_abs());
    eprintln!("UFO_SEED={seed}");
    let mut draw = Draw(seed);
    for mut world in World::all() {
        let mut deaths = 0;
        for _ in 0..8 {
            world.input.add(u64::from(draw.below(200)));
            for _ in 0..3 {
                let (requests, is_carried_out) = (draw.below(60), draw.below(2) == 1);
                deaths += u32::from(run_and_die(&world, requests, is_carried_out));
            }
        }
        assert!(deaths > 0, "no death was early enough to matter");
        world.catch_up();
        world.assert_exact();
    }
}

#[test]
fn a_zombie_beside_its_successor_doubles_nothing() {
    for mut world in World::all() {
        world.input.add(2_000);
        let both = std::thread::scope(|scope| {
            let run = || {
                // A process of its own has connections of its own.
                let lake = Lake::open(&world.lake.url).unwrap();
                let settings = LakeSettings { lake, ..small(&world) };
                run_lake(&world.input.log, &settings, Some(&AtomicBool::new(true)), &Shutdown::new())
            };
            let zombie = scope.spawn(run);
            let successor = scope.spawn(run);
            [zombie.join().unwrap(), successor.join().unwrap()]
        });
        both.into_iter().for_each(Result::unwrap);
        world.assert_exact();
    }
}
