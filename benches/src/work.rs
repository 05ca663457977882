//! The pure functions at work on synthetic rows with the real file's skews and dirt. What is measured is what grows with
//! the rows: each work prepares one block of them and goes over it again and again.

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::hint::black_box;

use domain::{Aggregate, Atlas, COLUMNS, Header, Outcome, RawRecord, SightingId, View, judge, keys_of, wire};
use hashbrown::HashMap;

/// Does its work for so many rows.
type Work = fn(u32);

pub(crate) const WORKS: [(&str, Work); 5] = [
    ("encode_raw", encode_raw),
    ("decode_raw", decode_raw),
    ("clean", clean),
    ("clean_and_encode", clean_and_encode),
    ("clean_and_combine_views", clean_and_combine_views),
];

/// Rows of a block.
const BLOCK: u32 = 1_000;
const SEED: u64 = 1;

/// The same maps in every run.
type Hasher = BuildHasherDefault<DefaultHasher>;

fn header() -> Header {
    Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).expect("all columns")
}

/// The rows of a block, each with its eleven fields.
fn fields() -> Vec<Vec<Vec<u8>>> {
    let mut file = Vec::new();
    producer::generate::write_csv(SEED, BLOCK.into(), &mut file).expect("memory takes it");
    let mut reader = csv::Reader::from_reader(file.as_slice());
    let records = reader.byte_records().map(|record| record.expect("a row"));
    records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}

/// Keys and values of `ufo.raw`.
fn records() -> Vec<([u8; 32], Vec<u8>)> {
    let header = header();
    let encoded = |row: &Vec<Vec<u8>>| {
        let mut value = Vec::new();
        let id: SightingId = wire::encode_row(&header, row.iter().map(Vec::as_slice), &mut value);
        (id.to_hex(), value)
    };
    fields().iter().map(encoded).collect()
}

/// Goes over a block's rows until it has had so many.
fn over<T>(block: &[T], rows: u32, each: impl FnMut(&T)) {
    block.iter().cycle().take(rows as usize).for_each(each);
}

fn encode_raw(rows: u32) {
    let (header, mut out) = (header(), Vec::new());
    over(&fields(), rows, |row| {
        out.clear();
        black_box(wire::encode_row(&header, row.iter().map(Vec::as_slice), &mut out));
    });
}

fn decode_raw(rows: u32) {
    over(&records(), rows, |(_, value)| {
        black_box(wire::decode_raw(value).map(|raw| raw.id()).ok());
    });
}

fn clean(rows: u32) {
    let atlas = Atlas::new();
    over(&records(), rows, |(key, value)| {
        black_box(judge(RawRecord { key: Some(key), value: Some(value) }, &atlas));
    });
}

fn clean_and_encode(rows: u32) {
    let (atlas, mut out) = (Atlas::new(), Vec::new());
    over(&records(), rows, |(key, value)| {
        out.clear();
        if let Outcome::Sighting(sighting) =
            judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).outcome
        {
            wire::encode_sighting(&sighting, &mut out);
        }
        black_box(&out);
    });
}

/// All views, combined as in transactions of a block each, and each combined value encoded.
fn clean_and_combine_views(rows: u32) {
    let (atlas, mut scratch, mut out) = (Atlas::new(), Vec::new(), Vec::new());
    let mut combined: HashMap<Vec<u8>, (View, Aggregate), Hasher> = HashMap::default();
    let mut row = 0;
    over(&records(), rows, |(key, value)| {
        if let Outcome::Sighting(sighting) =
            judge(RawRecord { key: Some(key), value: Some(value) }, &atlas).outcome
        {
            let delta = Aggregate::of(&sighting);
            keys_of(&sighting, &mut scratch, |view, key| {
                combined.entry_ref(key).or_insert((view, Aggregate::default())).1.merge(&delta);
            });
        }
        row += 1;
        if row % BLOCK == 0 {
            for (key, (view, aggregate)) in combined.drain() {
                out.clear();
                wire::encode_aggregate(view, &key, &aggregate, &mut out);
                black_box(&out);
            }
        }
    });
}
