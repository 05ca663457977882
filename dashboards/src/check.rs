//! Whether the indexes have what the panels use: what an import never looks at.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ask::{asks, is_filled};
use crate::saved::SavedObject;
use crate::server::{Server, ServerError};
use crate::uses::{Purpose, Use, Uses};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Panels that cannot be drawn, and why; one sentence each.
    pub faults: Vec<String>,
    /// Panels that have nothing to show now.
    pub empty: Vec<String>,
    /// Searches that were sent.
    pub searches: usize,
    pub fields: usize,
}

/// Asks `elasticsearch` for each index and field that the objects use, then for what each panel would be drawn from.
pub fn check(elasticsearch: &Server, objects: &[SavedObject]) -> Result<Findings, ServerError> {
    let uses = Uses::of(objects);
    let mut findings = Findings { fields: uses.fields.len(), ..Findings::default() };
    findings.faults.extend(uses.faults.iter().cloned());
    let mut indexes = BTreeMap::new();
    for index in uses.indexes() {
        match fields_of(elasticsearch, index)? {
            Some(fields) => {
                indexes.insert(index, fields);
            }
            None => findings.faults.push(format!("there is no index {index}: the sink makes it")),
        }
    }
    for used in &uses.fields {
        let fields = indexes.get(used.index.as_str());
        findings.faults.extend(fields.and_then(|fields| fault_of(used, &fields[used.field.as_str()])));
    }
    for ask in asks(objects).into_iter().filter(|ask| indexes.contains_key(ask.index.as_str())) {
        let answer = elasticsearch.post(&format!("/{}/_search", ask.index), &ask.body)?;
        findings.searches += 1;
        let shards = &answer.body["_shards"];
        if answer.status != 200 || shards["failed"] != 0 {
            findings.faults.push(format!("{}: the search is refused: {}", ask.panel, answer.reason()));
        } else if !is_filled(&answer.body) {
            findings.empty.push(ask.panel);
        }
    }
    Ok(findings)
}

/// The fields of an index or alias; null where there is none. An alias that leads nowhere is none, too.
fn fields_of(elasticsearch: &Server, index: &str) -> Result<Option<Value>, ServerError> {
    let path = format!("/{index}/_field_caps?fields=*&ignore_unavailable=false&allow_no_indices=false");
    let answer = elasticsearch.get(&path)?;
    if answer.status == 404 {
        return Ok(None);
    }
    let answer = elasticsearch.succeeded(&path, answer)?;
    Ok(Some(answer.body["fields"].clone()))
}

/// `capabilities` are by type; several types mean that the indexes behind an alias differ.
fn fault_of(used: &Use, capabilities: &Value) -> Option<String> {
    let Use { object, index, field, purpose } = used;
    let Some(types) = capabilities.as_object() else {
        return Some(format!("{object}: {index} has no field {field}"));
    };
    let can = |what: &str| types.values().all(|capability| capability[what] == true);
    let lacks = |what: &str| Some(format!("{object}: {field} of {index} cannot be {what}"));
    match purpose {
        Purpose::Aggregated if !can("aggregatable") => lacks("grouped by"),
        Purpose::Searched if !can("searchable") => lacks("searched"),
        Purpose::Aggregated | Purpose::Searched | Purpose::Shown => None,
    }
}

impl std::fmt::Display for Findings {
    /// One line each, worst first.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for fault in &self.faults {
            writeln!(f, "cannot be drawn: {fault}")?;
        }
        for panel in &self.empty {
            writeln!(f, "empty now: {panel}")?;
        }
        let (fields, searches, empty) = (self.fields, self.searches, self.empty.len());
        writeln!(
            f,
            "{fields} uses of fields and {searches} searches looked at, {empty} of these find nothing yet"
        )
    }
}
