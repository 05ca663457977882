//! The figures known for the real file, where it is: `UFO_REAL_CSV=sightings-72546.csv.gz cargo test -p domain`.
//! The file's terms forbid passing it on, so that this test is skipped without it and says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{Aggregate, Atlas, Column, Header, Key, Outcome, Part, RawRecord, Totals, View, judge, wire};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};

/// Rows of the file as key and value of `ufo.raw`.
fn records(path: &str) -> Vec<([u8; 32], Vec<u8>)> {
    let file = File::open(path).unwrap_or_else(|error| panic!("UFO_REAL_CSV={path}: {error}"));
    let bytes: Box<dyn Read> = match path.ends_with(".gz") {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = Header::parse(reader.byte_headers().unwrap().iter()).unwrap();
    let record = |row: csv::Result<csv::ByteRecord>| {
        let mut value = Vec::new();
        let id = wire::encode_row(&header, &row.unwrap(), &mut value);
        (id.to_hex(), value)
    };
    reader.byte_records().map(record).collect()
}

/// Counted raw, by the columns as found.
#[derive(Default)]
struct AsFound {
    country: BTreeMap<String, u64>,
    month: [u64; 12],
    place: BTreeMap<(String, String), u64>,
    shape: BTreeMap<String, u64>,
}

impl AsFound {
    fn add(&mut self, value: &[u8]) {
        let Ok(domain::Raw::Row(row)) = wire::decode_raw(value) else { panic!("every row is well-formed") };
        *self.country.entry(row.get(Column::Country).to_owned()).or_default() += 1;
        let month: usize = row.get(Column::Datetime).split('/').next().unwrap().parse().unwrap();
        self.month[month - 1] += 1;
        let place = (row.get(Column::City).to_owned(), row.get(Column::State).to_owned());
        *self.place.entry(place).or_default() += 1;
        *self.shape.entry(row.get(Column::Shape).to_owned()).or_default() += 1;
    }
}

fn top<K: Clone>(counts: &BTreeMap<K, u64>, places: usize) -> Vec<(K, u64)> {
    let mut top: Vec<_> = counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
    top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    top.truncate(places);
    top
}

#[test]
fn the_known_figures() {
    let Ok(path) = std::env::var("UFO_REAL_CSV") else {
        // Not eprintln!, which the test runner swallows.
        writeln!(std::io::stderr(), "SKIPPED the real file's figures: UFO_REAL_CSV names no file").unwrap();
        return;
    };
    let records = records(&path);
    let atlas = Atlas::new();
    let mut found = AsFound::default();
    let mut totals = Totals::new();
    for (key, value) in &records {
        found.add(value);
        totals.add(RawRecord { key: Some(key), value: Some(value) }, &atlas);
    }
    let countries = [("", 6_268), ("au", 138), ("ca", 745), ("de", 22), ("gb", 421), ("us", 64_952)];
    assert_eq!(found.country, countries.map(|(country, count)| (country.to_owned(), count)).into());
    let months = [5_126, 4_243, 4_918, 4_972, 4_713, 7_213, 8_584, 7_668, 6_870, 6_857, 6_232, 5_150];
    assert_eq!(found.month, months);
    let places = [(("seattle", "wa"), 517), (("phoenix", "az"), 446), (("las vegas", "nv"), 363)];
    let places = places.map(|((city, state), count)| ((city.to_owned(), state.to_owned()), count));
    assert_eq!(top(&found.place, 3), places);
    let shapes = [("light", 14_986), ("triangle", 7_213), ("circle", 6_798)];
    assert_eq!(top(&found.shape, 3), shapes.map(|(shape, count)| (shape.to_owned(), count)));

    assert_eq!((totals.rows, totals.duplicates, totals.sightings), (72_546, 29, 72_517));
    assert_eq!(totals.rejected(), 0);
    check_views(&totals);
    check_quality(&records, &atlas);
}

/// Every view holds every sighting once.
fn check_views(totals: &Totals) {
    let mut whole: BTreeMap<View, Aggregate> = BTreeMap::new();
    for (key, aggregate) in &totals.aggregates {
        let (view, key) = Key::parse(key).unwrap();
        assert_eq!(key.0.len(), view.key_fields().len());
        whole.entry(view).or_default().merge(aggregate);
    }
    assert_eq!(whole.len(), View::ALL.len() - 1, "all but the arrivals");
    for (view, aggregate) in &whole {
        assert_eq!(aggregate, &whole[&View::Country], "{view:?}");
        assert_eq!(aggregate.count, totals.sightings);
    }
    let all = whole[&View::Country];
    assert_eq!((all.with_duration, all.implausible), (72_517, 41));
    assert_eq!(all.first_occurred_at.unwrap().to_string(), "1910-01-02T00:00:00");
    let us = &totals.aggregates[&Key(vec![Part::Text("us".into())]).record_key(View::Country)];
    assert!(us.count > 64_952, "US states without a country count too: {}", us.count);
}

/// What was repaired and inferred, counted before duplicates are taken out: a rule that moves one of these
/// figures moves what people see.
fn check_quality(records: &[([u8; 32], Vec<u8>)], atlas: &Atlas) {
    let mut flags: BTreeMap<&str, u64> = BTreeMap::new();
    let mut sources: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, value) in records {
        let Outcome::Sighting(sighting) =
            judge(RawRecord { key: Some(key), value: Some(value) }, atlas).outcome
        else {
            panic!("no row is refused")
        };
        sighting.quality.iter().for_each(|flag| *flags.entry(flag.name()).or_default() += 1);
        *sources.entry(sighting.country_source.name()).or_default() += 1;
    }
    let expected = [
        ("country_inferred", 6_252),
        ("duration_implausible", 41),
        ("duration_repaired", 2),
        ("hour_24", 541),
        ("posted_before_occurred", 1),
    ];
    assert_eq!(flags, expected.into());
    let expected =
        [("city_note", 852), ("coordinates", 100), ("given", 66_278), ("state", 5_300), ("unknown", 16)];
    assert_eq!(sources, expected.into());
}
