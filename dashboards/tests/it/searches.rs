//! The searches of all panels, on a real Elasticsearch.

use dashboards::ask::{asks, is_filled};
use dashboards::check::check;

use crate::built;
use crate::pipeline::{Indexes, address};

const GROUP: &str = "dashboards on a real index";

#[test]
fn every_panel_finds_something() {
    let Some(address) = address(GROUP) else { return };
    let indexes = Indexes::filled(&address, "filled");
    let (server, objects) = (indexes.server(), built(&indexes.prefix));
    let asks = asks(&objects);
    assert!(asks.len() > 30, "{}", asks.len());
    for ask in asks {
        let answer = server.post(&format!("/{}/_search", ask.index), &ask.body).unwrap();
        assert_eq!(answer.status, 200, "{}: {}\n{}", ask.panel, ask.body, answer.text);
        assert!(is_filled(&answer.body), "{}: {}\n{}", ask.panel, ask.body, answer.text);
    }
    let findings = check(&server, &objects).unwrap();
    assert_eq!((findings.faults, findings.empty), (vec![], vec![]));
}

/// What nobody has filled yet is no fault; what is missing is one.
#[test]
fn missing_and_empty_are_told_apart() {
    let Some(address) = address(GROUP) else { return };
    let indexes = Indexes::empty(&address, "empty");
    let (server, objects) = (indexes.server(), built(&indexes.prefix));
    let findings = check(&server, &objects).unwrap();
    assert_eq!(findings.faults, Vec::<String>::new());
    assert_eq!(findings.empty.len(), findings.searches);

    let nowhere = check(&server, &built("test-dashboards-nowhere")).unwrap();
    assert_eq!((nowhere.faults.len(), nowhere.searches), (3, 0), "{nowhere}");

    let misspelt = dashboards::saved::to_ndjson(&objects)
        .replace(r#"\"fieldName\":\"state\""#, r#"\"fieldName\":\"stat\""#);
    let found = check(&server, &dashboards::saved::from_ndjson(&misspelt).unwrap()).unwrap();
    assert_eq!(found.faults.len(), 1, "{found}");
    assert!(found.faults[0].ends_with("has no field stat"), "{found}");
}
