//! What the indexes look like: every field is named, anything else is refused by the server (`dynamic: strict`).
//! Only types that every 8.x distribution has.

use serde_json::{Value, json};

use super::document::Kind;

/// Longer texts are kept in the document but not in the index: Lucene takes no term over 32,766 bytes.
const KEYWORD_CHARACTERS_MAX: u32 = 512;

/// What grouping shows where a record has null, which is a key like any other.
const NULL_TEXT: &str = "unknown";

/// How an index is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexShape {
    pub shards: u32,
    /// None by default: one node has no place for them, and the log can fill an index again.
    pub replicas: u32,
    /// How soon a document is found, as Elasticsearch writes it (`1s`, `-1` for never).
    pub refresh_interval: String,
}

impl Default for IndexShape {
    fn default() -> Self {
        Self { shards: 1, replicas: 0, refresh_interval: "2s".into() }
    }
}

/// The body that creates an index.
pub fn index_body(kind: Kind, shape: &IndexShape) -> Value {
    json!({ "settings": settings(shape), "mappings": mappings(kind) })
}

/// An index that somebody else lets come into being (a write after it was deleted by hand) gets the same fields.
pub fn template_body(kind: Kind, pattern: &str, shape: &IndexShape) -> Value {
    json!({
        "index_patterns": [pattern],
        "priority": 200,
        "template": index_body(kind, shape),
    })
}

fn settings(shape: &IndexShape) -> Value {
    json!({
        "index": {
            "number_of_shards": shape.shards,
            "number_of_replicas": shape.replicas,
            "refresh_interval": shape.refresh_interval,
        }
    })
}

/// The fields of one kind of document.
pub fn mappings(kind: Kind) -> Value {
    let properties = match kind {
        Kind::Sightings => sightings(),
        Kind::Aggregates => aggregates(),
        Kind::Rejects => rejects(),
    };
    json!({ "dynamic": "strict", "properties": properties })
}

fn sightings() -> Value {
    json!({
        "id": keyword(),
        "occurred_at": date(),
        "year": number("short"),
        "month": number("byte"),
        "weekday": number("byte"),
        "hour": number("byte"),
        "posted_on": date(),
        "city": keyword_or_unknown(),
        "city_note": keyword(),
        "state": keyword_or_unknown(),
        "country": keyword_or_unknown(),
        "country_source": keyword(),
        "country_given": keyword(),
        "shape": keyword(),
        "duration_ms": number("long"),
        "duration_text": keyword(),
        "comments": { "type": "text" },
        "location": { "type": "geo_point" },
        "season": keyword_or_unknown(),
        "quality": keyword(),
    })
}

fn aggregates() -> Value {
    json!({
        "view": keyword(),
        // The parts again as the record has them, for whoever reads documents back.
        "key": { "type": "keyword", "index": false, "doc_values": false },
        "country": keyword_or_unknown(),
        "state": keyword_or_unknown(),
        "city": keyword_or_unknown(),
        "month": number("byte"),
        "season": keyword_or_unknown(),
        "shape": keyword(),
        "year": number("short"),
        "weekday": number("byte"),
        "hour": number("byte"),
        "minute": date(),
        "cell": keyword_or_unknown(),
        "centre": { "type": "geo_point" },
        "month_start": date(),
        "count": number("long"),
        "with_duration": number("long"),
        "total_duration_ms": wide_number(),
        "max_duration_ms": number("long"),
        "mean_duration_ms": number("long"),
        "implausible": number("long"),
        "total_plausible_ms": wide_number(),
        "max_plausible_ms": number("long"),
        "mean_plausible_ms": number("long"),
        "first_occurred_at": date(),
        "last_occurred_at": date(),
    })
}

fn rejects() -> Value {
    json!({
        "id": keyword(),
        "code": keyword(),
        "message": { "type": "text" },
        "stage": keyword(),
        "topic": keyword(),
        "partition": number("integer"),
        "offset": number("long"),
        "rejected_at": date(),
        "length": number("long"),
        "excerpt": { "type": "text" },
        "is_cut": { "type": "boolean" },
    })
}

fn keyword() -> Value {
    json!({ "type": "keyword", "ignore_above": KEYWORD_CHARACTERS_MAX })
}

fn keyword_or_unknown() -> Value {
    json!({ "type": "keyword", "ignore_above": KEYWORD_CHARACTERS_MAX, "null_value": NULL_TEXT })
}

/// The topics' times are local civil times without a zone, which Elasticsearch reads as UTC.
fn date() -> Value {
    json!({ "type": "date", "format": "strict_date_optional_time" })
}

fn number(name: &str) -> Value {
    json!({ "type": name })
}

/// A sum that no `long` holds stays exact in the document and is left out of the index.
fn wide_number() -> Value {
    json!({ "type": "long", "ignore_malformed": true })
}
