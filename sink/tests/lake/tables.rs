//! What is in the tables, column by column; and their upkeep.

use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use delta::{Table, Vacuum};
use sink::lake::{LakeSettings, compact, vacuum};

use crate::world::World;

fn rows(world: &World, name: &str) -> Vec<RecordBatch> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let table = Table::open(world.lake.store.clone(), world.lake.table(name)).await.unwrap().unwrap();
        let mut reader = table.read_all().unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = reader.next().await.unwrap() {
            batches.push(batch);
        }
        batches
    })
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b str> {
    batch.column_by_name(name).unwrap().as_string::<i32>().iter().next().unwrap()
}

#[test]
fn a_sighting_has_typed_columns() {
    let mut world = World::local();
    world.input.add_row("7/8/1947 24:00", "roswell (in the desert)", "a saucer &amp; debris");
    world.catch_up();
    let batches = rows(&world, "silver/sightings");
    let [batch] = batches.as_slice() else { panic!("one row, {} batches", batches.len()) };
    assert_eq!(batch.num_rows(), 1);
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let occurred_at = column("occurred_at").as_primitive::<TimestampMicrosecondType>().value(0);
    assert_eq!(occurred_at, -709_516_800_000_000, "1947-07-09T00:00:00");
    assert_eq!(column("posted_on").as_primitive::<Date32Type>().value(0), 16_072);
    assert_eq!(column("year").as_primitive::<Int32Type>().value(0), 1947);
    assert_eq!(text(batch, "id"), Some(world.input.sightings[0].to_string().as_str()));
    assert_eq!(text(batch, "city"), Some("roswell (in the desert)"));
    assert_eq!(text(batch, "city_note"), Some("in the desert"));
    assert_eq!(text(batch, "country_source"), Some("given"));
    assert_eq!(text(batch, "comments"), Some("a saucer & debris"));
    assert_eq!(text(batch, "season"), Some("summer"));
    assert_eq!(column("duration_ms").as_primitive::<Int64Type>().value(0), 120_000);
    assert_eq!(column("latitude").as_primitive::<Float64Type>().value(0), 47.6);
    let quality = column("quality").as_list::<i32>().value(0);
    assert_eq!(quality.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["hour_24"]);
}

#[test]
fn a_reject_has_its_bytes() {
    let mut world = World::local();
    world.input.add_row("no date", "ulm", "x");
    world.catch_up();
    let batch = rows(&world, "silver/rejects").remove(0);
    assert_eq!(text(&batch, "code"), Some("datetime_invalid"));
    assert_eq!(text(&batch, "topic"), Some("ufo.raw"));
    let bytes = batch.column_by_name("bytes").unwrap().as_binary::<i32>().value(0);
    assert!(bytes.starts_with(b"{\"datetime\":\"no date\""));
    let raw = rows(&world, "bronze/raw").remove(0);
    assert_eq!(text(&raw, "value").map(str::as_bytes), Some(bytes));
    assert!(!batch.column_by_name("is_cut").unwrap().as_boolean().value(0));
}

#[test]
fn gold_has_keys_and_means() {
    let mut world = World::local();
    world.input.add_row("7/8/1947 10:00", "ulm", "one");
    world.input.add_row("7/8/1948 10:00", "ulm", "two");
    world.catch_up();
    let batch = rows(&world, "gold/place_month").remove(0);
    let long = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().value(0);
    assert_eq!((text(&batch, "country"), text(&batch, "city")), (Some("us"), Some("ulm")));
    assert_eq!(batch.column_by_name("month").unwrap().as_primitive::<Int32Type>().value(0), 7);
    assert_eq!((long("count"), long("total_duration_ms"), long("mean_duration_ms")), (2, 240_000, 120_000));
    assert_eq!(batch.num_rows(), 1);
    let facts = world.facts();
    assert_eq!(facts.gold().count(), facts.aggregates.len());
}

#[test]
fn upkeep_changes_no_row() {
    for mut world in World::all() {
        for _ in 0..3 {
            world.input.add(200);
            world.catch_up();
        }
        let files = |name: &str| world.table(name).unwrap().snapshot().files.len();
        let sightings = world.tables().sightings();
        let before = files(&sightings);
        let done = compact(&world.lake, &world.input.topics, 1024 * 1024).unwrap();
        assert_eq!(done.len(), 13);
        assert!(files(&sightings) < before);
        assert_eq!(files("bronze/raw"), 1);
        world.assert_exact();
        let options = Vacuum { retention: Duration::ZERO, dry_run: false, is_alone: true };
        let removed = vacuum(&world.lake, &world.input.topics, options).unwrap();
        assert!(removed.iter().all(|(name, _)| name.contains('/')));
        assert!(removed.iter().map(|(_, done)| done.data_files.len()).sum::<usize>() > 0);
        world.assert_exact();
        // The sink goes on where it was: compaction moves no application.
        world.input.add(100);
        world.catch_up();
        world.assert_exact();
    }
}

#[test]
fn generations_share_bronze_only() {
    let mut world = World::local();
    world.input.add(50);
    world.catch_up();
    let topics = domain::Topics::new("ufo", "v2");
    for topic in [topics.sightings(), topics.rejects(), topics.aggregates()] {
        world.input.log.create(&topic, 1);
    }
    let settings = LakeSettings { topics: topics.clone(), ..world.settings() };
    world.run(&settings).unwrap();
    world.assert_exact();
    let facts = sink::lake::lake_facts_of(&world.lake, &topics).unwrap();
    assert_eq!((facts.raw, facts.sightings.len(), facts.aggregates.len()), (50, 0, 0));
}
