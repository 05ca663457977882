//! The dashboards: held against the index mapping, a stand-in for Kibana, and a real Elasticsearch.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fields;
mod file;
mod kibana;
mod pipeline;
mod searches;

use dashboards::{Options, SavedObject, objects, saved};

/// The file as it is kept. `cargo run -p dashboards -- export dashboards/ufo.ndjson` writes it anew.
const FILE: &str = include_str!("../../ufo.ndjson");

fn options(prefix: &str) -> Options {
    Options::new(prefix, "us").unwrap()
}

/// The objects of the kept file.
fn kept() -> Vec<SavedObject> {
    saved::from_ndjson(FILE).unwrap()
}

/// The objects that the sources give.
fn built(prefix: &str) -> Vec<SavedObject> {
    objects(&options(prefix))
}
