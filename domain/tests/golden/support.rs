//! The clean row that every case starts from, and the way it goes.

use domain::{Atlas, COLUMNS, Header, Outcome, RawRecord, RejectCode, SightingId, Verdict, judge, wire};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Short names of the columns, in their order, and a row in which nothing is repaired.
pub(crate) const CLEAN: [(&str, &str); 11] = [
    ("datetime", "10/10/1949 20:30"),
    ("city", "san marcos"),
    ("state", "tx"),
    ("country", "us"),
    ("shape", "cylinder"),
    ("duration_seconds", "2700"),
    ("duration_text", "45 minutes"),
    ("comments", "It flew."),
    ("date_posted", "4/27/2004"),
    ("latitude", "29.8830556"),
    ("longitude", "-97.9411111"),
];

pub(crate) static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);

pub(crate) fn header() -> Header {
    Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap()
}

/// Key and value in `ufo.raw` of the clean row with these columns changed.
pub(crate) fn raw(changes: &[(&str, &[u8])]) -> (SightingId, Vec<u8>) {
    for (column, _) in changes {
        assert!(CLEAN.iter().any(|(name, _)| name == column), "no column {column}");
    }
    let value = |(name, clean): (&str, &'static str)| {
        changes.iter().find(|(column, _)| *column == name).map_or(clean.as_bytes(), |(_, found)| found)
    };
    let mut out = Vec::new();
    let id = wire::encode_row(&header(), CLEAN.map(value), &mut out);
    (id, out)
}

pub(crate) fn judged<'a>(key: &'a [u8], value: &'a [u8]) -> Verdict<'a> {
    judge(RawRecord { key: Some(key), value: Some(value) }, &ATLAS)
}

/// The sighting as JSON.
pub(crate) fn sighting(changes: &[(&str, &[u8])]) -> Map<String, Value> {
    let (id, value) = raw(changes);
    let key = id.to_string();
    let verdict = judged(key.as_bytes(), &value);
    assert_eq!(verdict.id, id);
    let Outcome::Sighting(sighting) = verdict.outcome else { panic!("rejected: {:?}", verdict.outcome) };
    let mut out = Vec::new();
    wire::encode_sighting(&sighting, &mut out);
    assert_eq!(wire::decode_sighting(&out).unwrap(), sighting);
    serde_json::from_slice(&out).unwrap()
}

pub(crate) fn check(changes: &[(&str, &[u8])], expected: &[(&str, Value)]) {
    let found = sighting(changes);
    for (field, value) in expected {
        assert_eq!(found.get(*field), Some(value), "{field}");
    }
    if !expected.iter().any(|(field, _)| *field == "quality") {
        assert_eq!(found["quality"], serde_json::json!([]));
    }
}

/// Why a record is refused.
pub(crate) fn code(key: Option<&[u8]>, value: Option<&[u8]>) -> RejectCode {
    let verdict = judge(RawRecord { key, value }, &ATLAS);
    match verdict.outcome {
        Outcome::Reject(rejection) => {
            assert!(!rejection.message.is_empty());
            rejection.code
        }
        Outcome::Sighting(sighting) => panic!("a sighting: {sighting:?}"),
    }
}
