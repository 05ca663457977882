//! Rows per second of the pure functions, alone and as the processor calls them.
//!
//! `cargo bench -p domain`; with `UFO_REAL_CSV` (not gzipped) on the real file's rows.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use domain::{Aggregate, Atlas, COLUMNS, Header, Outcome, RawRecord, SightingId, judge, keys_of, wire};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const ROWS: usize = 20_000;

fn main() {
    divan::main();
}

/// Keys and values of `ufo.raw`.
fn records() -> Vec<([u8; 32], Vec<u8>)> {
    if let Ok(path) = std::env::var("UFO_REAL_CSV") {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = Header::parse(reader.byte_headers().unwrap().iter()).unwrap();
        return reader.byte_records().take(ROWS).map(|row| encoded(&header, row.unwrap().iter())).collect();
    }
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    (0..ROWS).map(|row| synthetic(&header, row)).collect()
}

fn encoded<'a>(
    header: &Header,
    fields: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) -> ([u8; 32], Vec<u8>) {
    let mut value = Vec::new();
    let id: SightingId = wire::encode_row(header, fields, &mut value);
    (id.to_hex(), value)
}

/// Rows with the real file's lengths, keys and dirt.
fn synthetic(header: &Header, row: usize) -> ([u8; 32], Vec<u8>) {
    let places = [
        ("seattle", "wa", "us", "47.6063889", "-122.3308333"),
        ("phoenix", "az", "us", "33.4483333", "-112.0733333"),
        ("st. john&#39s (canada)", "nf", "", "47.561", "-52.71"),
        ("las vegas", "nv", "us", "36.1750000", "-115.1363889"),
        ("london (uk/england)", "", "gb", "51.514125", "-0.093689"),
    ];
    let (city, state, country, latitude, longitude) = places[row % places.len()];
    let city = if row.is_multiple_of(7) { format!("{city} {}", row % 900) } else { city.to_owned() };
    let datetime =
        format!("{}/{}/{} {}:{:02}", row % 12 + 1, row % 28 + 1, 1960 + row % 54, row % 24, row % 60);
    let shape = ["light", "triangle", "circle", "fireball", "", "disk"][row % 6];
    let seconds = (row * 7 % 3000).to_string();
    let comments = "A bright light moved slowly over the lake&#44 stopped for about a minute and then was gone; \
                    we could hear no sound at all and nobody el";
    let fields = [
        &datetime,
        &*city,
        state,
        country,
        shape,
        &seconds,
        "45 minutes",
        comments,
        "4/27/2004",
        latitude,
        longitude,
    ];
    encoded(header, fields.iter().map(|field| field.as_bytes()))
}

fn bytes(records: &[([u8; 32], Vec<u8>)]) -> usize {
    records.iter().map(|(_, value)| value.len()).sum()
}

fn over_records<T>(bencher: Bencher, mut each: impl FnMut(&[u8; 32], &[u8]) -> T) {
    let records = records();
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes(&records))).bench_local(|| {
        for (key, value) in &records {
            black_box(each(key, value));
        }
    });
}

#[divan::bench]
fn decode_raw(bencher: Bencher) {
    over_records(bencher, |_, value| wire::decode_raw(value).is_ok());
}

#[divan::bench]
fn decode_and_identify(bencher: Bencher) {
    over_records(bencher, |_, value| wire::decode_raw(value).map(|raw| raw.id()));
}

#[divan::bench]
fn judge_rows(bencher: Bencher) {
    let atlas = Atlas::new();
    over_records(bencher, |key, value| judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).id);
}

#[divan::bench]
fn judge_and_encode(bencher: Bencher) {
    let atlas = Atlas::new();
    let mut out = Vec::new();
    over_records(bencher, |key, value| {
        out.clear();
        match judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).outcome {
            Outcome::Sighting(sighting) => wire::encode_sighting(&sighting, &mut out),
            Outcome::Reject(_) => {}
        }
        out.len()
    });
}

/// What the processor does with a row, but for sending.
#[divan::bench]
fn judge_and_combine(bencher: Bencher) {
    let atlas = Atlas::new();
    let mut scratch = Vec::new();
    let mut combined: HashMap<Vec<u8>, Aggregate, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    over_records(bencher, |key, value| {
        let Outcome::Sighting(sighting) =
            judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).outcome
        else {
            return;
        };
        let delta = Aggregate::of(&sighting);
        keys_of(&sighting, &mut scratch, |_, key| match combined.get_mut(key) {
            Some(aggregate) => aggregate.merge(&delta),
            None => {
                combined.insert(key.to_vec(), delta);
            }
        });
    });
}

#[divan::bench]
fn keys(bencher: Bencher) {
    let atlas = Atlas::new();
    let records = records();
    let sightings: Vec<_> = records
        .iter()
        .filter_map(|(key, value)| {
            match judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).outcome {
                Outcome::Sighting(sighting) => Some(sighting),
                Outcome::Reject(_) => None,
            }
        })
        .collect();
    let mut scratch = Vec::new();
    bencher.counter(ItemsCount::new(sightings.len())).bench_local(|| {
        for sighting in &sightings {
            keys_of(sighting, &mut scratch, |_, key| {
                black_box(key);
            });
        }
    });
}

#[divan::bench]
fn encode_row(bencher: Bencher) {
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    let fields: [&[u8]; 11] = [
        b"10/10/1949 20:30", b"san marcos", b"tx", b"us", b"cylinder", b"2700", b"45 minutes",
        b"This event took place in early fall around 1949-50. It occurred after a Boy Scout meeting in the hall.",
        b"4/27/2004", b"29.8830556", b"-97.9411111",
    ];
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        out.clear();
        wire::encode_row(&header, black_box(fields), &mut out)
    });
}
