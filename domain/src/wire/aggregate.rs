//! `ufo.aggregates`: the whole current value of one key of one view.

use serde::Deserialize;

use super::WireError;
use super::json::{self, Text};
use crate::aggregate::Aggregate;
use crate::civil::CivilTime;
use crate::view::{Key, View};

const RECORD: &str = "aggregate";

/// Appends the JSON to `out`. `record_key` is the record's key as [`crate::keys_of`] writes it; the value
/// says the same key again without the view's name in front.
pub fn encode_aggregate(view: View, record_key: &[u8], aggregate: &Aggregate, out: &mut Vec<u8>) {
    let name = view.name();
    out.extend_from_slice(b"{\"view\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"key\":[");
    // `["place","us",..]` without `["place",`.
    let parts = record_key.get(name.len() + 4..).unwrap_or(b"]");
    out.extend_from_slice(parts);
    for (name, number) in [("count", aggregate.count), ("with_duration", aggregate.with_duration)] {
        write_name(name, out);
        json::write_unsigned(number.into(), out);
    }
    write_name("total_duration_ms", out);
    json::write_unsigned(aggregate.total_duration_ms, out);
    write_name("max_duration_ms", out);
    json::write_unsigned_or_null(aggregate.max_duration_ms, out);
    write_name("mean_duration_ms", out);
    json::write_unsigned_or_null(aggregate.mean_duration_ms(), out);
    write_name("implausible", out);
    json::write_unsigned(aggregate.implausible.into(), out);
    write_name("total_plausible_ms", out);
    json::write_unsigned(aggregate.total_plausible_ms, out);
    write_name("max_plausible_ms", out);
    json::write_unsigned_or_null(aggregate.max_plausible_ms, out);
    write_name("mean_plausible_ms", out);
    json::write_unsigned_or_null(aggregate.mean_plausible_ms(), out);
    write_name("first_occurred_at", out);
    json::write_time_or_null(aggregate.first_occurred_at, out);
    write_name("last_occurred_at", out);
    json::write_time_or_null(aggregate.last_occurred_at, out);
    out.push(b'}');
}

const FINAL: &[u8] = b",\"final\":true}";

/// The same for a window that is closed: the last record that its key will ever have says so.
pub fn encode_final_aggregate(view: View, record_key: &[u8], aggregate: &Aggregate, out: &mut Vec<u8>) {
    encode_aggregate(view, record_key, aggregate, out);
    out.pop();
    out.extend_from_slice(FINAL);
}

/// Whether a value is that of a closed window.
pub fn is_final_aggregate(value: &[u8]) -> bool {
    value.ends_with(FINAL)
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// The means are derived and therefore not read.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    view: Text<'a>,
    key: Key,
    count: u64,
    with_duration: u64,
    total_duration_ms: u128,
    max_duration_ms: Option<u64>,
    implausible: u64,
    total_plausible_ms: u128,
    max_plausible_ms: Option<u64>,
    #[serde(borrow)]
    first_occurred_at: Option<Text<'a>>,
    #[serde(borrow)]
    last_occurred_at: Option<Text<'a>>,
}

/// Reads what [`encode_aggregate`] wrote.
pub fn decode_aggregate(value: &[u8]) -> Result<(View, Key, Aggregate), WireError> {
    let fields: Fields<'_> =
        serde_json::from_slice(value).map_err(|source| WireError::Json { record: RECORD, source })?;
    let view = View::from_name(&fields.view.0).ok_or_else(|| bad("view", &fields.view))?;
    let aggregate = Aggregate {
        count: fields.count,
        with_duration: fields.with_duration,
        total_duration_ms: fields.total_duration_ms,
        max_duration_ms: fields.max_duration_ms,
        implausible: fields.implausible,
        total_plausible_ms: fields.total_plausible_ms,
        max_plausible_ms: fields.max_plausible_ms,
        first_occurred_at: read_time("first_occurred_at", fields.first_occurred_at)?,
        last_occurred_at: read_time("last_occurred_at", fields.last_occurred_at)?,
    };
    Ok((view, fields.key, aggregate))
}

fn read_time(field: &'static str, text: Option<Text<'_>>) -> Result<Option<CivilTime>, WireError> {
    text.map(|text| text.0.parse().map_err(|_| bad(field, &text))).transpose()
}

fn bad(field: &'static str, text: &Text<'_>) -> WireError {
    WireError::Field { record: RECORD, field, found: json::excerpt(&text.0) }
}
