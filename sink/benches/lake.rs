//! How fast records go through the lake's readers: from a log in memory into a store in memory. Each bench has records
//! in one topic only.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

#[expect(dead_code, reason = "the tests move its groups about, a bench does not")]
#[path = "../tests/lake/log.rs"]
mod log;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use delta::Lake;
use divan::counter::ItemsCount;
use domain::{Atlas, COLUMNS, Header, Outcome, RawRecord, Topics, judge, wire};
use log::MemoryLog;
use object_store::memory::InMemory;
use object_store::path::Path;
use service::Shutdown;
use sink::lake::{LakeSettings, run_lake};

const ROWS: u32 = 300_000;
const CITIES: [&str; 5] = ["seattle", "phoenix", "las vegas", "portland", "san diego (near the bay)"];
const SHAPES: [&str; 6] = ["light", "triangle", "circle", "fireball", "unknown", "disk"];

fn main() {
    divan::main();
}

fn empty() -> (MemoryLog, Topics) {
    let (log, topics) = (MemoryLog::default(), Topics::new("ufo", "v1"));
    for topic in [topics.raw(), topics.sightings(), topics.rejects(), topics.aggregates()] {
        log.create(&topic, 1);
    }
    (log, topics)
}

/// Rows of seventy years, with comments as long as the real ones.
fn each_row(mut each: impl FnMut(&[u8], &[u8])) {
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    let mut value = Vec::new();
    for number in 0..ROWS {
        let spread = number.wrapping_mul(2_654_435_761) >> 8;
        let (month, day, year) = (1 + spread % 12, 1 + spread % 28, 1944 + spread % 70);
        let datetime = format!("{month}/{day}/{year} {}:{:02}", spread % 24, spread % 60);
        let city = CITIES[(spread % 5) as usize];
        let comments = format!(
            "I saw {} lights over {city} moving {} at {} o&#39clock, then {spread:x} more of them came, silent",
            spread % 9,
            spread % 360,
            spread % 12,
        );
        let latitude = format!("{:.6}", 30.0 + f64::from(spread % 100_000) / 5_000.0);
        let longitude = format!("-{:.6}", 80.0 + f64::from(spread % 90_000) / 3_000.0);
        let shape = SHAPES[(spread % 6) as usize];
        let fields = [
            &datetime,
            city,
            "wa",
            "us",
            shape,
            "300",
            "5 minutes",
            &comments,
            "1/16/2014",
            &latitude,
            &longitude,
        ];
        value.clear();
        let id = wire::encode_row(&header, fields.map(str::as_bytes), &mut value);
        each(&id.to_hex(), &value);
    }
}

fn run(log: &MemoryLog, topics: &Topics) {
    let lake = Lake { store: Arc::new(InMemory::new()), root: Path::default(), url: "memory".into() };
    let settings = LakeSettings::new(topics.clone(), lake);
    run_lake(log, &settings, Some(&AtomicBool::new(true)), &Shutdown::new()).unwrap();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn bronze(bencher: divan::Bencher<'_, '_>) {
    let (log, topics) = empty();
    each_row(|key, value| {
        log.append(&topics.raw(), 0, Some(key), Some(value));
    });
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| run(&log, &topics));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn silver(bencher: divan::Bencher<'_, '_>) {
    let (log, topics) = empty();
    let atlas = Atlas::new();
    let mut out = Vec::new();
    each_row(|key, value| {
        out.clear();
        let record = RawRecord { key: Some(key), value: Some(value) };
        if let Outcome::Sighting(sighting) = judge(record, &atlas).outcome {
            wire::encode_sighting(&sighting, &mut out);
            log.append(&topics.sightings(), 0, Some(key), Some(&out));
        }
    });
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| run(&log, &topics));
}
