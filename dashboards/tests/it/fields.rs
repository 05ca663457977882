//! Every field that a dashboard uses, against the mapping that the sink gives its indexes.

use std::collections::BTreeSet;

use dashboards::uses::{Purpose, Use, Uses};
use dashboards::{DataView, ObjectKind, SavedObject, saved};
use serde_json::Value;
use sink::index::Kind;
use sink::index::generation::Names;
use sink::index::mapping::mappings;

use crate::{FILE, kept};

/// What the mapping does not have, or cannot do what the use needs.
fn unmapped(objects: &[SavedObject]) -> Vec<String> {
    let names = Names::new("ufo").unwrap();
    let fault_of = |used: &Use| {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| names.alias(*kind) == used.index) else {
            return Some(format!("{}: there is no index {}", used.object, used.index));
        };
        let mapped = mappings(kind);
        let Some(field) = mapped["properties"].get(&used.field) else {
            return Some(format!("{}: {} has no field {}", used.object, used.index, used.field));
        };
        let is_usable = match used.purpose {
            Purpose::Shown => true,
            Purpose::Searched => field["index"] != false,
            Purpose::Aggregated => field["type"] != "text" && field["doc_values"] != false,
        };
        (!is_usable).then(|| format!("{}: {} cannot be used for {:?}", used.object, used.field, used.purpose))
    };
    Uses::of(objects).fields.iter().filter_map(fault_of).collect()
}

#[test]
fn every_field_is_in_the_mapping() {
    assert_eq!(unmapped(&kept()), Vec::<String>::new());
    assert!(Uses::of(&kept()).fields.len() > 60, "the fields are looked for at all");
}

/// One misspelling for each place where a field can stand: none goes unnoticed.
#[test]
fn a_misspelt_field_or_index_is_found() {
    let places = [
        // A classic panel; an order by it follows its id.
        r#"\"field\":\"duration_ms\""#,
        r#"\"field\":\"occurred_at\""#,
        r#"\"field\":\"weekday\""#,
        // A control.
        r#"\"fieldName\":\"country\""#,
        r#"\"fieldName\":\"year\""#,
        // The time field of a data view.
        r#""timeFieldName":"occurred_at""#,
        // A dashboard's filter: as shown, as asked.
        r#"\"key\":\"country\""#,
        r#"{\"country\":\"us\"}"#,
        // A time series.
        r#"\"time_field\":\"minute\""#,
        r#"\"terms_field\":\"code\""#,
        r#"\"field\":\"count\""#,
        r#"view : \\\"arrivals\\\""#,
        // Vega: what is asked, sorted by, taken along, shown; its index.
        r#"\\\"field\\\":\\\"location\\\""#,
        r#"\\\"%timefield%\\\":\\\"occurred_at\\\""#,
        r#"{\\\"count\\\":\\\"desc\\\"}"#,
        r#"{\\\"term\\\":{\\\"view\\\":"#,
        r#"\\\"last_occurred_at\\\"]"#,
        r#"datum._source.total_plausible_ms"#,
        r#"\\\"index\\\":\\\"ufo-aggregates\\\""#,
        // The index of a time series; of a data view.
        r#"\"index_pattern\":\"ufo-rejects\""#,
        r#""title":"ufo-sightings""#,
    ];
    let is_letter = |found: char| found.is_ascii_lowercase();
    for place in places {
        assert!(FILE.contains(place), "{place} is not in the file any more");
        // The last word of the place is the name, but for those whose name stands elsewhere.
        let name = ["country\\\":\\\"us", "view : ", "count\\\\\\\":", "view\\\\\\\":"]
            .iter()
            .find_map(|key| place.find(key))
            .unwrap_or_else(|| {
                let end = place.rfind(is_letter).unwrap();
                place[..=end].rfind(|found: char| !is_letter(found) && found != '_').map_or(0, |at| at + 1)
            });
        let misspelt = format!("{}x{}", &place[..name], &place[name..]);
        let objects = saved::from_ndjson(&FILE.replace(place, &misspelt)).unwrap();
        assert!(!unmapped(&objects).is_empty(), "{misspelt}");
    }
}

/// Kibana draws nothing for a field that its data view does not list.
#[test]
fn data_views_list_all_fields_as_elasticsearch_has_them() {
    let objects = kept();
    for view in DataView::ALL {
        let object = objects.iter().find(|object| object.id == view.id("ufo")).unwrap();
        assert_eq!(object.kind, ObjectKind::DataView);
        let listed = object.embedded("/fields");
        let listed = listed.as_array().unwrap();
        let mapped = mappings(view.kind());
        let mapped = mapped["properties"].as_object().unwrap();
        let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
        let names: BTreeSet<_> = listed.iter().map(name).filter(|name| !name.starts_with('_')).collect();
        assert_eq!(names, mapped.keys().cloned().collect(), "{view:?}");
        for field in listed.iter().filter(|field| mapped.contains_key(&name(field))) {
            assert_eq!(field["esTypes"][0], mapped[&name(field)]["type"]);
            let kinds = ["string", "number", "date", "geo_point", "boolean"];
            assert!(kinds.contains(&field["type"].as_str().unwrap()), "{field}");
        }
        let time = object.attributes.get("timeFieldName").and_then(Value::as_str);
        assert_eq!(time, view.time_field());
        for formatted in object.embedded("/fieldFormatMap").as_object().unwrap().keys() {
            assert!(mapped.contains_key(formatted), "{view:?} {formatted}");
        }
    }
}
