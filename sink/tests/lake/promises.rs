//! What the lake promises while its sink runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use engine::record::Partition;
use service::Shutdown;
use sink::lake::roller::Bounds;
use sink::lake::{LakeSettings, run_lake};

use crate::input::PARTITIONS;
use crate::log::Turn;
use crate::world::{World, wait_until};

const FOR_EVER: Duration = Duration::from_secs(100_000);

/// Nothing is committed before it has to be.
fn lazy(world: &World) -> LakeSettings {
    let bounds = Bounds { age: FOR_EVER, idle: FOR_EVER, ..world.settings().bounds };
    LakeSettings { bounds, gold_interval: FOR_EVER, ..world.settings() }
}

#[test]
fn everything_is_in_at_the_end_and_a_second_run_adds_nothing() {
    for mut world in World::all() {
        world.input.add(1_000);
        world.catch_up();
        world.assert_exact();
        let names = world.tables().all();
        let versions = || names.iter().map(|name| world.table(name).unwrap().snapshot().version).collect();
        let before: Vec<_> = versions();
        world.catch_up();
        let after: Vec<_> = versions();
        assert_eq!(before, after);
        world.assert_exact();
        for partition in 0..PARTITIONS {
            let rows = world.input.raw[&partition];
            assert_eq!(world.input.log.committed(&world.input.topics.raw(), partition), Some(rows));
        }
    }
}

#[test]
fn idle_topic_flushes() {
    let mut world = World::local();
    world.input.add(40);
    let bounds = Bounds { age: FOR_EVER, idle: Duration::from_millis(50), ..world.settings().bounds };
    let settings = LakeSettings { bounds, gold_interval: Duration::from_millis(50), ..world.settings() };
    world.beside(&settings, || {
        wait_until("the idle topics are in", || {
            let facts = world.facts();
            (facts.raw, facts.sightings.len(), facts.rejects.len()) == (40, 36, 4)
                && facts.aggregates.len() == world.input.aggregates.len()
        });
    });
    world.assert_exact();
}

#[test]
fn a_stop_commits_what_is_open() {
    let mut world = World::local();
    world.input.add(500);
    let topics = [world.input.topics.raw(), world.input.topics.sightings()];
    // Asks for a partition again once everything was handed out, which commits nothing: only a sign.
    for topic in &topics {
        world.input.log.turn(topic, [Turn::After(400), Turn::Assign(vec![])]);
    }
    world.beside(&lazy(&world), || {
        wait_until("the records are read", || {
            topics.iter().all(|topic| world.input.log.turns_left(topic) == 0)
        });
        assert_eq!(world.facts().raw, 0, "something was committed too early for this test");
    });
    assert!(world.facts().raw >= 400);
    world.catch_up();
    world.assert_exact();
}

#[test]
fn revoked_with_an_open_batch_loses_nothing() {
    for mut world in World::all() {
        world.input.add(900);
        for topic in
            [world.input.topics.raw(), world.input.topics.sightings(), world.input.topics.aggregates()]
        {
            world.input.log.turn(
                &topic,
                [Turn::After(120), Turn::Revoke(vec![0, 2]), Turn::After(200), Turn::Assign(vec![2, 0])],
            );
        }
        world.run(&lazy(&world)).unwrap();
        world.assert_exact();
    }
}

#[test]
fn lost_with_an_open_batch_doubles_nothing() {
    for mut world in World::all() {
        world.input.add(900);
        for topic in
            [world.input.topics.raw(), world.input.topics.sightings(), world.input.topics.aggregates()]
        {
            world.input.log.turn(
                &topic,
                [Turn::After(120), Turn::Lose(vec![1]), Turn::After(300), Turn::Assign(vec![1])],
            );
        }
        world.run(&lazy(&world)).unwrap();
        world.assert_exact();
    }
}

#[test]
fn overtaken_with_an_open_batch_it_reads_on_from_the_table() {
    for mut world in World::all() {
        world.input.add(600);
        let (log, settings) = (world.input.log.clone(), lazy(&world));
        let topics = [world.input.topics.raw(), world.input.topics.sightings()];
        for topic in &topics {
            log.turn(topic, [Turn::After(400), Turn::Assign(vec![])]);
        }
        let (is_due, shutdown) = (AtomicBool::new(false), Shutdown::new());
        thread::scope(|scope| {
            let overtaken = scope.spawn(|| run_lake(&log, &settings, Some(&is_due), &shutdown));
            wait_until("the records are read", || topics.iter().all(|topic| log.turns_left(topic) == 0));
            // Another sink writes the same rows first, and is gone before the next ones come.
            world.catch_up();
            world.input.add(300);
            is_due.store(true, Ordering::Release);
            overtaken.join().unwrap().unwrap();
        });
        world.assert_exact();
    }
}

#[test]
fn backlog_over_many_dates_in_bounded_memory() {
    let mut world = World::local();
    let words = "lights over the lake ".repeat(60);
    for number in 0..14_000_u32 {
        let comments = format!("{number} {words}");
        world.input.add_row(&format!("6/{}/{} 21:00", 1 + number % 28, 1945 + number % 70), "ulm", &comments);
    }
    let sizes = |bounds: Bounds| {
        let settings = LakeSettings { bounds, ..lazy(&world) };
        world.run(&settings).unwrap();
        let table = world.table(&world.tables().sightings()).unwrap();
        let mut files = BTreeMap::<_, usize>::new();
        for file in table.snapshot().files.values() {
            *files.entry(file.partition_values["year"].clone()).or_default() += 1;
        }
        files
    };
    // Seventy years do not fit: the largest are closed while others stay open, and all of them are one commit.
    let bounds = Bounds { memory_bytes: 2 * 1024 * 1024, ..lazy(&world).bounds };
    let files = sizes(bounds);
    assert_eq!(files.len(), 70);
    let spilled = files.values().filter(|files| **files > 1).count();
    assert!(spilled > 5, "nothing was closed to stay within the memory");
    assert_eq!(world.table(&world.tables().sightings()).unwrap().snapshot().version, 1);
    world.assert_exact();
}

#[test]
fn gold_never_goes_back_while_a_compacted_topic_is_read_again() {
    let mut world = World::local();
    world.input.add(200);
    world.catch_up();
    // The keys' last records are now far behind many others: a reader meets old keys first.
    world.input.log.compact(&world.input.topics.aggregates());
    world.input.add(400);
    world.input.log.compact(&world.input.topics.aggregates());
    let before = world.facts().aggregates.len();
    let topic = world.input.topics.aggregates();
    world.input.log.turn(&topic, [Turn::After(1), Turn::Revoke((0..PARTITIONS).collect())]);
    let settings = LakeSettings { gold_interval: Duration::ZERO, ..lazy(&world) };
    world.beside(&settings, || {
        wait_until("the partitions are taken away", || world.input.log.turns_left(&topic) == 0);
        clock_pause();
    });
    assert!(world.facts().aggregates.len() >= before, "keys went missing");
    world.catch_up();
    world.assert_exact();
}

fn clock_pause() {
    service::clock::pause(Duration::from_millis(50));
}

#[test]
fn a_partition_is_one_application_of_its_table() {
    let mut world = World::local();
    world.input.add(300);
    world.catch_up();
    let table = world.table(&world.tables().raw()).unwrap();
    for number in 0..PARTITIONS {
        let rows = world.input.raw[&number];
        let app_id = format!("{}/{}", world.input.topics.raw(), Partition(number));
        assert_eq!(table.snapshot().transaction(&app_id), Some(rows.cast_signed()));
    }
}
