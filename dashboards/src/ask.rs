//! The searches that Kibana sends for the panels of a dashboard, and whether an answer would draw anything.

use serde_json::{Map, Value, json};

use crate::saved::{ObjectKind, SavedObject};

/// One search of one panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// As people see it: dashboard and panel.
    pub panel: String,
    pub index: String,
    pub body: Value,
}

/// What a dashboard adds to the searches of its panels.
struct Context {
    filters: Vec<Value>,
    from: Value,
    to: Value,
}

impl Context {
    fn of(dashboard: &SavedObject) -> Self {
        Self {
            filters: filters_of(dashboard),
            from: dashboard.attributes["timeFrom"].clone(),
            to: dashboard.attributes["timeTo"].clone(),
        }
    }

    fn range(&self, field: &str) -> Value {
        json!({ "range": { field: { "gte": self.from, "lte": self.to, "time_zone": "UTC" } } })
    }

    /// The dashboard's filters, those of the panel, and the time range.
    fn query(&self, own: Vec<Value>, time_field: Option<&str>) -> Value {
        let mut filters = [self.filters.clone(), own].concat();
        filters.extend(time_field.map(|field| self.range(field)));
        json!({ "bool": { "filter": filters } })
    }
}

/// The searches of all panels of all dashboards, in the order in which they are shown.
pub fn asks(objects: &[SavedObject]) -> Vec<Ask> {
    let mut asks = Vec::new();
    for dashboard in objects.iter().filter(|object| object.kind == ObjectKind::Dashboard) {
        let context = Context::of(dashboard);
        for reference in dashboard.references.iter().filter(|needed| needed.kind == ObjectKind::Panel) {
            let Some(panel) = dashboard.target(&reference.name, objects) else { continue };
            let name = if panel.title().is_empty() { &panel.id } else { panel.title() };
            let searches = searches(panel, objects, &context).into_iter();
            let title = dashboard.title();
            asks.extend(searches.map(|(index, body)| Ask {
                panel: format!("{title} / {name}"),
                index,
                body,
            }));
        }
    }
    asks
}

fn searches(panel: &SavedObject, objects: &[SavedObject], context: &Context) -> Vec<(String, Value)> {
    let state = panel.embedded("/visState");
    let params = &state["params"];
    match state["type"].as_str().unwrap_or_default() {
        "markdown" => Vec::new(),
        "input_control_vis" => controls(panel, params, objects),
        "metrics" => vec![time_series(params, context)],
        "vega" => vega(params, context),
        _ => {
            let view = panel.target("kibanaSavedObjectMeta.searchSourceJSON.index", objects);
            let time_field = view.and_then(|view| view.attributes["timeFieldName"].as_str());
            let aggs = state["aggs"].as_array().map(Vec::as_slice).unwrap_or_default();
            let body = json!({
                "size": 0,
                "query": context.query(filters_of(panel), time_field),
                "aggs": classic(aggs),
            });
            vec![(view.map_or_else(String::new, |view| view.title().to_owned()), body)]
        }
    }
}

fn filters_of(object: &SavedObject) -> Vec<Value> {
    let source = object.embedded("/kibanaSavedObjectMeta/searchSourceJSON");
    let filters = source["filter"].as_array().into_iter().flatten();
    filters.map(|filter| filter["query"].clone()).collect()
}

/// Buckets inside one another in their order, the measures in the innermost (and where the order needs them).
fn classic(aggs: &[Value]) -> Value {
    let (measures, buckets): (Vec<_>, Vec<_>) = aggs.iter().partition(|agg| agg["schema"] == "metric");
    let measures: Map<String, Value> = measures
        .into_iter()
        .filter(|agg| agg["type"] != "count")
        .map(|agg| {
            let function = agg["type"].as_str().unwrap_or_default();
            (id_of(agg), json!({ function: { "field": agg["params"]["field"] } }))
        })
        .collect();
    let innermost = Value::Object(measures.clone());
    buckets.into_iter().rev().fold(innermost, |inner, agg| {
        let mut bucket = bucket(agg, aggs);
        let mut inside = measures.clone();
        inside.extend(inner.as_object().cloned().unwrap_or_default());
        bucket["aggs"] = Value::Object(inside);
        json!({ id_of(agg): bucket })
    })
}

fn id_of(agg: &Value) -> String {
    agg["id"].as_str().unwrap_or_default().to_owned()
}

fn bucket(agg: &Value, all: &[Value]) -> Value {
    let params = &agg["params"];
    if agg["type"] == "date_histogram" {
        let step = params["interval"].as_str().unwrap_or_default();
        return json!({ "date_histogram": {
            "field": params["field"],
            "calendar_interval": format!("1{step}"),
            "time_zone": "UTC",
            "min_doc_count": params["min_doc_count"],
        } });
    }
    let by = params["orderBy"].as_str().unwrap_or_default();
    let is_count = all.iter().any(|agg| agg["id"] == by && agg["type"] == "count");
    let by = if is_count { "_count" } else { by };
    json!({ "terms": {
        "field": params["field"],
        "size": params["size"],
        "order": { by: params["order"] },
    } })
}

/// One search for each control: a list shows the values there are, a range their ends.
fn controls(panel: &SavedObject, params: &Value, objects: &[SavedObject]) -> Vec<(String, Value)> {
    let controls = params["controls"].as_array().into_iter().flatten();
    let searches = controls.map(|control| {
        let name = control["indexPatternRefName"].as_str().unwrap_or_default();
        let index = panel.target(name, objects).map_or_else(String::new, |view| view.title().to_owned());
        let field = &control["fieldName"];
        let aggs = match control["type"].as_str() {
            Some("range") => json!({
                "least": { "min": { "field": field } },
                "most": { "max": { "field": field } },
            }),
            _ => json!({ "values": { "terms": { "field": field, "size": control["options"]["size"] } } }),
        };
        (index, json!({ "size": 0, "aggs": aggs }))
    });
    searches.collect()
}

fn time_series(params: &Value, context: &Context) -> (String, Value) {
    let time_field = params["time_field"].as_str().unwrap_or_default();
    let query = params["filter"]["query"].as_str().unwrap_or_default();
    let own = phrase_of(query).map(|(field, value)| json!({ "match_phrase": { field: value } }));
    let series = &params["series"][0];
    let metric = &series["metrics"][0];
    let mut each = json!({ "terms": { "field": series["terms_field"], "size": series["terms_size"] } });
    let mut steps = json!({ "date_histogram": {
        "field": time_field,
        "fixed_interval": params["interval"].as_str().unwrap_or_default().trim_start_matches(">="),
        "time_zone": "UTC",
        "min_doc_count": 1,
    } });
    if metric["type"] == "sum" {
        steps["aggs"] = json!({ "sum": { "sum": { "field": metric["field"] } } });
    }
    each["aggs"] = json!({ "steps": steps });
    let query = context.query(own.into_iter().collect(), Some(time_field));
    let body = json!({ "size": 0, "query": query, "aggs": { "each": each } });
    (params["index_pattern"].as_str().unwrap_or_default().to_owned(), body)
}

/// Kibana fills in the dashboard's filters and the time range where a drawing asks for its context.
fn vega(params: &Value, context: &Context) -> Vec<(String, Value)> {
    let spec: Value =
        params["spec"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let urls = spec["data"].as_array().into_iter().flatten().filter_map(|data| data.get("url"));
    let searches = urls.map(|url| {
        let mut body = url["body"].clone();
        if url["%context%"] == true {
            body["query"] = context.query(Vec::new(), url["%timefield%"].as_str());
        }
        (url["index"].as_str().unwrap_or_default().to_owned(), body)
    });
    searches.collect()
}

/// The one form of Kibana's query language that we write: `field : "value"`.
pub(crate) fn phrase_of(query: &str) -> Option<(&str, &str)> {
    let (field, value) = query.split_once(" : ")?;
    let value = value.strip_prefix('"')?.strip_suffix('"')?;
    (!field.contains(' ') && !value.contains('"')).then_some((field, value))
}

/// Whether a panel has something to draw: each level of buckets has one, each number is one.
pub fn is_filled(answer: &Value) -> bool {
    match answer.get("aggregations").and_then(Value::as_object) {
        Some(aggs) => aggs.values().all(is_agg_filled) && answer["hits"]["total"]["value"] != 0,
        None => {
            let hits = answer["hits"]["hits"].as_array();
            hits.is_some_and(|hits| !hits.is_empty()) || answer["hits"]["total"]["value"].as_u64() > Some(0)
        }
    }
}

fn is_agg_filled(agg: &Value) -> bool {
    match agg.get("buckets") {
        Some(buckets) => buckets.as_array().and_then(|buckets| buckets.first()).is_some_and(|first| {
            let inner = first.as_object().into_iter().flat_map(|first| first.values());
            inner.filter(|inner| inner.get("buckets").is_some()).all(is_agg_filled)
        }),
        None => agg.get("value").is_none_or(|value| !value.is_null()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_buckets_or_numbers_draws_nothing() {
        let filled =
            |aggs: Value| is_filled(&json!({ "hits": { "total": { "value": 1 } }, "aggregations": aggs }));
        assert!(filled(json!({ "2": { "buckets": [{ "key": 1, "3": { "buckets": [{ "key": 2 }] } }] } })));
        assert!(!filled(json!({ "2": { "buckets": [] } })));
        assert!(!filled(json!({ "2": { "buckets": [{ "key": 1, "3": { "buckets": [] } }] } })));
        assert!(filled(json!({ "1": { "value": 0.0 } })));
        assert!(!filled(json!({ "1": { "value": null } })));
        let hits =
            |total: u64, hits: &[u64]| json!({ "hits": { "total": { "value": total }, "hits": hits } });
        assert!(is_filled(&hits(1, &[])) && is_filled(&hits(1, &[1])) && !is_filled(&hits(0, &[])));
    }

    #[test]
    fn one_form_of_the_query_language_is_read() {
        assert_eq!(phrase_of("view : \"arrivals\""), Some(("view", "arrivals")));
        for other in ["", "view: arrivals", "a : \"b\" and c : \"d\"", "not a : \"b\""] {
            assert_eq!(phrase_of(other), None, "{other}");
        }
    }
}
