//! From a row as found to a sighting: one line per rule of the contract.

mod datetime;

use std::borrow::Cow;

use crate::atlas::Atlas;
use crate::quality::Quality;
use crate::raw::{Column, RawSighting, SightingId};
use crate::reject::{RejectCode, Rejection};
use crate::sighting::{CountrySource, Sighting};
use crate::wire::json::excerpt;

/// Cleans a row. The only row that is refused is one whose `datetime` is no date.
pub fn clean<'a>(raw: &RawSighting<'a>, atlas: &Atlas) -> Result<Sighting<'a>, Rejection> {
    clean_with_id(raw, raw.id(), atlas)
}

pub(crate) fn clean_with_id<'a>(
    raw: &RawSighting<'a>,
    id: SightingId,
    _atlas: &Atlas,
) -> Result<Sighting<'a>, Rejection> {
    let quality = Quality::default();
    let occurred = datetime::occurred_at(raw.get(Column::Datetime)).ok_or_else(|| datetime_invalid(raw))?;
    Ok(Sighting {
        id,
        occurred_at: occurred,
        posted_on: None,
        city: None,
        city_note: None,
        state: None,
        country: None,
        country_source: CountrySource::Unknown,
        country_given: raw.value(Column::Country),
        shape: Cow::Borrowed("unknown"),
        duration_ms: None,
        duration_text: raw.value(Column::DurationText),
        comments: raw.value(Column::Comments),
        location: None,
        season: None,
        quality,
    })
}

fn datetime_invalid(raw: &RawSighting<'_>) -> Rejection {
    let found = excerpt(raw.get(Column::Datetime));
    let message = format!("the datetime {found:?} is no date: expected month/day/year hour:minute");
    Rejection::new(RejectCode::DatetimeInvalid, message)
}
