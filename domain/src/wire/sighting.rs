//! `ufo.sightings`: the cleaned sighting.

use serde::Deserialize;

use super::WireError;
use super::json::{self, Text};
use crate::quality::{Flag, Quality};
use crate::sighting::{Country, CountrySource, Location, Season, Sighting};

const RECORD: &str = "sighting";

/// Appends the JSON to `out`. The record's key is the sighting's id.
pub fn encode_sighting(sighting: &Sighting<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(&sighting.id.to_hex());
    out.extend_from_slice(b"\",\"occurred_at\":");
    json::write_time(sighting.occurred_at, out);
    out.extend_from_slice(b",\"posted_on\":");
    match sighting.posted_on {
        Some(date) => json::write_date(date, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"city\":");
    json::write_text_or_null(sighting.city.as_deref(), out);
    out.extend_from_slice(b",\"city_note\":");
    json::write_text_or_null(sighting.city_note.as_deref(), out);
    out.extend_from_slice(b",\"state\":");
    json::write_text_or_null(sighting.state.as_deref(), out);
    out.extend_from_slice(b",\"country\":");
    json::write_text_or_null(sighting.country.as_ref().map(Country::as_str), out);
    out.extend_from_slice(b",\"country_source\":");
    json::write_text(sighting.country_source.name(), out);
    out.extend_from_slice(b",\"country_given\":");
    json::write_text(&sighting.country_given, out);
    out.extend_from_slice(b",\"shape\":");
    json::write_text(&sighting.shape, out);
    out.extend_from_slice(b",\"duration_ms\":");
    json::write_unsigned_or_null(sighting.duration_ms, out);
    out.extend_from_slice(b",\"duration_text\":");
    json::write_text(&sighting.duration_text, out);
    out.extend_from_slice(b",\"comments\":");
    json::write_text(&sighting.comments, out);
    out.extend_from_slice(b",\"location\":");
    match sighting.location {
        Some(location) => write_location(location, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"season\":");
    json::write_text_or_null(sighting.season.map(Season::name), out);
    out.extend_from_slice(b",\"quality\":[");
    for (index, flag) in sighting.quality.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_text(flag.name(), out);
    }
    out.extend_from_slice(b"]}");
}

fn write_location(location: Location, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"lat\":");
    json::write_float(location.lat(), out);
    out.extend_from_slice(b",\"lon\":");
    json::write_float(location.lon(), out);
    out.push(b'}');
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    occurred_at: Text<'a>,
    #[serde(borrow)]
    posted_on: Option<Text<'a>>,
    #[serde(borrow)]
    city: Option<Text<'a>>,
    #[serde(borrow)]
    city_note: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<Text<'a>>,
    #[serde(borrow)]
    country: Option<Text<'a>>,
    #[serde(borrow)]
    country_source: Text<'a>,
    #[serde(borrow)]
    country_given: Text<'a>,
    #[serde(borrow)]
    shape: Text<'a>,
    duration_ms: Option<u64>,
    #[serde(borrow)]
    duration_text: Text<'a>,
    #[serde(borrow)]
    comments: Text<'a>,
    location: Option<Point>,
    #[serde(borrow)]
    season: Option<Text<'a>>,
    #[serde(borrow)]
    quality: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Point {
    lat: f64,
    lon: f64,
}

/// Reads what [`encode_sighting`] wrote. Texts are borrowed where the JSON has no escapes.
pub fn decode_sighting(value: &[u8]) -> Result<Sighting<'_>, WireError> {
    let fields: Fields<'_> =
        serde_json::from_slice(value).map_err(|source| WireError::Json { record: RECORD, source })?;
    let flags: Option<Quality> = fields.quality.iter().map(|flag| Flag::from_name(&flag.0)).collect();
    let location = fields.location.map(|point| {
        let bad = || bad("location", &format!("{},{}", point.lat, point.lon));
        Location::new(point.lat, point.lon).ok_or_else(bad)
    });
    Ok(Sighting {
        id: fields.id.0.parse().map_err(|_| bad("id", &fields.id.0))?,
        occurred_at: fields.occurred_at.0.parse().map_err(|_| bad("occurred_at", &fields.occurred_at.0))?,
        posted_on: read("posted_on", fields.posted_on, |text| text.parse().ok())?,
        city: fields.city.map(|text| text.0),
        city_note: fields.city_note.map(|text| text.0),
        state: fields.state.map(|text| text.0),
        country: read("country", fields.country, |text| text.parse().ok())?,
        country_source: CountrySource::from_name(&fields.country_source.0)
            .ok_or_else(|| bad("country_source", &fields.country_source.0))?,
        country_given: fields.country_given.0,
        shape: fields.shape.0,
        duration_ms: fields.duration_ms,
        duration_text: fields.duration_text.0,
        comments: fields.comments.0,
        location: location.transpose()?,
        season: read("season", fields.season, Season::from_name)?,
        quality: flags.ok_or_else(|| bad("quality", "a flag that is not on the list"))?,
    })
}

fn read<T>(
    field: &'static str,
    text: Option<Text<'_>>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, WireError> {
    let Some(Text(text)) = text else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| bad(field, &text))
}

fn bad(field: &'static str, found: &str) -> WireError {
    WireError::Field { record: RECORD, field, found: json::excerpt(found) }
}
