//! No bytes make a parser of records panic.

#[path = "../../fuzz/mutate.rs"]
mod mutate;

use std::sync::LazyLock;

use domain::{Atlas, RawRecord, judge, wire};
use mutate::each_mutated;

static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);

const ROW: &[u8] = br#"{"datetime":"10/10/1949 20:30","city":"san marcos","state":"tx","country":"us","shape":"cylinder","duration (seconds)":"2700","duration (hours/min)":"45 minutes","comments":"This event took place in early fall &#39;49","date posted":"4/27/2004","latitude":"29.8830556","longitude":"-97.9411111"}"#;
const WINDOWS_1252: &[u8] = br#"{"datetime":"12/31/1999 24:00","city":"montr\u00e9al (canada)","state":"","country":"","shape":"","duration (seconds)":"0.5","duration (hours/min)":"1/2 hour","comments":"\u2019","date posted":"1/1/2000","latitude":"45q.5","longitude":"-73.5","_windows_1252":"city,comments"}"#;
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"null",
    b"1e999",
    b"-0",
    b"\0",
    b"\xff\xfe",
    b"\xe2\x80\xa9",
    b"\xef\xbb\xbf",
    b"\"_row\":[",
    b"\"_oversized\":{",
    b"\"_windows_1252\":\"",
    b"29/02/1900 25:61",
    b"&#1114112;",
    b"&amp",
    b"99999999999999999999",
    b"1-2-3 hours",
    b"NaN",
    b"%s",
];

/// Also the rules of cleaning see it: the key is the one that the value asks for.
#[test]
fn mutated_records_of_the_source_are_judged_without_a_panic() {
    let row = br#"{"_row":["a","b"]}"#.as_slice();
    let oversized =
        br#"{"_oversized":{"head":"abc","length":300000,"hash":"00112233445566778899aabbccddeeff"}}"#;
    let mut cleaned = 0;
    each_mutated("mutated records", &[ROW, WINDOWS_1252, row, oversized], TOKENS, |value| {
        let key = wire::decode_raw(value).ok().map(|raw| raw.id().to_hex());
        let key = key.as_ref().map(|key| key.as_slice());
        let record = RawRecord { key, value: Some(value) };
        let verdict = judge(record, &ATLAS);
        assert_eq!(verdict, judge(record, &ATLAS), "the same record is the same");
        cleaned += u32::from(matches!(verdict.outcome, domain::Outcome::Sighting(_)));
    });
    assert!(cleaned > 100, "only {cleaned} inputs came as far as a sighting");
}

#[test]
fn mutated_records_of_the_other_topics_are_decoded_without_a_panic() {
    let key = wire::decode_raw(ROW).map(|raw| raw.id().to_hex());
    let key = key.expect("a good row");
    let verdict = judge(RawRecord { key: Some(key.as_slice()), value: Some(ROW) }, &ATLAS);
    let domain::Outcome::Sighting(sighting) = verdict.outcome else { panic!("a good row") };
    let mut encoded = Vec::new();
    wire::encode_sighting(&sighting, &mut encoded);
    let aggregate =
        br#"{"view":"country","country":"us","count":3,"with_duration":2,"total_duration_ms":5000}"#;
    let block = [1, 4, b'[', b'"', b'a', b']', 0, 1, 2, 3, 4, 5];
    each_mutated("mutated results", &[&encoded, aggregate, &block, ROW], TOKENS, |value| {
        let _ = wire::decode_sighting(value);
        let _ = wire::decode_reject(value);
        let _ = wire::decode_aggregate(value);
        // It ends: each step takes something off the block, or is the last.
        assert!(wire::decode_deltas(value).take(value.len() + 2).count() <= value.len() + 1);
    });
}
