//! Which indexes and fields the finished objects use. An import looks at none of it: what is missing shows only as an
//! empty panel.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ask::phrase_of;
use crate::saved::{ObjectKind, SavedObject};

/// What a field is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Only read from the document.
    Shown,
    Searched,
    /// Grouped, summed or sorted by.
    Aggregated,
}

/// One object uses one field of one index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub object: String,
    pub index: String,
    pub field: String,
    pub purpose: Purpose,
}

/// All that is used, and what leads nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    pub fields: BTreeSet<Use>,
    /// References, indexes or texts that cannot be followed, one sentence each.
    pub faults: Vec<String>,
}

impl Uses {
    pub fn of(objects: &[SavedObject]) -> Self {
        let mut uses = Self::default();
        for object in objects {
            for reference in &object.references {
                if object.target(&reference.name, objects).is_none() {
                    uses.faults.push(format!("{}: `{}` leads to no object", object.id, reference.name));
                }
            }
            uses.names(object);
            uses.filters(object, objects);
            match object.kind {
                ObjectKind::DataView => {
                    let time = object.attributes["timeFieldName"].as_str();
                    uses.add(object, title_of(Some(object)), time, Purpose::Aggregated);
                }
                ObjectKind::Panel => uses.panel(object, objects),
                ObjectKind::Dashboard => {}
            }
        }
        uses
    }

    /// The indexes that are used.
    pub fn indexes(&self) -> BTreeSet<&str> {
        self.fields.iter().map(|used| used.index.as_str()).collect()
    }

    fn add(&mut self, object: &SavedObject, index: Option<&str>, field: Option<&str>, purpose: Purpose) {
        let Some(field) = field else { return };
        match index {
            Some(index) => {
                let (object, index, field) = (object.id.clone(), index.to_owned(), field.to_owned());
                self.fields.insert(Use { object, index, field, purpose });
            }
            None => self.faults.push(format!("{}: `{field}` is of no index", object.id)),
        }
    }

    /// Each name of a reference in the attributes has its reference.
    fn names(&mut self, object: &SavedObject) {
        let embedded = ["/visState", "/panelsJSON", "/kibanaSavedObjectMeta/searchSourceJSON"];
        for part in embedded.map(|pointer| object.embedded(pointer)) {
            walk(&part, &mut |name, value| {
                let is_name = matches!(name, "indexRefName" | "indexPatternRefName" | "panelRefName");
                let Some(named) = value.as_str().filter(|_| is_name) else { return };
                if !object.references.iter().any(|reference| reference.name == named) {
                    self.faults.push(format!("{}: no reference has the name `{named}`", object.id));
                }
            });
        }
    }

    fn filters(&mut self, object: &SavedObject, objects: &[SavedObject]) {
        let source = object.embedded("/kibanaSavedObjectMeta/searchSourceJSON");
        for filter in source["filter"].as_array().into_iter().flatten() {
            let view = filter["meta"]["indexRefName"].as_str().and_then(|name| object.target(name, objects));
            let mut body = BTreeSet::new();
            body_fields(&filter["query"], &mut body);
            body.extend(filter["meta"]["key"].as_str().map(|key| (key.to_owned(), Purpose::Searched)));
            for (field, purpose) in body {
                self.add(object, title_of(view), Some(&field), purpose);
            }
        }
    }

    fn panel(&mut self, object: &SavedObject, objects: &[SavedObject]) {
        let state = object.embedded("/visState");
        let params = &state["params"];
        let view = title_of(object.target("kibanaSavedObjectMeta.searchSourceJSON.index", objects));
        for agg in state["aggs"].as_array().into_iter().flatten() {
            self.add(object, view, agg["params"]["field"].as_str(), Purpose::Aggregated);
        }
        for control in params["controls"].as_array().into_iter().flatten() {
            let name = control["indexPatternRefName"].as_str();
            let view = title_of(name.and_then(|name| object.target(name, objects)));
            self.add(object, view, control["fieldName"].as_str(), Purpose::Aggregated);
        }
        match state["type"].as_str() {
            Some("metrics") => self.time_series(object, params),
            Some("vega") => self.vega(object, params["spec"].as_str().unwrap_or_default()),
            Some(_) => {}
            None => self.faults.push(format!("{}: no type", object.id)),
        }
    }

    fn time_series(&mut self, object: &SavedObject, params: &Value) {
        let index = params["index_pattern"].as_str();
        let mut add = |field: &Value| self.add(object, index, field.as_str(), Purpose::Aggregated);
        add(&params["time_field"]);
        for series in params["series"].as_array().into_iter().flatten() {
            add(&series["terms_field"]);
            for metric in series["metrics"].as_array().into_iter().flatten() {
                add(&metric["field"]);
            }
        }
        let query = params["filter"]["query"].as_str().unwrap_or_default();
        match phrase_of(query) {
            Some((field, _)) => self.add(object, index, Some(field), Purpose::Searched),
            None if query.is_empty() => {}
            None => self.faults.push(format!("{}: cannot follow the filter `{query}`", object.id)),
        }
    }

    fn vega(&mut self, object: &SavedObject, spec: &str) {
        let Ok(spec) = serde_json::from_str::<Value>(spec) else {
            return self.faults.push(format!("{}: the Vega text is no JSON", object.id));
        };
        let asked = spec["data"].as_array().into_iter().flatten().filter(|data| data.get("url").is_some());
        let mut last_index = None;
        for url in asked.map(|data| &data["url"]) {
            let index = url["index"].as_str();
            if index.is_none() {
                self.faults.push(format!("{}: a Vega text asks no index", object.id));
            }
            let mut fields = BTreeSet::new();
            body_fields(&url["body"], &mut fields);
            for (field, purpose) in fields {
                self.add(object, index, Some(&field), purpose);
            }
            self.add(object, index, url["%timefield%"].as_str(), Purpose::Aggregated);
            last_index = index;
        }
        // Our drawings ask one index each, so what they show of a document is that one's.
        walk(&spec, &mut |_, value| {
            for field in value.as_str().into_iter().flat_map(shown_fields) {
                self.add(object, last_index, Some(field), Purpose::Shown);
            }
        });
    }
}

fn title_of(view: Option<&SavedObject>) -> Option<&str> {
    view.map(SavedObject::title)
}

/// `datum._source.count` shows the field `count`.
fn shown_fields(text: &str) -> impl Iterator<Item = &str> {
    text.split("_source.").skip(1).map(|rest| {
        let end = rest.find(|found: char| !found.is_ascii_alphanumeric() && found != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// The fields in the body of a search.
fn body_fields(body: &Value, found: &mut BTreeSet<(String, Purpose)>) {
    walk(body, &mut |name, value| {
        let keys = value.as_object().into_iter().flat_map(|object| object.keys());
        match (name, value) {
            ("field", Value::String(field)) => {
                found.insert((field.clone(), Purpose::Aggregated));
            }
            ("_source", Value::Array(fields)) => {
                let fields = fields.iter().filter_map(Value::as_str);
                found.extend(fields.map(|field| (field.to_owned(), Purpose::Shown)));
            }
            ("sort", Value::Array(by)) => {
                let keys = by.iter().filter_map(Value::as_object).flat_map(|by| by.keys());
                found.extend(keys.map(|field| (field.clone(), Purpose::Aggregated)));
            }
            ("term" | "terms" | "match" | "match_phrase" | "range", Value::Object(_))
                if value.get("field").is_none() =>
            {
                found.extend(keys.map(|field| (field.clone(), Purpose::Searched)));
            }
            _ => {}
        }
    });
}

/// Calls `each` with every member of every object inside, and with the name of the array for its items.
fn walk(value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                each(name, member);
                walk(member, each);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| {
            if item.is_string() {
                each("", item);
            }
            walk(item, each);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_a_search_are_found() {
        let body = json!({
            "query": { "bool": { "filter": [{ "term": { "view": "x" } }, { "range": { "year": { "gt": 1 } } }] } },
            "sort": [{ "count": "desc" }],
            "_source": ["city"],
            "aggs": { "a": { "terms": { "field": "shape" }, "aggs": { "b": { "max": { "field": "hour" } } } } },
        });
        let mut found = BTreeSet::new();
        body_fields(&body, &mut found);
        let found: Vec<_> = found.iter().map(|(field, purpose)| (field.as_str(), *purpose)).collect();
        let expected = [
            ("city", Purpose::Shown),
            ("count", Purpose::Aggregated),
            ("hour", Purpose::Aggregated),
            ("shape", Purpose::Aggregated),
            ("view", Purpose::Searched),
            ("year", Purpose::Searched),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn shown_fields_are_found() {
        let text = "datum._source.max_ms / 2 + ', ' + datum._source.city";
        assert_eq!(shown_fields(text).collect::<Vec<_>>(), ["max_ms", "city"]);
        assert_eq!(shown_fields("_source.count").collect::<Vec<_>>(), ["count"]);
    }
}
