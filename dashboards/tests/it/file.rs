//! The file is what the sources give, and what Kibana from 7.10 on takes.

use std::collections::BTreeSet;

use dashboards::uses::Uses;
use dashboards::{ObjectKind, SavedObject, ndjson, saved};
use serde_json::Value;

use crate::{FILE, built, kept, options};

/// What every Kibana from 7.10 to 8.19 can draw.
const CLASSIC_TYPES: [&str; 11] = [
    "heatmap",
    "histogram",
    "horizontal_bar",
    "input_control_vis",
    "line",
    "markdown",
    "metric",
    "metrics",
    "pie",
    "table",
    "tagcloud",
];

fn of_kind(objects: &[SavedObject], kind: ObjectKind) -> Vec<&SavedObject> {
    objects.iter().filter(|object| object.kind == kind).collect()
}

#[test]
fn the_kept_file_is_what_the_sources_give() {
    let hint = "write it anew: cargo run -p dashboards -- export dashboards/ufo.ndjson";
    assert!(ndjson(&options("ufo")) == FILE, "{hint}");
}

#[test]
fn the_same_options_give_the_same_bytes() {
    assert!(ndjson(&options("ufo")) == ndjson(&options("ufo")));
    assert!(ndjson(&options("ufo")) != ndjson(&options("other")));
}

#[test]
fn the_file_comes_back_as_it_was() {
    assert!(kept() == built("ufo"));
    assert!(saved::to_ndjson(&kept()) == FILE);
}

#[test]
fn ids_are_fixed_and_each_is_there_once() {
    let objects = kept();
    let ids: BTreeSet<_> = objects.iter().map(|object| (object.kind, &object.id)).collect();
    assert_eq!(ids.len(), objects.len());
    assert!(ids.iter().all(|(_, id)| id.starts_with("ufo-")));
    let boards: Vec<_> = of_kind(&objects, ObjectKind::Dashboard).iter().map(|board| &*board.id).collect();
    assert_eq!(boards, ["ufo-overview", "ufo-domestic", "ufo-pipeline"]);
}

/// Nothing of one pipeline is left in the dashboards of another.
#[test]
fn another_prefix_is_everywhere() {
    let text = ndjson(&options("other"));
    let ours = ["sightings", "aggregates", "rejects", "panel", "overview", "domestic", "pipeline"];
    for name in ours.map(|name| format!("ufo-{name}")) {
        assert!(!text.contains(&name), "{name}");
    }
}

#[test]
fn every_reference_leads_to_an_object() {
    let objects = kept();
    assert_eq!(Uses::of(&objects).faults, Vec::<String>::new());
    // And each object is needed: without it a reference leads nowhere. The aggregates are asked by name (Vega, time
    // series); their data view is there for whoever looks at them in Discover.
    for (number, object) in objects.iter().enumerate() {
        let is_needed = object.kind != ObjectKind::Dashboard && object.id != "ufo-aggregates";
        let mut fewer = objects.clone();
        fewer.remove(number);
        assert_eq!(!Uses::of(&fewer).faults.is_empty(), is_needed, "{}", object.id);
    }
}

#[test]
fn a_name_without_its_reference_is_found() {
    for (number, object) in kept().iter().enumerate() {
        for lost in 0..object.references.len() {
            let mut objects = kept();
            objects[number].references.remove(lost);
            assert!(!Uses::of(&objects).faults.is_empty(), "{}: {lost}", object.id);
        }
    }
}

#[test]
fn only_classic_panels_and_vega_are_used() {
    let objects = kept();
    let mut used = BTreeSet::new();
    for panel in of_kind(&objects, ObjectKind::Panel) {
        let state = panel.embedded("/visState");
        assert_eq!(state["title"], panel.title());
        assert!(!panel.title().is_empty(), "{}: a list of panels shows it", panel.id);
        used.insert(state["type"].as_str().unwrap().to_owned());
    }
    let mut classic: BTreeSet<_> = CLASSIC_TYPES.map(str::to_owned).into();
    classic.insert("vega".into());
    assert_eq!(used, classic, "all types are used, no other is");
}

/// Kibana's own: each measure before it is used, each id once, each order by something that is there.
#[test]
fn buckets_are_ordered_by_what_is_there() {
    for panel in of_kind(&kept(), ObjectKind::Panel) {
        let state = panel.embedded("/visState");
        let aggs = state["aggs"].as_array().unwrap();
        let ids: BTreeSet<_> = aggs.iter().map(|agg| agg["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), aggs.len(), "{}", panel.id);
        let orders = aggs.iter().filter_map(|agg| agg["params"]["orderBy"].as_str());
        for order in orders.filter(|order| *order != "_key") {
            assert!(ids.contains(order), "{}: {order}", panel.id);
        }
        for series in state["params"]["seriesParams"].as_array().into_iter().flatten() {
            assert!(ids.contains(series["data"]["id"].as_str().unwrap()), "{}", panel.id);
        }
    }
}

#[test]
fn panels_lie_beside_one_another() {
    for board in of_kind(&kept(), ObjectKind::Dashboard) {
        let panels = board.embedded("/panelsJSON");
        let mut taken = BTreeSet::new();
        for panel in panels.as_array().unwrap() {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridData"][name].as_u64().unwrap());
            assert!(w > 0 && h > 0 && x + w <= 48, "{}: {panel}", board.id);
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{}: {panel} lies on another one", board.id);
            }
        }
        assert_eq!(
            panels.as_array().unwrap().len(),
            board.references.iter().filter(|needed| needed.kind == ObjectKind::Panel).count()
        );
    }
}

#[test]
fn the_whole_data_set_is_in_the_time_range() {
    let objects = kept();
    let range = |id: &str| {
        let board = objects.iter().find(|object| object.id == id).unwrap();
        let text = |name: &str| board.attributes[name].as_str().unwrap().to_owned();
        assert_eq!(board.attributes["timeRestore"], true);
        (text("timeFrom"), text("timeTo"))
    };
    for id in ["ufo-overview", "ufo-domestic"] {
        let (from, to) = range(id);
        assert!(from.as_str() <= "1906-11-11" && to.as_str() > "2014-05-08T23:59", "{id}: {from} {to}");
    }
    assert_eq!(range("ufo-pipeline"), ("now-24h".into(), "now".into()));
}

#[test]
fn the_home_country_is_a_filter_of_the_domestic_dashboard() {
    let objects = dashboards::objects(&dashboards::Options::new("ufo", "kr").unwrap());
    for board in of_kind(&objects, ObjectKind::Dashboard) {
        let source = board.embedded("/kibanaSavedObjectMeta/searchSourceJSON");
        let expected = match &*board.id {
            "ufo-domestic" => serde_json::json!([{ "match_phrase": { "country": "kr" } }]),
            _ => serde_json::json!([]),
        };
        let filters = source["filter"].as_array().unwrap();
        assert_eq!(filters.iter().map(|filter| filter["query"].clone()).collect::<Value>(), expected);
    }
}

/// The only address in the file is the one that says which language a Vega text is.
#[test]
fn nothing_outside_is_asked() {
    let addresses: BTreeSet<_> = FILE
        .match_indices("://")
        .map(|(at, _)| FILE[at..].split(['"', '\\', ' ', ')']).next().unwrap_or_default())
        .collect();
    assert_eq!(addresses, BTreeSet::from(["://vega.github.io/schema/vega/v5.json"]));
}
