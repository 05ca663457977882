//! Filters: what a dashboard is narrowed to, as Kibana shows and asks it.

use serde_json::{Value, json};

use crate::data_view::DataView;
use crate::saved::{ObjectKind, Reference};

/// A field of the sightings has this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub field: &'static str,
    pub value: String,
}

impl Filter {
    pub fn new(field: &'static str, value: impl Into<String>) -> Self {
        Self { field, value: value.into() }
    }
}

/// The `searchSourceJSON` of an object that asks `data` or is narrowed to `filters`, and the references that it needs.
pub(crate) fn search_source(
    data: Option<DataView>,
    filters: &[Filter],
    prefix: &str,
) -> (Value, Vec<Reference>) {
    let reference =
        |name: String, view: DataView| Reference { name, kind: ObjectKind::DataView, id: view.id(prefix) };
    let mut references = Vec::new();
    let mut source = json!({ "query": { "query": "", "language": "kuery" } });
    if let Some(data) = data {
        let name = "kibanaSavedObjectMeta.searchSourceJSON.index".to_owned();
        source["indexRefName"] = name.clone().into();
        references.push(reference(name, data));
    }
    let filters = filters.iter().enumerate().map(|(number, filter)| {
        let name = format!("kibanaSavedObjectMeta.searchSourceJSON.filter[{number}].meta.index");
        references.push(reference(name.clone(), DataView::Sightings));
        phrase(filter, &name)
    });
    source["filter"] = filters.collect();
    (source, references)
}

fn phrase(filter: &Filter, reference: &str) -> Value {
    json!({
        "$state": { "store": "appState" },
        "meta": {
            "alias": null,
            "disabled": false,
            "negate": false,
            "type": "phrase",
            "key": filter.field,
            "params": { "query": filter.value },
            "indexRefName": reference,
        },
        "query": { "match_phrase": { filter.field: filter.value } },
    })
}
