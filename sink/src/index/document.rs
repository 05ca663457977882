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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{Aggregate, Origin, RejectCode, Rejection};
    use engine::record::Partition;

    use super::*;
    use crate::index::mapping::mappings;

    fn read(kind: Kind, key: Option<&[u8]>, value: Option<&[u8]>) -> (Document, Action) {
        let mut document =
            Document { id: "old".into(), version: 9, source: b"old".to_vec(), scratch: Vec::new() };
        let record = Record { partition: Partition(3), offset: 41, timestamp_ms: 0, key, value };
        let action = document.read(kind, &record).unwrap();
        assert_eq!(document.version, 42);
        (document, action)
    }

    fn source(document: &Document) -> Value {
        assert!(!document.source.contains(&b'\n'));
        serde_json::from_slice(&document.source).unwrap()
    }

    fn aggregate(view: View, parts: Vec<Part>) -> Document {
        let key = Key(parts).record_key(view);
        let mut value = Vec::new();
        let aggregate = Aggregate { count: 2, total_duration_ms: u128::MAX, ..Aggregate::default() };
        wire::encode_aggregate(view, &key, &aggregate, &mut value);
        read(Kind::Aggregates, Some(&key), Some(&value)).0
    }

    const SIGHTING: &str = r#"{"id":"bd6fdeb43fc3e6dd1aea2618a622e16f","occurred_at":"1949-10-11T20:30:00","posted_on":null,
        "city":"st. john's","city_note":null,"state":null,"country":"ca","country_source":"given","country_given":"ca",
        "shape":"light","duration_ms":2000,"duration_text":"2 sec","comments":"a \"light\"\nhere",
        "location":{"lat":47.561,"lon":-52.71},"season":"autumn","quality":["hour_24"]}"#;

    #[test]
    fn a_sighting_is_its_record_and_the_parts_of_its_time() {
        let (document, action) = read(Kind::Sightings, None, Some(SIGHTING.as_bytes()));
        assert_eq!((action, document.id.as_str()), (Action::Index, "bd6fdeb43fc3e6dd1aea2618a622e16f"));
        let mut expected: Value = serde_json::from_str(SIGHTING).unwrap();
        for (name, number) in [("year", 1949), ("month", 10), ("weekday", 2), ("hour", 20)] {
            expected[name] = number.into();
        }
        assert_eq!(source(&document), expected);
        // Readers of the index decode what they find.
        assert_eq!(wire::decode_sighting(&document.source).unwrap().id.to_string(), document.id);
    }

    #[test]
    fn an_aggregate_has_its_key_by_name_and_reads_back() {
        let parts = vec![Part::Text("us".into()), Part::Null, Part::Text("\"x\"".into())];
        let document = aggregate(View::Place, parts.clone());
        assert_eq!(document.id, r#"["place","us",null,"\"x\""]"#);
        let found = source(&document);
        assert_eq!((&found["country"], &found["city"]), (&"us".into(), &"\"x\"".into()));
        assert!(found["state"].is_null() && found.as_object().unwrap().contains_key("state"));
        let (view, key, aggregate) = wire::decode_aggregate(&document.source).unwrap();
        assert_eq!((view, key.0, aggregate.total_duration_ms), (View::Place, parts, u128::MAX));
    }

    #[test]
    fn timeline_and_cell_have_what_axes_and_maps_need() {
        let timeline = aggregate(View::Timeline, vec![Part::Null, Part::Number(1949), Part::Number(7)]);
        assert_eq!(source(&timeline)["month_start"], "1949-07-01");
        let centre = &source(&aggregate(View::Cell, vec![Part::Text("832830fffffffff".into())]))["centre"];
        // San Francisco.
        assert!((centre["lat"].as_f64().unwrap() - 37.9).abs() < 0.5, "{centre}");
        assert!((centre["lon"].as_f64().unwrap() + 122.2).abs() < 0.5, "{centre}");
        let nowhere = source(&aggregate(View::Cell, vec![Part::Null]));
        assert!(nowhere["cell"].is_null() && nowhere.get("centre").is_none());
    }

    #[test]
    fn a_reject_is_shown_without_all_of_its_bytes() {
        let value = vec![0xff; 5_000];
        let origin = Origin {
            topic: "ufo.raw",
            partition: 1,
            offset: 2,
            timestamp_ms: 0,
            key: Some(b"k"),
            value: Some(&value),
        };
        let rejection = Rejection::new(RejectCode::NotJson, "no JSON");
        let reject = Reject::new(SightingId::from_bytes([7; 16]), rejection, origin);
        let mut bytes = Vec::new();
        wire::encode_reject(&reject, &mut bytes);
        let (document, _) = read(Kind::Rejects, None, Some(&bytes));
        let found = source(&document);
        assert_eq!((&found["code"], &found["length"]), (&"not_json".into(), &5_000.into()));
        assert_eq!(found["excerpt"].as_str().unwrap().chars().count(), EXCERPT_BYTES_MAX);
        assert!(found.get("bytes").is_none() && found.get("key").is_none());
    }

    #[test]
    fn a_tombstone_deletes_the_document_of_its_key() {
        let parts = vec![Part::Text("us".into())];
        let key = Key(parts.clone()).record_key(View::Country);
        let (document, action) = read(Kind::Aggregates, Some(&key), None);
        assert_eq!((action, document.source.len()), (Action::Delete, 0));
        assert_eq!(document.id, aggregate(View::Country, parts).id);
    }

    #[test]
    fn a_key_too_long_for_an_id_is_hashed() {
        let long =
            |city: &str| aggregate(View::Place, vec![Part::Null, Part::Null, Part::Text(city.repeat(300))]);
        let (one, other) = (long("ab"), long("ac"));
        assert_ne!(one.id, other.id);
        assert_eq!(one.id, long("ab").id);
        assert!(one.id.starts_with("place-") && one.id.len() <= ID_BYTES_MAX);
    }

    #[test]
    fn what_is_no_record_of_ours_is_an_error() {
        let mut document = Document::default();
        let mut record =
            Record { partition: Partition(0), offset: 0, timestamp_ms: 0, key: None, value: None };
        assert!(matches!(document.read(Kind::Sightings, &record), Err(DocumentError::NoKey)));
        record.value = Some(b"{}");
        for kind in Kind::ALL {
            assert!(matches!(document.read(kind, &record), Err(DocumentError::Wire(_))));
        }
    }

    /// The server refuses a field that is not in the mapping.
    #[test]
    fn every_field_is_mapped() {
        let reject = r#"{"id":"00000000000000000000000000000000","code":"not_json","message":"","stage":"decode","topic":"",
            "partition":0,"offset":0,"rejected_at":"2026-11-24T09:22:00.000Z","key":null,"bytes":"","is_cut":false}"#;
        let mut documents = vec![
            (Kind::Sightings, read(Kind::Sightings, None, Some(SIGHTING.as_bytes())).0),
            (Kind::Rejects, read(Kind::Rejects, None, Some(reject.as_bytes())).0),
        ];
        for view in View::ALL {
            let parts = view.key_fields().iter().map(|_| Part::Number(1)).collect();
            documents.push((Kind::Aggregates, aggregate(view, parts)));
        }
        documents.push((Kind::Aggregates, aggregate(View::Cell, vec![Part::Text("832830fffffffff".into())])));
        let mut unused: BTreeSet<_> = Kind::ALL
            .into_iter()
            .flat_map(|kind| fields(&mappings(kind)["properties"]).map(move |field| (kind, field)))
            .collect();
        for (kind, document) in &documents {
            for field in fields(&source(document)) {
                assert!(mappings(*kind)["properties"].get(&field).is_some(), "{kind:?} {field}");
                unused.remove(&(*kind, field));
            }
        }
        assert!(unused.is_empty(), "mapped and never written: {unused:?}");
    }

    fn fields(value: &Value) -> impl Iterator<Item = String> + use<> {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().into_iter()
    }
}
