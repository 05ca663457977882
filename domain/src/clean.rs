//! From a row as found to a sighting: one line per rule of the contract.

mod city;
mod country;
mod datetime;
mod duration;
mod location;
mod shape;
mod text;

use crate::atlas::Atlas;
use crate::quality::{Flag, Quality};
use crate::raw::{Column, RawSighting, SightingId};
use crate::reject::{RejectCode, Rejection};
use crate::sighting::{CountrySource, Season, Sighting};
use crate::wire::json::excerpt;

/// Cleans a row. The only row that is refused is one whose `datetime` is no date.
pub fn clean<'a>(raw: &RawSighting<'a>, atlas: &Atlas) -> Result<Sighting<'a>, Rejection> {
    clean_with_id(raw, raw.id(), atlas)
}

/// For who knows the row's id already.
pub(crate) fn clean_with_id<'a>(
    raw: &RawSighting<'a>,
    id: SightingId,
    atlas: &Atlas,
) -> Result<Sighting<'a>, Rejection> {
    let occurred = datetime::occurred(raw.get(Column::Datetime)).ok_or_else(|| datetime_invalid(raw))?;
    let posted_on = datetime::posted_on(raw.get(Column::DatePosted));
    let city = text::word(raw.value(Column::City));
    let city_note = city.as_ref().and_then(city::note);
    let state = text::word(raw.value(Column::State));
    let country_given = raw.value(Column::Country);
    let shape = shape::shape(raw.value(Column::Shape));
    let duration_text = text::decoded(raw.value(Column::DurationText));
    let duration = duration::duration(raw.get(Column::DurationSeconds), &duration_text);
    let comments = text::decoded(raw.value(Column::Comments));
    let place = location::place(raw.get(Column::Latitude), raw.get(Column::Longitude));
    let season = place.location.map(|location| Season::of(occurred.at.month(), location.lat()));
    let (country, country_source) = country::country(
        &country::Clues {
            given: &text::folded(country_given.clone()),
            city_note: city_note.as_deref(),
            state: state.as_deref(),
            location: place.location,
        },
        atlas,
    );

    let quality = quality_of(&[
        (Flag::CountryInferred, country.is_some() && country_source != CountrySource::Given),
        (Flag::DurationFromText, duration.is_from_text()),
        (Flag::DurationImplausible, duration.is_implausible()),
        (Flag::DurationMissing, duration.ms().is_none()),
        (Flag::DurationRepaired, duration.is_repaired()),
        (Flag::EncodingRepaired, raw.is_encoding_repaired()),
        (Flag::Hour24, occurred.is_hour_24),
        (Flag::LocationMissing, place.location.is_none()),
        (Flag::LocationRepaired, place.is_repaired),
        (Flag::PostedBeforeOccurred, posted_on.is_some_and(|posted| posted < occurred.written_on)),
    ]);
    Ok(Sighting {
        id,
        occurred_at: occurred.at,
        posted_on,
        city,
        city_note,
        state,
        country,
        country_source,
        country_given,
        shape,
        duration_ms: duration.ms(),
        duration_text,
        comments,
        location: place.location,
        season,
        quality,
    })
}

fn quality_of(facts: &[(Flag, bool)]) -> Quality {
    let mut quality = Quality::default();
    facts.iter().for_each(|(flag, is_so)| quality.set(*flag, *is_so));
    quality
}

fn datetime_invalid(raw: &RawSighting<'_>) -> Rejection {
    let found = excerpt(raw.get(Column::Datetime));
    let message = format!("the datetime {found:?} is no date: expected month/day/year hour:minute");
    Rejection::new(RejectCode::DatetimeInvalid, message)
}
