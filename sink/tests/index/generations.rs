//! Indexes and aliases: made once, whoever is first, and moved at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use domain::Topics;
use service::exit::Code;
use sink::index::{IndexError, Kind};

use crate::proxy::ask;
use crate::server::{Pipeline, address};

#[test]
fn aliases_move_at_once_and_back() {
    let Some(server) = address() else { return };
    let mut one = Pipeline::start(&server);
    one.write_sightings(0..10);
    one.run_until_end();
    let (index, names) = (one.index(), one.names());
    let alias = names.alias(Kind::Sightings);
    assert_eq!(index.active(&names).unwrap().as_deref(), Some("v1"));
    assert_eq!(index.count(&alias).unwrap(), 10);
    assert!(matches!(index.switch(&names, "v2"), Err(IndexError::Missing { .. })));

    let mut two = Pipeline::again(&one);
    two.topics = Topics::new(one.topics.prefix(), "v2");
    index.prepare(&names, "v2").unwrap();
    assert_eq!(index.active(&names).unwrap().as_deref(), Some("v1"), "a new generation waits for the switch");
    assert_eq!(index.generations(&names).unwrap(), BTreeSet::from(["v1".to_owned(), "v2".to_owned()]));

    // Nobody who asks meanwhile meets both generations or none.
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = BTreeSet::new();
            while !is_over.load(Ordering::Acquire) {
                answers.insert(index.count(&alias).unwrap());
            }
            answers
        });
        for _ in 0..5 {
            index.switch(&names, "v2").unwrap();
            assert_eq!(index.active(&names).unwrap().as_deref(), Some("v2"));
            index.switch(&names, "v1").unwrap();
        }
        index.switch(&names, "v2").unwrap();
        is_over.store(true, Ordering::Release);
        let answers = asking.join().unwrap();
        assert!(answers.is_subset(&BTreeSet::from([0, 10])), "{answers:?}");
    });

    let error = index.drop_generation(&names, "v2").unwrap_err();
    assert_eq!((error.code(), matches!(error, IndexError::Active { .. })), (Code::Config, true));
    index.drop_generation(&names, "v1").unwrap();
    assert_eq!(index.generations(&names).unwrap(), BTreeSet::from(["v2".to_owned()]));
    assert_eq!(index.count(&alias).unwrap(), 0);
}

#[test]
fn many_first_sinks_agree_on_one_generation() {
    let Some(server) = address() else { return };
    let pipeline = Pipeline::start(&server);
    let (index, names) = (pipeline.index(), pipeline.names());
    thread::scope(|scope| {
        for generation in ["v1", "v2", "v1", "v2", "v1", "v2"] {
            scope.spawn(|| index.prepare(&names, generation).unwrap());
        }
    });
    let active = index.active(&names).unwrap().unwrap();
    assert!(["v1", "v2"].contains(&active.as_str()));
    for kind in Kind::ALL {
        let (_, shown) = ask(&server, "GET", &format!("/_alias/{}", names.alias(kind)), "");
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let indexes: Vec<_> = shown.as_object().unwrap().keys().collect();
        assert_eq!(indexes, [&names.index(kind, &active).unwrap()]);
    }
}

#[test]
fn an_index_with_other_fields_is_a_misfit() {
    let Some(server) = address() else { return };
    let pipeline = Pipeline::start(&server);
    let mapping = r#"{"mappings":{"properties":{"occurred_at":{"type":"keyword"}}}}"#;
    let name = pipeline.name(Kind::Sightings);
    assert_eq!(ask(&server, "PUT", &format!("/{name}"), mapping).0, 200);
    let error = pipeline.index().prepare(&pipeline.names(), "v1").unwrap_err();
    assert_eq!(error.code(), Code::Config);
    assert!(error.to_string().contains(&name) && error.to_string().contains("another generation"), "{error}");
}

#[test]
fn an_index_in_the_place_of_an_alias_is_a_misfit() {
    let Some(server) = address() else { return };
    let pipeline = Pipeline::start(&server);
    let alias = pipeline.names().alias(Kind::Sightings);
    assert_eq!(ask(&server, "PUT", &format!("/{alias}"), "{}").0, 200);
    let error = pipeline.index().prepare(&pipeline.names(), "v1").unwrap_err();
    assert_eq!(ask(&server, "DELETE", &format!("/{alias}"), "").0, 200);
    assert_eq!(error.code(), Code::Config, "{error}");
    assert!(error.to_string().contains(&alias), "{error}");
}

#[test]
fn an_index_that_is_made_by_a_write_has_our_fields() {
    let Some(server) = address() else { return };
    let pipeline = Pipeline::start(&server);
    pipeline.index().prepare(&pipeline.names(), "v1").unwrap();
    let name = pipeline.name(Kind::Sightings);
    assert_eq!(ask(&server, "DELETE", &format!("/{name}"), "").0, 200);
    assert_eq!(ask(&server, "PUT", &format!("/{name}/_doc/1"), r#"{"other":1}"#).0, 400);
    assert_eq!(ask(&server, "PUT", &format!("/{name}/_doc/1"), r#"{"shape":"light"}"#).0, 201);
}
