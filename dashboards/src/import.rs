//! Brings the objects into Kibana and looks whether they arrived.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use service::{Backoff, Shutdown};

use crate::saved::{SavedObject, to_ndjson};
use crate::server::{Server, ServerError};

/// Our times are local civil times without a zone; Kibana would move them to the browser's.
const TIME_ZONE: (&str, &str) = ("dateFormat:tz", "UTC");

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("Kibana is not ready: {0}")]
    Starting(String),
    #[error("Kibana took {taken} of {sent} objects: {reasons}")]
    Partly { taken: u64, sent: usize, reasons: String },
    #[error("Kibana lacks {missing} after the import")]
    Missing { missing: String },
}

impl ImportError {
    fn is_passing(&self) -> bool {
        match self {
            Self::Server(error) => error.is_passing(),
            Self::Starting(_) => true,
            Self::Partly { .. } | Self::Missing { .. } => false,
        }
    }
}

/// Waits until Kibana answers and is ready; its version.
pub fn wait(kibana: &Server, patience: Duration, shutdown: &Shutdown) -> Result<String, ImportError> {
    let tries = usize::try_from(patience.as_secs()).unwrap_or(usize::MAX).div_ceil(3).max(1);
    let backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(2), tries };
    backoff.retry("Kibana is not there yet", shutdown, ImportError::is_passing, || status(kibana))
}

fn status(kibana: &Server) -> Result<String, ImportError> {
    let answer = kibana.get("/api/status")?;
    let answer = kibana.succeeded("/api/status", answer)?;
    let overall = &answer.body["status"]["overall"];
    // `level` since 8.0, `state` before; a Kibana that tells strangers little gives `level` only.
    let said = overall["level"].as_str().or(overall["state"].as_str()).unwrap_or("nothing about itself");
    match said {
        "available" | "degraded" | "green" | "yellow" => {
            Ok(answer.body["version"]["number"].as_str().unwrap_or("unknown").to_owned())
        }
        other => Err(ImportError::Starting(other.to_owned())),
    }
}

/// Replaces the objects of the same ids. May be done again and again.
pub fn import(kibana: &Server, objects: &[SavedObject]) -> Result<(), ImportError> {
    let path = "/api/saved_objects/_import?overwrite=true";
    let answer = kibana.upload(path, "ufo.ndjson", &to_ndjson(objects))?;
    let body = kibana.succeeded(path, answer)?.body;
    let taken = body["successCount"].as_u64().unwrap_or_default();
    if body["success"] != true || taken != objects.len() as u64 {
        let reasons = body["errors"].as_array().into_iter().flatten().map(|error| {
            format!(
                "{} ({})",
                error["id"].as_str().unwrap_or("?"),
                error["error"]["type"].as_str().unwrap_or("?")
            )
        });
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        return Err(ImportError::Partly { taken, sent: objects.len(), reasons });
    }
    set_time_zone(kibana)?;
    arrived(kibana, objects)
}

fn set_time_zone(kibana: &Server) -> Result<(), ServerError> {
    let (key, value) = TIME_ZONE;
    let path = "/api/kibana/settings";
    let answer = kibana.post(path, &json!({ "changes": { key: value } }))?;
    kibana.succeeded(path, answer).map(|_| ())
}

/// Asks Kibana for each object, with all that it needs: an export names what is missing.
fn arrived(kibana: &Server, objects: &[SavedObject]) -> Result<(), ImportError> {
    let asked: Vec<_> =
        objects.iter().map(|object| json!({ "type": object.kind.name(), "id": object.id })).collect();
    let path = "/api/saved_objects/_export";
    let answer = kibana.post(path, &json!({ "objects": asked, "includeReferencesDeep": true }))?;
    let answer = kibana.succeeded(path, answer)?;
    let lines: Vec<Value> = answer.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let found: BTreeSet<_> =
        lines.iter().filter_map(|line| Some((line["type"].as_str()?, line["id"].as_str()?))).collect();
    let lost = objects.iter().filter(|object| !found.contains(&(object.kind.name(), object.id.as_str())));
    let mut missing: Vec<_> = lost.map(|object| format!("{} {}", object.kind.name(), object.id)).collect();
    let unmet = lines.iter().flat_map(|line| line["missingReferences"].as_array().into_iter().flatten());
    missing.extend(unmet.map(|needed| format!("{} {}", needed["type"], needed["id"])));
    if missing.is_empty() { Ok(()) } else { Err(ImportError::Missing { missing: missing.join(", ") }) }
}
