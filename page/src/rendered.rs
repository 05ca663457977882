//! What a filter's page holds, as JSON, part by part: so that only the parts that have changed are sent.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

/// One part: its name in the update, and its JSON.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) json: Arc<str>,
    /// Of the JSON; what a connection remembers of what it has sent.
    pub(crate) hash: u64,
}

/// All parts of a filter at one moment; shared by everyone who looks at the same.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) revision: u64,
    pub(crate) parts: Vec<Part>,
    /// The cells that are drawn, whose outlines a page has to know.
    pub(crate) cells: Vec<String>,
}

impl Part {
    pub(crate) fn new(name: &'static str, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).expect("plain values with text keys are JSON");
        let hash =
            u64::from_le_bytes(blake3::hash(json.as_bytes()).as_bytes()[..8].try_into().expect("8 of 32"));
        Self { name, json: json.into(), hash }
    }
}

/// One JSON object of these parts. Without line ends, so that it is one line of an event.
pub(crate) fn object<'p>(parts: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = String::from("{");
    for (index, (name, json)) in parts.into_iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // A string takes whatever is written to it.
        let _ = write!(out, "{comma}\"{name}\":{json}");
    }
    out.push('}');
    out
}
