//! Data views (Kibana's `index-pattern`): which index a panel asks, with all fields that it has.

use serde_json::{Map, Value, json};
use sink::index::Kind;
use sink::index::generation::Names;
use sink::index::mapping::mappings;

use crate::saved::{ObjectKind, SavedObject};

/// What panels ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataView {
    /// By the time of the sighting: the time picker chooses.
    Sightings,
    /// The same index whatever the time picker says.
    AllSightings,
    /// Current figures have no time of their own.
    Aggregates,
    /// Whatever the time picker says: a reject of last year is one still.
    Rejects,
}

impl DataView {
    pub const ALL: [Self; 4] = [Self::Sightings, Self::AllSightings, Self::Aggregates, Self::Rejects];

    pub fn id(self, prefix: &str) -> String {
        let name = match self {
            Self::Sightings => "sightings",
            Self::AllSightings => "sightings-all",
            Self::Aggregates => "aggregates",
            Self::Rejects => "rejects",
        };
        format!("{prefix}-{name}")
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Sightings | Self::AllSightings => Kind::Sightings,
            Self::Aggregates => Kind::Aggregates,
            Self::Rejects => Kind::Rejects,
        }
    }

    pub fn time_field(self) -> Option<&'static str> {
        match self {
            Self::Sightings => Some("occurred_at"),
            Self::AllSightings | Self::Aggregates | Self::Rejects => None,
        }
    }

    pub(crate) fn object(self, prefix: &str, names: &Names) -> SavedObject {
        let fields = fields(self.kind());
        let mut attributes = json!({
            "title": names.alias(self.kind()),
            "fields": Value::Array(fields).to_string(),
            "fieldFormatMap": formats(self.kind()).to_string(),
        });
        if let Some(field) = self.time_field() {
            attributes["timeFieldName"] = field.into();
        }
        SavedObject { kind: ObjectKind::DataView, id: self.id(prefix), attributes, references: Vec::new() }
    }
}

/// Kibana draws nothing for a field that is not listed here, and asks the server for the list only when told to.
fn fields(kind: Kind) -> Vec<Value> {
    let mapped = mappings(kind);
    let properties = mapped["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<_> = properties.map(|(name, mapping)| field(name, mapping)).collect();
    let meta =
        |name, kind, types: &[&str], is_found: bool| spec(name, kind, types, is_found, is_found, false);
    fields.push(meta("_id", "string", &["_id"], true));
    fields.push(meta("_index", "string", &["_index"], true));
    fields.push(meta("_score", "number", &[], false));
    fields.push(meta("_source", "_source", &["_source"], false));
    fields
}

fn field(name: &str, mapping: &Value) -> Value {
    let mapped = mapping["type"].as_str().unwrap_or_default();
    let kind = match mapped {
        "keyword" | "text" => "string",
        "long" | "integer" | "short" | "byte" => "number",
        other => other,
    };
    let is_on = |name: &str| mapping[name].as_bool().unwrap_or(true);
    let has_values = mapped != "text" && is_on("doc_values");
    spec(name, kind, &[mapped], is_on("index"), has_values, has_values)
}

fn spec(
    name: &str,
    kind: &str,
    types: &[&str],
    is_searchable: bool,
    is_aggregatable: bool,
    has_values: bool,
) -> Value {
    json!({
        "name": name,
        "type": kind,
        "esTypes": types,
        "count": 0,
        "scripted": false,
        "searchable": is_searchable,
        "aggregatable": is_aggregatable,
        "readFromDocValues": has_values,
    })
}

/// Durations are read as hours, years without a thousands separator.
fn formats(kind: Kind) -> Value {
    let mapped = mappings(kind);
    let names = mapped["properties"].as_object().into_iter().flat_map(Map::keys);
    let formats = names.filter_map(|name| {
        let format = match name.as_str() {
            "year" => json!({ "id": "number", "params": { "pattern": "0" } }),
            name if name.ends_with("_ms") => json!({
                "id": "duration",
                "params": {
                    "inputFormat": "milliseconds",
                    "outputFormat": "asHours",
                    "outputPrecision": 1,
                    "showSuffix": true,
                },
            }),
            _ => return None,
        };
        Some((name.clone(), format))
    });
    Value::Object(formats.collect())
}
