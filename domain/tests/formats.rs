//! The bytes of each topic, written down: other languages and older records depend on them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    Aggregate, Atlas, COLUMNS, Column, Header, Key, Origin, Outcome, Part, Raw, RawRecord, Reject,
    RejectCode, Rejection, SightingId, View, arrivals_key, judge, keys_of, wire,
};

const FIELDS: [&[u8]; 11] = [
    b"10/10/1949 24:00",
    b"st. john&#39s (canada)",
    b"nf",
    b"",
    b"light",
    b"2`",
    b"2 sec",
    b"A \"light\"\\&#44 \xc3\xa9",
    b"4/27/2004",
    b"47.561",
    b"-52.71",
];

fn header() -> Header {
    Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const RAW: &str = concat!(
    r#"{"datetime":"10/10/1949 24:00","city":"st. john&#39s (canada)","state":"nf","country":"","shape":"light","#,
    r#""duration (seconds)":"2`","duration (hours/min)":"2 sec","comments":"A \"light\"\\&#44 é","#,
    r#""date posted":"4/27/2004","latitude":"47.561","longitude":"-52.71"}"#
);

const SIGHTING: &str = concat!(
    r#"{"id":"bd6fdeb43fc3e6dd1aea2618a622e16f","occurred_at":"1949-10-11T00:00:00","posted_on":"2004-04-27","#,
    r#""city":"st. john's (canada)","city_note":"canada","state":"nf","country":"ca","country_source":"city_note","#,
    r#""country_given":"","shape":"light","duration_ms":2000,"duration_text":"2 sec","comments":"A \"light\"\\, é","#,
    r#""location":{"lat":47.561,"lon":-52.71},"season":"autumn","#,
    r#""quality":["country_inferred","duration_repaired","hour_24"]}"#
);

#[test]
fn a_row_and_its_sighting() {
    let mut raw = Vec::new();
    let id = wire::encode_row(&header(), FIELDS, &mut raw);
    assert_eq!(text(&raw), RAW);
    let key = id.to_hex();
    let verdict = judge(RawRecord { key: Some(&key), value: Some(&raw) }, &Atlas::new());
    let Outcome::Sighting(sighting) = verdict.outcome else { panic!() };
    let mut out = Vec::new();
    wire::encode_sighting(&sighting, &mut out);
    assert_eq!(text(&out), SIGHTING);
    assert_eq!(wire::decode_sighting(&out).unwrap(), sighting);
}

#[test]
fn a_row_out_of_order_with_extra_columns_has_the_same_id() {
    let names = ["note", "longitude ", "\u{feff}DATETIME"].into_iter().chain(COLUMNS[1..10].iter().copied());
    let header = Header::parse(names.map(str::as_bytes)).unwrap();
    let fields = [b"new".as_slice(), FIELDS[10], FIELDS[0]].into_iter().chain(FIELDS[1..10].iter().copied());
    let fields: Vec<_> = fields.collect();
    let mut raw = Vec::new();
    let id = wire::encode_row(&header, fields, &mut raw);
    assert!(
        text(&raw).starts_with(r#"{"note":"new","longitude":"-52.71","datetime":"10/10/1949 24:00","city""#)
    );
    assert_eq!(id, wire::encode_row(&self::header(), FIELDS, &mut Vec::new()));
    assert_eq!(wire::decode_raw(&raw).unwrap().id(), id);
}

#[test]
fn of_two_columns_with_one_name_the_first_counts() {
    let header = Header::parse(COLUMNS.iter().chain(&["city"]).map(|name| name.as_bytes())).unwrap();
    let mut raw = Vec::new();
    let fields: Vec<_> = FIELDS.into_iter().chain([b"elsewhere".as_slice()]).collect();
    let id = wire::encode_row(&header, fields, &mut raw);
    assert_eq!(id, wire::encode_row(&self::header(), FIELDS, &mut Vec::new()));
    assert_eq!(wire::decode_raw(&raw).unwrap().id(), id);
    assert!(text(&raw).ends_with(r#","_city":"elsewhere"}"#));
}

#[test]
fn a_misfit_and_its_reject() {
    let mut raw = Vec::new();
    let id = wire::encode_row(&header(), [b"a".as_slice(), b"", b"\xff\"", b"\xc3\xa9"], &mut raw);
    assert_eq!(text(&raw), r#"{"_row":["a","","ÿ\"","é"],"_windows_1252":"2"}"#);
    let misfit = wire::decode_raw(&raw).unwrap();
    assert_eq!(misfit.id(), id);
    let key = id.to_hex();
    let verdict = judge(RawRecord { key: Some(&key), value: Some(&raw) }, &Atlas::new());
    let Outcome::Reject(rejection) = verdict.outcome else { panic!() };
    assert_eq!((verdict.id, rejection.code), (id, RejectCode::FieldCount));
    let origin = Origin {
        topic: "ufo.raw",
        partition: 3,
        offset: 42,
        timestamp_ms: 1_795_512_138_123,
        key: Some(b"k"),
        value: Some(b"{\"_row\":[]}"),
    };
    let reject = Reject::new(SightingId::from_bytes([0xab; 16]), rejection, origin);
    let mut out = Vec::new();
    wire::encode_reject(&reject, &mut out);
    let expected = concat!(
        r#"{"id":"abababababababababababababababab","code":"field_count","#,
        r#""message":"the row has 4 fields, which is not what its header has","stage":"decode","topic":"ufo.raw","#,
        r#""partition":3,"offset":42,"rejected_at":"2026-11-24T09:22:18.123Z","key":"aw==","#,
        r#""bytes":"eyJfcm93IjpbXX0=","is_cut":false}"#
    );
    assert_eq!(text(&out), expected);
    assert_eq!(wire::decode_reject(&out).unwrap(), reject);
}

#[test]
fn a_row_that_is_no_utf_8_keeps_its_id() {
    let mut fields = FIELDS;
    (fields[1], fields[7]) = (b"montr\xe9al", b"it\x92s");
    let mut raw = Vec::new();
    let id = wire::encode_row(&header(), fields, &mut raw);
    assert!(text(&raw).ends_with(r#","_windows_1252":"city,comments"}"#));
    let Ok(Raw::Row(row)) = wire::decode_raw(&raw) else { panic!() };
    assert_eq!((row.get(Column::City), row.get(Column::Comments)), ("montréal", "it’s"));
    assert_eq!(row.id(), id);
    // The same text in UTF-8 is another row.
    (fields[1], fields[7]) = ("montréal".as_bytes(), "it’s".as_bytes());
    assert_ne!(wire::encode_row(&header(), fields, &mut Vec::new()), id);
}

/// Else two records with one id would clean to different sightings.
#[test]
fn a_mark_that_cannot_be_true_is_dropped() {
    let mut raw = Vec::new();
    let id = wire::encode_row(&header(), FIELDS, &mut raw);
    let marked = RAW.replace('}', r#","_windows_1252":"city,comments,nonsense"}"#);
    let Ok(Raw::Row(row)) = wire::decode_raw(marked.as_bytes()) else { panic!() };
    // "é" is one byte in Windows-1252, and that byte alone is no UTF-8: this mark can be true.
    assert!(row.is_encoding_repaired());
    assert_ne!(row.id(), id);
    let marked = RAW.replace('}', r#","_windows_1252":"city"}"#);
    let Ok(Raw::Row(row)) = wire::decode_raw(marked.as_bytes()) else { panic!() };
    assert!(!row.is_encoding_repaired());
    assert_eq!(row.id(), id);
    let marked = RAW.replace('é', "日").replace('}', r#","_windows_1252":"comments"}"#);
    let Ok(Raw::Row(row)) = wire::decode_raw(marked.as_bytes()) else { panic!() };
    assert!(!row.is_encoding_repaired());
}

#[test]
fn an_oversized_row() {
    let mut hasher = wire::hash_oversized();
    hasher.update(b"long ");
    hasher.update(b"row");
    let (length, hash) = (hasher.length(), hasher.finish());
    let mut raw = Vec::new();
    // The cut went through a character.
    let id = wire::encode_oversized(b"long \xc3", length, hash, &mut raw);
    assert_eq!(text(&raw), format!(r#"{{"_oversized":{{"head":"long ","length":8,"hash":"{hash}"}}}}"#));
    let read = wire::decode_raw(&raw).unwrap();
    assert_eq!(read, Raw::Oversized { head: "long ".into(), length: 8, hash });
    assert_eq!(read.id(), id);
    raw.clear();
    wire::encode_oversized(b"\xe9 long", length, hash, &mut raw);
    assert!(text(&raw).contains("é long"));
}

#[test]
fn the_keys_of_a_sighting_and_an_aggregate() {
    let sighting = wire::decode_sighting(SIGHTING.as_bytes()).unwrap();
    let mut keys = Vec::new();
    let mut scratch = Vec::new();
    keys_of(&sighting, &mut scratch, |view, key| {
        assert_eq!(View::of_record_key(key), Some(view));
        keys.push(text(key).to_owned());
    });
    let expected = [
        r#"["country","ca"]"#,
        r#"["place","ca","nf","st. john's (canada)"]"#,
        r#"["month","ca",10]"#,
        r#"["season","ca","autumn"]"#,
        r#"["place_month","ca","nf","st. john's (canada)",10]"#,
        r#"["shape","ca","light"]"#,
        r#"["timeline","ca",1949,10]"#,
        r#"["hour","ca",2,0]"#,
        r#"["cell","831aa0fffffffff"]"#,
    ];
    assert_eq!(keys, expected);
    let mut aggregate = Aggregate::of(&sighting);
    aggregate.merge(&Aggregate {
        with_duration: 1,
        total_duration_ms: 604_800_001,
        implausible: 1,
        max_duration_ms: Some(604_800_001),
        ..aggregate
    });
    let mut out = Vec::new();
    wire::encode_aggregate(View::Place, keys[1].as_bytes(), &aggregate, &mut out);
    let expected = concat!(
        r#"{"view":"place","key":["ca","nf","st. john's (canada)"],"count":2,"with_duration":2,"#,
        r#""total_duration_ms":604802001,"max_duration_ms":604800001,"mean_duration_ms":302401001,"implausible":1,"#,
        r#""total_plausible_ms":4000,"max_plausible_ms":2000,"mean_plausible_ms":4000,"#,
        r#""first_occurred_at":"1949-10-11T00:00:00","last_occurred_at":"1949-10-11T00:00:00"}"#
    );
    assert_eq!(text(&out), expected);
    let key = Key(["ca", "nf", "st. john's (canada)"].map(|part| Part::Text(part.into())).to_vec());
    assert_eq!(key.record_key(View::Place), keys[1].as_bytes());
    assert_eq!(wire::decode_aggregate(&out).unwrap(), (View::Place, key, aggregate));
}

#[test]
fn the_last_value_of_a_closed_window_says_so_and_reads_like_any_other() {
    let aggregate = Aggregate { count: 2, ..Aggregate::empty() };
    let mut key = Vec::new();
    arrivals_key(None, 0, &mut key);
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    wire::encode_aggregate(View::Arrivals, &key, &aggregate, &mut open);
    wire::encode_final_aggregate(View::Arrivals, &key, &aggregate, &mut closed);
    assert!(wire::is_final_aggregate(&closed) && !wire::is_final_aggregate(&open));
    assert!(text(&closed).ends_with(r#""last_occurred_at":null,"final":true}"#));
    assert_eq!(wire::decode_aggregate(&closed).unwrap(), wire::decode_aggregate(&open).unwrap());
}

#[test]
fn nulls_are_keys_like_any_other() {
    let bare = SIGHTING
        .replace(r#""city":"st. john's (canada)""#, r#""city":null"#)
        .replace(r#""state":"nf","country":"ca""#, r#""state":null,"country":null"#)
        .replace(r#"{"lat":47.561,"lon":-52.71}"#, "null")
        .replace(r#""season":"autumn""#, r#""season":null"#);
    let sighting = wire::decode_sighting(bare.as_bytes()).unwrap();
    let mut keys = Vec::new();
    keys_of(&sighting, &mut Vec::new(), |_, key| keys.push(text(key).to_owned()));
    assert_eq!(keys[1], r#"["place",null,null,null]"#);
    assert_eq!(keys[3], r#"["season",null,null]"#);
    assert_eq!(keys[8], r#"["cell",null]"#);
    let mut key = Vec::new();
    arrivals_key(None, 0, &mut key);
    assert_eq!(text(&key), r#"["arrivals",null,"1970-01-01T00:00:00Z"]"#);
}

#[test]
fn an_aggregate_over_nothing_has_no_mean() {
    let mut out = Vec::new();
    wire::encode_aggregate(View::Country, br#"["country",null]"#, &Aggregate::empty(), &mut out);
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    for field in
        ["max_duration_ms", "mean_duration_ms", "max_plausible_ms", "mean_plausible_ms", "first_occurred_at"]
    {
        assert!(value[field].is_null(), "{field}");
    }
    assert_eq!(value["key"], serde_json::json!([null]));
}

#[test]
fn what_no_encoder_wrote_is_an_error_that_names_the_field() {
    for (good, bad, named) in [
        (r#""duration_ms":2000"#, r#""duration_ms":-1"#, "sighting"),
        ("bd6fdeb4", "BD6FDEB4", "`id`"),
        ("1949-10-11T00:00:00", "1949-10-11T24:00:00", "`occurred_at`"),
        (r#""season":"autumn""#, r#""season":"fall""#, "`season`"),
        ("hour_24", "hour_25", "`quality`"),
        (r#""lat":47.561"#, r#""lat":147.561"#, "`location`"),
        (r#""country":"ca""#, r#""country":"CAN""#, "`country`"),
    ] {
        assert!(SIGHTING.contains(good));
        let error = wire::decode_sighting(SIGHTING.replace(good, bad).as_bytes()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    assert!(wire::decode_reject(b"{}").is_err());
    assert!(wire::decode_aggregate(b"[]").is_err());
    let rejection = Rejection::new(RejectCode::NotJson, "m");
    assert_eq!(rejection.code.stage().name(), "decode");
}
