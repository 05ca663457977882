//! A record of a topic as a document: id, external version, source. Pure.

use std::io::Write;

use domain::view::Part;
use domain::wire::{self, WireError};
use domain::{Key, Reject, Sighting, SightingId, Topics, View};
use engine::record::Record;
use h3o::{CellIndex, LatLng};
use serde_json::Value;

/// Elasticsearch takes no longer id.
const ID_BYTES_MAX: usize = 512;

/// How much of a rejected record's bytes a person sees in the index; all of them are in the topic.
const EXCERPT_BYTES_MAX: usize = 1_000;

/// The kinds of documents: one topic, one index, one alias each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Sightings,
    Aggregates,
    Rejects,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Sightings, Self::Aggregates, Self::Rejects];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sightings => "sightings",
            Self::Aggregates => "aggregates",
            Self::Rejects => "rejects",
        }
    }

    /// The topic whose records these documents are.
    pub fn topic(self, topics: &Topics) -> String {
        match self {
            Self::Sightings => topics.sightings(),
            Self::Aggregates => topics.aggregates(),
            Self::Rejects => topics.rejects(),
        }
    }
}

/// What a document's record asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Index,
    /// The record is a tombstone.
    Delete,
}

/// A record that none of our encoders wrote.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("a tombstone without a key")]
    NoKey,
}

/// Where documents are written; its buffers are used again for the next one.
#[derive(Debug, Default)]
pub struct Document {
    pub id: String,
    pub version: u64,
    /// One line of JSON; empty for a deletion.
    pub source: Vec<u8>,
    scratch: Vec<u8>,
}

impl Document {
    /// Turns a record into its document. A key lives in one partition, so its offsets order its versions.
    pub fn read(&mut self, kind: Kind, record: &Record<'_>) -> Result<Action, DocumentError> {
        self.id.clear();
        self.source.clear();
        // Elasticsearch's versions start at 1 here, so that 0 stays what it means there: nothing yet.
        self.version = record.offset + 1;
        let Some(value) = record.value else {
            let key = record.key.ok_or(DocumentError::NoKey)?;
            push_id(key, &mut self.id);
            return Ok(Action::Delete);
        };
        match kind {
            Kind::Sightings => self.sighting(&wire::decode_sighting(value)?),
            Kind::Aggregates => self.aggregate(value)?,
            Kind::Rejects => self.reject(&wire::decode_reject(value)?),
        }
        Ok(Action::Index)
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        self.hex_id(sighting.id);
        let occurred = sighting.occurred_at;
        let date = occurred.date();
        let (year, month, _) = date.parts();
        let (weekday, hour) = (date.weekday(), occurred.hour());
        // A vector takes whatever is written.
        let _ = write!(self.source, r#"{{"year":{year},"month":{month},"weekday":{weekday},"hour":{hour},"#);
        self.scratch.clear();
        wire::encode_sighting(sighting, &mut self.scratch);
        self.source.extend_from_slice(&self.scratch[1..]);
    }

    fn aggregate(&mut self, value: &[u8]) -> Result<(), WireError> {
        let (view, key, aggregate) = wire::decode_aggregate(value)?;
        let record_key = key.record_key(view);
        push_id(&record_key, &mut self.id);
        self.source.push(b'{');
        named_parts(view, &key, &mut self.source);
        self.scratch.clear();
        wire::encode_aggregate(view, &record_key, &aggregate, &mut self.scratch);
        self.source.extend_from_slice(&self.scratch[1..]);
        Ok(())
    }

    /// The bytes stay in the topic: half a megabyte of base64 helps nobody in a table.
    fn reject(&mut self, reject: &Reject<'_>) {
        self.hex_id(reject.id);
        let excerpt = &reject.bytes[..reject.bytes.len().min(EXCERPT_BYTES_MAX)];
        // Rejects are few: a decoded copy of one does no harm, its names stay those of the topic.
        self.scratch.clear();
        let short = Reject { key: None, bytes: (&[][..]).into(), ..reject.clone() };
        wire::encode_reject(&short, &mut self.scratch);
        let mut fields: Value = serde_json::from_slice(&self.scratch).unwrap_or_default();
        if let Value::Object(fields) = &mut fields {
            fields.remove("key");
            fields.remove("bytes");
            fields.insert("length".into(), reject.bytes.len().into());
            fields.insert("excerpt".into(), String::from_utf8_lossy(excerpt).into());
        }
        let _ = serde_json::to_writer(&mut self.source, &fields);
    }

    fn hex_id(&mut self, id: SightingId) {
        self.id.push_str(&id.to_string());
    }
}

/// A record's key as a document id: itself where it is short enough text, else its view's name and hash.
fn push_id(record_key: &[u8], id: &mut String) {
    match std::str::from_utf8(record_key) {
        Ok(text) if text.len() <= ID_BYTES_MAX && !text.is_empty() => id.push_str(text),
        Ok(_) | Err(_) => {
            let view = View::of_record_key(record_key).map_or("key", View::name);
            let hash = blake3::hash(record_key);
            id.push_str(view);
            id.push('-');
            id.push_str(&hash.to_hex()[..32]);
        }
    }
}

/// The parts of the key by their names, for the fields that dashboards group by; each with a comma behind.
fn named_parts(view: View, key: &Key, out: &mut Vec<u8>) {
    let parts = || view.key_fields().iter().zip(&key.0);
    for (name, part) in parts() {
        let _ = write!(out, "\"{name}\":");
        match part {
            Part::Null => out.extend_from_slice(b"null"),
            Part::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Part::Text(text) => {
                let _ = serde_json::to_writer(&mut *out, text);
            }
        }
        out.push(b',');
    }
    match view {
        View::Timeline => month_start(key, out),
        View::Cell => centre(key, out),
        View::Country
        | View::Place
        | View::Month
        | View::Season
        | View::PlaceMonth
        | View::Shape
        | View::Hour
        | View::Arrivals => {}
    }
}

/// The first day of the month, for a time axis.
fn month_start(key: &Key, out: &mut Vec<u8>) {
    if let [_, Part::Number(year), Part::Number(month)] = key.0[..] {
        let _ = write!(out, "\"month_start\":\"{year:04}-{month:02}-01\",");
    }
}

/// The middle of the cell, for a map.
fn centre(key: &Key, out: &mut Vec<u8>) {
    let cell = match &key.0[..] {
        [Part::Text(cell)] => cell.parse::<CellIndex>().ok(),
        _ => None,
    };
    if let Some(cell) = cell {
        let centre = LatLng::from(cell);
        let _ = write!(out, "\"centre\":{{\"lat\":{:.6},\"lon\":{:.6}}},", centre.lat(), centre.lng());
    }
}
