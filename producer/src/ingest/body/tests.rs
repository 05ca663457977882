//! Every form of a row is the same row, and no bytes make a parser panic.

use std::sync::LazyLock;

use domain::{COLUMNS, Header, RejectCode, wire};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Built once: it takes as long as thousands of rows.
static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);

const DATETIME: &str = "10/10/1949 20:30";

fn parsed(format: Format, body: impl AsRef<[u8]>) -> Result<Parsed, BodyError> {
    parse(format, body.as_ref(), &ATLAS)
}

fn fields(datetime: &str) -> [String; 11] {
    COLUMNS.map(|name| if name == "datetime" { datetime.to_owned() } else { format!("some {name}") })
}

fn object(fields: &[String; 11]) -> Value {
    COLUMNS
        .iter()
        .zip(fields)
        .map(|(name, field)| ((*name).to_owned(), Value::from(field.as_str())))
        .collect()
}

fn csv_of(rows: &[[String; 11]]) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

/// As the producer sends the row of a file.
fn record(fields: &[String; 11]) -> (SightingId, Vec<u8>) {
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    let mut value = Vec::new();
    let id = wire::encode_row(&header, fields.each_ref().map(|field| field.as_bytes()), &mut value);
    (id, value)
}

fn rows_of(parsed: &Parsed) -> Vec<(SightingId, Vec<u8>)> {
    parsed.batch.rows().map(|(id, value)| (id, value.to_vec())).collect()
}

fn codes(parsed: &Parsed) -> Vec<Option<RejectCode>> {
    parsed.verdicts.iter().map(|verdict| verdict.as_ref().err().map(|rejection| rejection.code)).collect()
}

#[test]
fn a_row_is_the_same_record_in_every_form() {
    let row = fields(DATETIME);
    let expected = [record(&row)];
    let one = object(&row).to_string();
    let bodies = [
        (Format::Json, one.clone().into_bytes()),
        (Format::Json, format!("\u{feff} [{one}]\n").into_bytes()),
        (Format::Json, serde_json::to_vec_pretty(&object(&row)).unwrap()),
        (Format::Ndjson, format!("\u{feff}\r\n{one}\r\n\n").into_bytes()),
        (Format::Csv, csv_of(std::slice::from_ref(&row))),
    ];
    for (format, body) in bodies {
        let parsed = parsed(format, body).unwrap();
        assert_eq!(rows_of(&parsed), expected, "{format:?}");
        assert_eq!(parsed.verdicts, [Ok(expected[0].0)]);
    }
}

#[test]
fn names_and_values_are_taken_as_users_write_them() {
    let mut row: Map<String, Value> = Map::new();
    for name in COLUMNS {
        row.insert(format!(" {}\u{a0}", name.to_uppercase()), "".into());
    }
    let mut text = Value::from(row).to_string();
    // Of two equal names the last one counts; numbers stay as they are written; others are passed over.
    text.truncate(text.len() - 1);
    text.push_str(r#","city":"a","city":"b\u00e9","duration (seconds)":2.50e1,"latitude":-47.60,"state":null,"x":[{}],"datetime":"10/10/1949 20:30"}"#);
    let parsed = parsed(Format::Json, &text).unwrap();
    let mut fields: [String; 11] = Default::default();
    for (index, value) in [(0, DATETIME), (1, "bé"), (5, "2.50e1"), (9, "-47.60")] {
        fields[index] = value.to_owned();
    }
    assert_eq!(rows_of(&parsed), [record(&fields)]);
}

#[test]
fn bad_rows_are_told_in_their_place_in_the_words_of_the_rejects() {
    let good = object(&fields(DATETIME));
    let mut lacking = good.clone();
    lacking.as_object_mut().unwrap().remove("city");
    let mut no_string = good.clone();
    no_string["shape"] = json!(true);
    let rows = json!([good, 5, lacking, no_string, object(&fields("soon")), null, good]);
    let parsed = parsed(Format::Json, rows.to_string()).unwrap();
    let expected = [
        None,
        Some(RejectCode::NotAnObject),
        Some(RejectCode::MissingColumn),
        Some(RejectCode::NotAString),
        Some(RejectCode::DatetimeInvalid),
        Some(RejectCode::NotAnObject),
        None,
    ];
    assert_eq!(codes(&parsed), expected);
    assert_eq!(parsed.batch.len(), 2);
    // What the processor says of the same rows, were they in the topic.
    for (row, expected) in rows.as_array().unwrap().iter().zip(expected) {
        let value = row.to_string();
        let id = record(&fields(DATETIME)).0;
        let rejection = judged(id, value.as_bytes(), &ATLAS).err();
        let is_datetime = expected == Some(RejectCode::DatetimeInvalid);
        assert!(is_datetime || rejection.map(|rejection| rejection.code) == expected, "{value}");
    }
}

#[test]
fn a_line_that_is_no_json_is_one_bad_row() {
    let good = object(&fields(DATETIME)).to_string();
    let body = [good.as_bytes(), b"{\"city\":", b"\xff", good.as_bytes(), b"5 6"].join(&b'\n');
    let no_json = Some(RejectCode::NotJson);
    assert_eq!(codes(&parsed(Format::Ndjson, body).unwrap()), [None, no_json, no_json, None, no_json]);
}

#[test]
fn rows_that_fit_nowhere_are_told() {
    let mut long = fields(DATETIME);
    long[7] = "x".repeat(300 * 1024);
    let mut csv = csv_of(&[fields(DATETIME), long.clone(), fields(DATETIME)]);
    csv.extend_from_slice(b"1,2,3\n");
    let expected = [None, Some(RejectCode::Oversized), None, Some(RejectCode::FieldCount)];
    assert_eq!(codes(&parsed(Format::Csv, csv).unwrap()), expected);
    let json = parsed(Format::Json, object(&long).to_string()).unwrap();
    assert_eq!(codes(&json), [Some(RejectCode::Oversized)]);
    assert_eq!(json.batch.bytes(), 0, "nothing is left of it");
}

#[test]
fn a_body_that_is_no_rows_is_told_as_a_whole() {
    for format in Format::ALL {
        for nothing in ["", "\n\r\n"] {
            assert_eq!(parsed(format, nothing), Err(BodyError::Empty), "{format:?}");
        }
    }
    assert_eq!(parsed(Format::Json, b"\"\xff\""), Err(BodyError::NotUtf8));
    for no_json in ["{", "[{}", "[{}] x", "{} {}", "x"] {
        assert!(matches!(parsed(Format::Json, no_json), Err(BodyError::NotJson(_))), "{no_json}");
    }
    assert!(matches!(parsed(Format::Csv, "datetime,city\n1,2\n"), Err(BodyError::Header(_))));
    assert_eq!(parsed(Format::Csv, "x".repeat(300 * 1024)), Err(BodyError::NoHeader));
    let many = ["0"; ROWS_MAX + 1];
    assert_eq!(parsed(Format::Json, format!("[{}]", many.join(","))), Err(BodyError::TooManyRows));
    assert_eq!(parsed(Format::Ndjson, many.join("\n")), Err(BodyError::TooManyRows));
    assert_eq!(parsed(Format::Json, format!("[{}]", many[1..].join(","))).unwrap().verdicts.len(), ROWS_MAX);
    assert!(parsed(Format::Json, "[]").unwrap().verdicts.is_empty());
}

#[test]
fn deep_nesting_is_no_danger() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
        for format in Format::ALL {
            let _ = parsed(format, &deep);
        }
    }
}

#[test]
fn the_media_type_says_the_form() {
    for (text, format) in [
        ("application/json", Some(Format::Json)),
        ("Application/JSON; charset=utf-8", Some(Format::Json)),
        ("application/x-ndjson", Some(Format::Ndjson)),
        ("application/ndjson", Some(Format::Ndjson)),
        ("text/csv ;header=present", Some(Format::Csv)),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(Format::of(text), format, "{text}");
    }
}

proptest! {
    #[test]
    fn any_row_is_the_same_record_in_every_form_and_none_is_lost(
        rows in prop::collection::vec(prop::array::uniform11("[ -~é\u{a0}\n\"\\\\]{0,12}"), 1..4),
        is_dated in any::<bool>(),
    ) {
        let mut rows: Vec<[String; 11]> = rows;
        if is_dated {
            rows.iter_mut().for_each(|row| DATETIME.clone_into(&mut row[0]));
        }
        let objects: Vec<Value> = rows.iter().map(object).collect();
        let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
        let json = parsed(Format::Json, Value::from(objects).to_string()).unwrap();
        prop_assert_eq!(&json, &parsed(Format::Ndjson, lines.join("\n")).unwrap());
        prop_assert_eq!(&json, &parsed(Format::Csv, csv_of(&rows)).unwrap());
        prop_assert_eq!(json.verdicts.len(), rows.len());
        let accepted: Vec<_> = json.verdicts.iter().filter_map(|verdict| verdict.as_ref().ok().copied()).collect();
        prop_assert_eq!(json.batch.rows().map(|(id, _)| id).collect::<Vec<_>>(), accepted);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in Format::ALL {
            let _ = parsed(format, &body);
        }
    }

    #[test]
    fn no_text_that_looks_like_json_makes_a_parser_panic(body in "[\\[\\]{}\",:\\\\a-c0-9.eE+\\-\n u]{0,80}") {
        for format in Format::ALL {
            let _ = parsed(format, &body);
        }
    }
}
