//! What is computed (measures) and along what (buckets), as the classic panels write it.

use serde_json::{Value, json};

/// A number per bucket.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    function: &'static str,
    field: Option<&'static str>,
    label: &'static str,
}

impl Measure {
    /// How many documents.
    pub fn count(label: &'static str) -> Self {
        Self { function: "count", field: None, label }
    }

    pub fn sum(field: &'static str, label: &'static str) -> Self {
        Self { function: "sum", field: Some(field), label }
    }

    pub fn max(field: &'static str, label: &'static str) -> Self {
        Self { function: "max", field: Some(field), label }
    }

    pub fn min(field: &'static str, label: &'static str) -> Self {
        Self { function: "min", field: Some(field), label }
    }

    pub fn mean(field: &'static str, label: &'static str) -> Self {
        Self { function: "avg", field: Some(field), label }
    }

    /// How many different values.
    pub fn distinct(field: &'static str, label: &'static str) -> Self {
        Self { function: "cardinality", field: Some(field), label }
    }

    pub(super) fn label(self) -> &'static str {
        self.label
    }

    pub(super) fn agg(self, id: usize) -> Value {
        let mut params = json!({ "customLabel": self.label });
        if let Some(field) = self.field {
            params["field"] = field.into();
        }
        agg(id, self.function, "metric", params)
    }
}

/// What the buckets are.
#[derive(Clone, Copy, Debug)]
pub enum Along {
    /// The values with the most of the panel's first measure.
    Top { field: &'static str, size: u32, label: &'static str },
    /// All values in their own order.
    Each { field: &'static str, size: u32, label: &'static str },
    /// Time in steps: `y`, `M`, `d`, `h`, `m`.
    Time { field: &'static str, step: &'static str, label: &'static str },
}

impl Along {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Top { label, .. } | Self::Each { label, .. } | Self::Time { label, .. } => label,
        }
    }

    /// `schema` is where the panel shows it: `segment`, `group`, `bucket`; `order_by` the id of the measure that decides.
    pub(super) fn agg(self, id: usize, schema: &str, order_by: usize) -> Value {
        match self {
            Self::Top { field, size, label } => {
                terms(id, schema, field, size, label, "desc", &order_by.to_string())
            }
            Self::Each { field, size, label } => terms(id, schema, field, size, label, "asc", "_key"),
            Self::Time { field, step, label } => {
                let params = json!({
                    "field": field,
                    "interval": step,
                    "useNormalizedEsInterval": true,
                    "scaleMetricValues": false,
                    "drop_partials": false,
                    "min_doc_count": 1,
                    "extended_bounds": {},
                    "customLabel": label,
                });
                agg(id, "date_histogram", schema, params)
            }
        }
    }
}

fn terms(id: usize, schema: &str, field: &str, size: u32, label: &str, order: &str, order_by: &str) -> Value {
    let params = json!({
        "field": field,
        "size": size,
        "order": order,
        "orderBy": order_by,
        "otherBucket": false,
        "otherBucketLabel": "Other",
        "missingBucket": false,
        "missingBucketLabel": "Missing",
        "customLabel": label,
    });
    agg(id, "terms", schema, params)
}

fn agg(id: usize, function: &str, schema: &str, params: Value) -> Value {
    json!({ "id": id.to_string(), "enabled": true, "type": function, "schema": schema, "params": params })
}
