//! What is rejected, one of each code; nothing is dropped, and no reject hides a good row.

use super::support::{ATLAS, CLEAN, code, header, judged, raw};
use domain::{
    Aggregate, Atlas, Origin, Outcome, Raw, RawRecord, Reject, RejectCode, Totals, judge, keys_of, wire,
};

macro_rules! rejects {
    ($name:ident, $column:ident = $found:expr => $code:expr) => {
        #[test]
        fn $name() {
            let (id, value) = raw(&[(stringify!($column), $found.as_bytes())]);
            assert_eq!(code(Some(id.to_string().as_bytes()), Some(&value)), $code);
        }
    };
    ($name:ident, $value:expr => $code:expr) => {
        #[test]
        fn $name() {
            assert_eq!(code(Some(b"key"), Some(AsRef::<[u8]>::as_ref($value))), $code);
        }
    };
}

rejects!(datetime_without_date, datetime = "soon" => RejectCode::DatetimeInvalid);
rejects!(datetime_empty, datetime = "" => RejectCode::DatetimeInvalid);
rejects!(datetime_half_past_24, datetime = "10/10/1949 24:30" => RejectCode::DatetimeInvalid);
rejects!(datetime_two_digit_year, datetime = "10/10/49 20:30" => RejectCode::DatetimeInvalid);
rejects!(datetime_day_first, datetime = "27/4/2004 20:30" => RejectCode::DatetimeInvalid);
rejects!(datetime_february_30, datetime = "2/30/2004 20:30" => RejectCode::DatetimeInvalid);

rejects!(no_json, "what?" => RejectCode::NotJson);
rejects!(no_utf_8, b"{\"city\":\"\xff\"}" => RejectCode::NotJson);
rejects!(json_and_more, "{} {}" => RejectCode::NotJson);
rejects!(empty, "" => RejectCode::NotJson);
rejects!(half_a_surrogate, r#"{"city":"\ud800"}"# => RejectCode::NotJson);
rejects!(deep, &"[".repeat(100_000) => RejectCode::NotJson);
rejects!(a_list, "[1,[2],{\"a\":3}]" => RejectCode::NotAnObject);
rejects!(a_number, "-1.5" => RejectCode::NotAnObject);
rejects!(a_string, "\"datetime\"" => RejectCode::NotAnObject);
rejects!(null, "null" => RejectCode::NotAnObject);
rejects!(no_column, "{}" => RejectCode::MissingColumn);
rejects!(a_field_of_a_misfit_is_no_string, r#"{"_row":["a",1]}"# => RejectCode::NotAString);
rejects!(a_row_that_is_no_list, r#"{"_row":"a"}"# => RejectCode::MissingColumn);
rejects!(half_an_oversized, r#"{"_oversized":{"head":"a","length":-1}}"# => RejectCode::MissingColumn);

fn clean_object() -> serde_json::Map<String, serde_json::Value> {
    let (_, value) = raw(&[]);
    serde_json::from_slice(&value).unwrap()
}

#[test]
fn a_record_without_a_value_or_a_key() {
    let (_, value) = raw(&[]);
    assert_eq!(code(Some(b"key"), None), RejectCode::NotJson);
    assert_eq!(code(None, Some(&value)), RejectCode::KeyMismatch);
}

#[test]
fn each_column_is_needed_and_must_be_a_string() {
    for name in domain::COLUMNS {
        let mut object = clean_object();
        object.remove(name);
        let value = serde_json::to_vec(&object).unwrap();
        assert_eq!(code(Some(b"key"), Some(&value)), RejectCode::MissingColumn, "{name}");
        for wrong in ["1", "-1", "1.5", "null", "true", "[\"a\"]", "{\"head\":\"a\"}"] {
            object.insert(name.into(), serde_json::from_str(wrong).unwrap());
            let value = serde_json::to_vec(&object).unwrap();
            assert_eq!(code(Some(b"key"), Some(&value)), RejectCode::NotAString, "{name} {wrong}");
        }
    }
}

/// The quick way through the usual rows must not let pass what no JSON reader does.
#[test]
fn a_row_with_something_wrong_in_its_json() {
    let (id, value) = raw(&[]);
    let row = String::from_utf8(value).unwrap();
    for wrong in [
        format!("{row}{{}}"),
        format!("{row} x"),
        row.replace("It flew.", "It\nflew."),
        row.replace("It flew.", "It\\qflew."),
        row.replace("\"}", "\",}"),
        row.replace("\",\"city", "\" \"city"),
    ] {
        assert_ne!(wrong, row);
        assert_eq!(code(Some(&id.to_hex()), Some(wrong.as_bytes())), RejectCode::NotJson, "{wrong}");
    }
}

#[test]
fn unreadable_records_are_told_apart_by_all_they_are() {
    let mut totals = Totals::new();
    for (key, value) in [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x"), ("a", "[]"), ("a", "{}")] {
        totals.add(RawRecord { key: Some(key.as_bytes()), value: Some(value.as_bytes()) }, &ATLAS);
    }
    assert_eq!((totals.rejected(), totals.duplicates), (5, 1));
}

#[test]
fn extra_columns_are_not_looked_at() {
    let (id, _) = raw(&[]);
    let mut object = clean_object();
    object.insert("note".into(), serde_json::json!({"any": [1, null, {}]}));
    let value = serde_json::to_vec(&object).unwrap();
    let key = id.to_string();
    assert!(matches!(judged(key.as_bytes(), &value).outcome, Outcome::Sighting(_)));
}

#[test]
fn a_wrong_key_is_refused_and_cannot_hide_the_row() {
    let (id, value) = raw(&[]);
    let key = id.to_string();
    let wrong =
        [&key.as_bytes()[1..], b"", b"00000000000000000000000000000000", &key.to_uppercase().into_bytes()];
    let mut totals = Totals::new();
    for wrong in wrong {
        assert_eq!(code(Some(wrong), Some(&value)), RejectCode::KeyMismatch);
        totals.add(RawRecord { key: Some(wrong), value: Some(&value) }, &ATLAS);
    }
    totals.add(RawRecord { key: Some(key.as_bytes()), value: Some(&value) }, &ATLAS);
    assert_eq!((totals.rejected(), totals.sightings, totals.duplicates), (4, 1, 0));
}

#[test]
fn wrong_numbers_of_fields() {
    for width in [0, 1, 10, 12] {
        let fields: Vec<&[u8]> = (0..width).map(|field| CLEAN[field % 11].1.as_bytes()).collect();
        let mut value = Vec::new();
        let id = wire::encode_row(&header(), fields, &mut value);
        assert_eq!(code(Some(&id.to_hex()), Some(&value)), RejectCode::FieldCount);
        let object: serde_json::Value = serde_json::from_slice(&value).unwrap();
        assert_eq!(object["_row"].as_array().unwrap().len(), width);
    }
}

#[test]
fn a_row_over_the_limit_is_sent_as_its_beginning() {
    let comments = "x".repeat(wire::ROW_BYTES_MAX);
    let (id, value) = raw(&[("comments", comments.as_bytes())]);
    assert_eq!(code(Some(&id.to_hex()), Some(&value)), RejectCode::Oversized);
    let Ok(Raw::Oversized { head, length, .. }) = wire::decode_raw(&value) else { panic!() };
    assert_eq!(head.len(), wire::OVERSIZED_HEAD_BYTES);
    assert!(length > wire::ROW_BYTES_MAX as u64);
}

/// Control characters take six bytes each in JSON: no row may make a record that the broker refuses.
#[test]
fn no_row_makes_a_record_over_one_mebibyte() {
    // What brokers take by default, less the record's own frame.
    let mebibyte = 1024 * 1024 - 4096;
    for filler in ["x", "\0", "\"", "\u{130}", "&nGt;", "é", "\u{80}", "&#34;"] {
        // A note repeats all of the city in the sighting.
        let city = format!("({}", filler.repeat((wire::ROW_BYTES_MAX - 200) / filler.len()));
        let (id, value) = raw(&[("city", city.as_bytes())]);
        assert!(value.len() < mebibyte);
        let key = id.to_hex();
        let verdict = judge(RawRecord { key: Some(&key), value: Some(&value) }, &ATLAS);
        let mut out = Vec::new();
        match verdict.outcome {
            Outcome::Sighting(sighting) => {
                wire::encode_sighting(&sighting, &mut out);
                keys_of(&sighting, &mut Vec::new(), |view, key| {
                    let mut aggregate = key.to_vec();
                    wire::encode_aggregate(view, key, &Aggregate::of(&sighting), &mut aggregate);
                    assert!(aggregate.len() < mebibyte);
                });
            }
            Outcome::Reject(rejection) => {
                let origin = Origin {
                    topic: "ufo.raw",
                    partition: 0,
                    offset: 0,
                    timestamp_ms: 0,
                    key: None,
                    value: Some(&value),
                };
                wire::encode_reject(&Reject::new(id, rejection, origin), &mut out);
            }
        }
        assert!(out.len() < mebibyte, "{filler:?}: {}", out.len());
    }
}

#[test]
fn exact_duplicates_count_once_good_or_bad() {
    let atlas = Atlas::new();
    let mut totals = Totals::new();
    for found in ["10/10/1949 20:30", "soon", "10/10/1949 20:30", "soon", "10/10/1949 20:31"] {
        let (id, value) = raw(&[("datetime", found.as_bytes())]);
        totals.add(RawRecord { key: Some(&id.to_hex()), value: Some(&value) }, &atlas);
    }
    totals.add(RawRecord { key: None, value: None }, &atlas);
    totals.add(RawRecord { key: None, value: None }, &atlas);
    assert_eq!((totals.rows, totals.sightings, totals.rejected(), totals.duplicates), (7, 2, 2, 3));
}
