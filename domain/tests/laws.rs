//! Laws that hold for every input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    Aggregate, Atlas, COLUMNS, CivilTime, Header, Key, Origin, Outcome, Part, Raw, RawRecord, Reject,
    RejectCode, Rejection, SightingId, Totals, View, clean, judge, keys_of, wire,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);
static HEADER: LazyLock<Header> =
    LazyLock::new(|| Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap());

/// Pieces that rules look for, so that random rows meet them.
const PIECES: [&str; 48] = [
    "10/10/1949",
    " ",
    "20:30",
    "24:00",
    "1999-12-31",
    "T",
    "Z",
    "/",
    ":",
    "-",
    ".",
    ",",
    "0",
    "1",
    "9",
    "33",
    "1200",
    "`",
    "q",
    "e",
    "us",
    "US",
    "(",
    ")",
    "(uk/england)",
    "(south korea",
    "georgia",
    "near",
    "&amp;",
    "&#44",
    "&#",
    "&#x41;",
    "quot;",
    "&",
    ";",
    "\u{a0}",
    "\u{130}",
    "é",
    "half",
    "an",
    "hour",
    "min",
    "to",
    "1/2",
    "couple",
    "few",
    "twenty",
    "\"\\",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(select(PIECES.as_slice()), 0..8).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..20),
    ]
}

fn datetime() -> impl Strategy<Value = Vec<u8>> {
    let valid = (1u32..=12, 1u32..=28, 1i32..=9999, 0u32..=24).prop_map(|(month, day, year, hour)| {
        format!("{month}/{day}/{year:04} {hour}:{}", if hour == 24 { "00" } else { "59" }).into_bytes()
    });
    prop_oneof![3 => valid, 1 => text()]
}

fn fields() -> impl Strategy<Value = Vec<Vec<u8>>> {
    (datetime(), vec(text(), 10)).prop_map(|(datetime, rest)| [vec![datetime], rest].concat())
}

fn record(fields: &[Vec<u8>]) -> (SightingId, Vec<u8>) {
    let mut value = Vec::new();
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    let id = wire::encode_row(&HEADER, fields, &mut value);
    (id, value)
}

fn time() -> impl Strategy<Value = CivilTime> {
    (-62_135_596_800i64..=253_402_300_799).prop_map(|seconds| CivilTime::from_seconds(seconds).unwrap())
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let count = 0..=u64::MAX / 8;
    let total = 0..=u128::MAX / 8;
    (
        count.clone(),
        count.clone(),
        count,
        total.clone(),
        total,
        any::<[Option<u64>; 2]>(),
        [option::of(time()), option::of(time())],
    )
        .prop_map(
            |(count, with_duration, implausible, total, plausible, [max, max_plausible], [first, last])| {
                Aggregate {
                    count,
                    with_duration,
                    total_duration_ms: total,
                    max_duration_ms: max,
                    implausible,
                    total_plausible_ms: plausible,
                    max_plausible_ms: max_plausible,
                    first_occurred_at: first,
                    last_occurred_at: last,
                }
            },
        )
}

fn merged(left: &Aggregate, right: &Aggregate) -> Aggregate {
    let mut sum = *left;
    sum.merge(right);
    sum
}

fn key() -> impl Strategy<Value = (View, Key)> {
    let part = prop_oneof![
        Just(Part::Null),
        any::<i64>().prop_map(Part::Number),
        any::<String>().prop_map(Part::Text),
    ];
    (select(View::ALL.as_slice()), vec(part, 1..5).prop_map(Key))
}

/// At least 512 cases of each law; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(512), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn merging_is_commutative_and_associative(a in aggregate(), b in aggregate(), c in aggregate()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &Aggregate::empty()), a);
    }

    #[test]
    fn judging_is_total(key in option::of(vec(any::<u8>(), 0..40)), value in option::of(vec(any::<u8>(), 0..200))) {
        judge(RawRecord { key: key.as_deref(), value: value.as_deref() }, &ATLAS);
    }

    #[test]
    fn judging_any_json_is_total(value in "[\\[{][\\[\\]{},:\"a-c0-9]{0,40}[\\]}]", row in fields()) {
        judge(RawRecord { key: None, value: Some(value.as_bytes()) }, &ATLAS);
        let (id, mut raw) = record(&row);
        let middle = raw.len() / 2;
        raw.splice(middle..middle, value.bytes());
        judge(RawRecord { key: Some(&id.to_hex()), value: Some(&raw) }, &ATLAS);
    }

    #[test]
    fn a_row_comes_back_as_found_under_its_id(row in fields()) {
        let (id, value) = record(&row);
        let raw = wire::decode_raw(&value).unwrap();
        prop_assert_eq!(raw.id(), id);
        let Raw::Row(raw) = raw else { panic!("eleven fields are a row") };
        let are_utf8 = row.iter().all(|field| std::str::from_utf8(field).is_ok());
        prop_assert_eq!(raw.is_encoding_repaired(), !are_utf8);
        for (column, field) in domain::Column::ALL.into_iter().zip(&row) {
            if let Ok(field) = std::str::from_utf8(field) {
                prop_assert_eq!(raw.get(column), field);
            }
        }
    }

    /// Rows of the usual shape are read by a quicker way; a blank makes the same row take the long one.
    #[test]
    fn the_quick_way_reads_what_the_long_one_reads(row in fields(), cut in any::<prop::sample::Index>(), put in select(PIECES.as_slice())) {
        let (_, value) = record(&row);
        let long_way = |value: &[u8]| [b"{ ", &value[1..]].concat();
        let long = long_way(&value);
        prop_assert_eq!(wire::decode_raw(&value), wire::decode_raw(&long));
        let mut changed = String::from_utf8(value).unwrap();
        let mut place = cut.index(changed.len()).max(1);
        while !changed.is_char_boundary(place) {
            place -= 1;
        }
        changed.insert_str(place.max(1), put);
        let (quick, long) = (changed.as_bytes(), long_way(changed.as_bytes()));
        // Messages name the place in the text, which the blank moves.
        let code = |read: Result<Raw<'_>, Rejection>| read.map(|raw| raw.id()).map_err(|rejection| rejection.code);
        prop_assert_eq!(code(wire::decode_raw(quick)), code(wire::decode_raw(&long)));
    }

    #[test]
    fn a_misfit_comes_back_under_its_id(row in vec(text(), 0..20)) {
        prop_assume!(row.len() != 11);
        let (id, value) = record(&row);
        let raw = wire::decode_raw(&value).unwrap();
        prop_assert_eq!(raw.id(), id);
        let Raw::Misfit(misfit) = raw else { panic!("a misfit") };
        prop_assert_eq!(misfit.fields.len(), row.len());
    }

    #[test]
    fn rows_differ_where_their_ids_do(left in fields(), right in fields()) {
        prop_assert_eq!(record(&left).0 == record(&right).0, left == right);
    }

    #[test]
    fn an_oversized_row_comes_back(head in vec(any::<u8>(), 0..80), length in any::<u64>(), hash in any::<[u8; 16]>()) {
        let hash = SightingId::from_bytes(hash);
        let mut value = Vec::new();
        let id = wire::encode_oversized(&head, length, hash, &mut value);
        let raw = wire::decode_raw(&value).unwrap();
        prop_assert_eq!(raw.id(), id);
        let is_same = matches!(raw, Raw::Oversized { length: l, hash: h, .. } if (l, h) == (length, hash));
        prop_assert!(is_same);
    }

    #[test]
    fn a_sighting_comes_back(row in fields()) {
        let (id, value) = record(&row);
        let key = id.to_hex();
        if let Outcome::Sighting(sighting) = judge(RawRecord { key: Some(&key), value: Some(&value) }, &ATLAS).outcome {
            let mut out = Vec::new();
            wire::encode_sighting(&sighting, &mut out);
            prop_assert_eq!(wire::decode_sighting(&out).unwrap(), sighting);
        }
    }

    #[test]
    fn cleaning_is_the_same_with_borrowed_and_owned_texts(row in fields()) {
        let (_, value) = record(&row);
        let Ok(Raw::Row(borrowed)) = wire::decode_raw(&value) else { panic!("eleven fields are a row") };
        let owned = domain::RawSighting::new(domain::Column::ALL.map(|column| Cow::Owned(borrowed.get(column).to_owned())));
        // A copy knows nothing of the bytes as found.
        if !borrowed.is_encoding_repaired() {
            prop_assert_eq!(clean(&borrowed, &ATLAS), clean(&owned, &ATLAS));
        }
    }

    #[test]
    fn a_reject_comes_back(
        id in any::<[u8; 16]>(), code in select(RejectCode::ALL.as_slice()), message in any::<String>(), topic in any::<String>(),
        partition in any::<i32>(), offset in any::<i64>(), timestamp_ms in -62_135_596_800_000i64..=253_402_300_799_999,
        key in option::of(vec(any::<u8>(), 0..40)), value in vec(any::<u8>(), 0..80),
    ) {
        let origin = Origin { topic: &topic, partition, offset, timestamp_ms, key: key.as_deref(), value: Some(&value) };
        let reject = Reject::new(SightingId::from_bytes(id), Rejection::new(code, message), origin);
        let mut out = Vec::new();
        wire::encode_reject(&reject, &mut out);
        prop_assert_eq!(wire::decode_reject(&out).unwrap(), reject);
    }

    #[test]
    fn an_aggregate_comes_back((view, key) in key(), aggregate in aggregate()) {
        let record_key = key.record_key(view);
        prop_assert_eq!(Key::parse(&record_key), Some((view, key.clone())));
        let mut out = Vec::new();
        wire::encode_aggregate(view, &record_key, &aggregate, &mut out);
        prop_assert_eq!(wire::decode_aggregate(&out).unwrap(), (view, key, aggregate));
        let mut compact = Vec::new();
        wire::encode_compact(&aggregate, &mut compact);
        prop_assert_eq!(wire::decode_compact(&compact).unwrap(), aggregate);
    }

    #[test]
    fn deltas_come_back(deltas in vec((vec(any::<u8>(), 0..300), aggregate()), 0..10)) {
        let mut block = Vec::new();
        wire::encode_deltas(deltas.iter().map(|(key, aggregate)| (key.as_slice(), aggregate)), &mut block);
        let read: Vec<_> = wire::decode_deltas(&block).map(Result::unwrap).collect();
        prop_assert_eq!(read, deltas.iter().map(|(key, aggregate)| (key.as_slice(), *aggregate)).collect::<Vec<_>>());
    }

    #[test]
    fn decoding_any_bytes_is_total(bytes in vec(any::<u8>(), 0..200)) {
        let _ = wire::decode_raw(&bytes);
        let _ = wire::decode_sighting(&bytes);
        let _ = wire::decode_reject(&bytes);
        let _ = wire::decode_aggregate(&bytes);
        let _ = wire::decode_compact(&bytes);
        let _ = Key::parse(&bytes);
        prop_assert!(wire::decode_deltas(&bytes).count() <= bytes.len() + 1);
    }

    /// However the rows are cut into transactions, combining in each and merging what comes out of them gives
    /// what one pass over all rows gives.
    #[test]
    fn combining_then_merging_equals_one_pass(rows in vec((fields(), 1usize..3), 0..20), transaction_rows in 1usize..6) {
        let records: Vec<_> = rows.iter().flat_map(|(row, times)| vec![record(row); *times]).collect();
        let mut totals = Totals::new();
        for (id, value) in &records {
            totals.add(RawRecord { key: Some(&id.to_hex()), value: Some(value) }, &ATLAS);
        }
        let mut seen = std::collections::HashSet::new();
        let mut merged: BTreeMap<Vec<u8>, Aggregate> = BTreeMap::new();
        let mut scratch = Vec::new();
        for transaction in records.chunks(transaction_rows) {
            let mut combined: HashMap<Vec<u8>, Aggregate> = HashMap::new();
            for (id, value) in transaction.iter().filter(|(id, _)| seen.insert(*id)) {
                let key = id.to_hex();
                let verdict = judge(RawRecord { key: Some(&key), value: Some(value) }, &ATLAS);
                let Outcome::Sighting(sighting) = verdict.outcome else { continue };
                keys_of(&sighting, &mut scratch, |_, key| {
                    combined.entry(key.to_vec()).or_default().merge(&Aggregate::of(&sighting));
                });
            }
            let mut block = Vec::new();
            wire::encode_deltas(combined.iter().map(|(key, aggregate)| (key.as_slice(), aggregate)), &mut block);
            for delta in wire::decode_deltas(&block) {
                let (key, delta) = delta.unwrap();
                merged.entry(key.to_vec()).or_default().merge(&delta);
            }
        }
        prop_assert_eq!(&totals.aggregates, &merged);
        prop_assert_eq!(totals.rows, totals.sightings + totals.rejected() + totals.duplicates);
        prop_assert_eq!(totals.sightings as usize + totals.reject_ids.len(), seen.len());
    }
}
