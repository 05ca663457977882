//! The columns of the tables.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use domain::View;

use super::path::{PARTITION, YEAR};

/// Columns whose values hardly repeat: a dictionary would only cost.
pub(super) const RAW_DISTINCT: &[&str] = &["offset", "key", "value", "key_bytes", "value_bytes"];
pub(super) const SIGHTINGS_DISTINCT: &[&str] = &["id", "comments"];
pub(super) const REJECTS_DISTINCT: &[&str] = &["id", "key", "bytes"];
pub(super) const AGGREGATES_DISTINCT: &[&str] = &["record_key"];

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// Times without a zone are stored as UTC: the formats insist on one.
pub(super) fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub fn raw() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("topic", DataType::Utf8),
        required("partition", DataType::Int32),
        required("offset", DataType::Int64),
        required("timestamp", time()),
        field("key", DataType::Utf8),
        field("value", DataType::Utf8),
        // As found, where that is no text; the text is null then.
        field("key_bytes", DataType::Binary),
        field("value_bytes", DataType::Binary),
    ]))
}

pub fn sightings() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8),
        required("occurred_at", time()),
        field("posted_on", DataType::Date32),
        field("city", DataType::Utf8),
        field("city_note", DataType::Utf8),
        field("state", DataType::Utf8),
        field("country", DataType::Utf8),
        required("country_source", DataType::Utf8),
        required("country_given", DataType::Utf8),
        required("shape", DataType::Utf8),
        field("duration_ms", DataType::Int64),
        required("duration_text", DataType::Utf8),
        required("comments", DataType::Utf8),
        field("latitude", DataType::Float64),
        field("longitude", DataType::Float64),
        field("season", DataType::Utf8),
        required("quality", DataType::List(Arc::new(flag()))),
        required(YEAR, DataType::Int32),
    ]))
}

/// Lists name their items as the Parquet format asks for.
pub(super) fn flag() -> Field {
    required("element", DataType::Utf8)
}

pub fn rejects() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8),
        required("code", DataType::Utf8),
        required("message", DataType::Utf8),
        required("stage", DataType::Utf8),
        required("topic", DataType::Utf8),
        required("partition", DataType::Int32),
        required("offset", DataType::Int64),
        required("rejected_at", time()),
        field("key", DataType::Binary),
        required("bytes", DataType::Binary),
        required("is_cut", DataType::Boolean),
    ]))
}

/// Key columns of the view, then the aggregate's.
pub fn aggregates(view: View) -> SchemaRef {
    let mut fields = vec![required("record_key", DataType::Utf8)];
    fields.extend(view.key_fields().iter().map(|name| field(name, key_type(name))));
    for name in ["count", "with_duration", "total_duration_ms"] {
        fields.push(required(name, DataType::Int64));
    }
    fields.push(field("max_duration_ms", DataType::Int64));
    fields.push(field("mean_duration_ms", DataType::Int64));
    fields.push(required("implausible", DataType::Int64));
    fields.push(required("total_plausible_ms", DataType::Int64));
    fields.push(field("max_plausible_ms", DataType::Int64));
    fields.push(field("mean_plausible_ms", DataType::Int64));
    fields.push(field("first_occurred_at", time()));
    fields.push(field("last_occurred_at", time()));
    fields.push(required(PARTITION, DataType::Int32));
    Arc::new(Schema::new(fields))
}

pub(super) fn key_type(name: &str) -> DataType {
    match name {
        "month" | "year" | "weekday" | "hour" => DataType::Int32,
        _ => DataType::Utf8,
    }
}
