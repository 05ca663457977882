//! What a record of `ufo.raw` is: a sighting or a reject. Total: no bytes make it fail or panic.

use crate::atlas::Atlas;
use crate::clean::clean_with_id;
use crate::raw::{Raw, SightingId, unreadable_id};
use crate::reject::{RejectCode, Rejection};
use crate::sighting::Sighting;
use crate::wire::decode_raw;

/// A record of `ufo.raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// What a record is, and the identity by which its duplicates are found.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'a> {
    pub id: SightingId,
    pub outcome: Outcome<'a>,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every record is a sighting: a box would be an allocation per row"
)]
pub enum Outcome<'a> {
    Sighting(Sighting<'a>),
    Reject(Rejection),
}

/// Decodes, checks the key and cleans.
pub fn judge<'a>(record: RawRecord<'a>, atlas: &Atlas) -> Verdict<'a> {
    let unreadable = |rejection| Verdict {
        id: unreadable_id(record.key, record.value),
        outcome: Outcome::Reject(rejection),
    };
    let raw = match decode_raw(record.value.unwrap_or_default()) {
        Ok(raw) => raw,
        Err(rejection) => return unreadable(rejection),
    };
    let id = raw.id();
    if record.key != Some(id.to_hex().as_slice()) {
        let message = format!("the record's key is not its sighting id, {id}");
        return unreadable(Rejection::new(RejectCode::KeyMismatch, message));
    }
    let cleaned = match &raw {
        Raw::Row(row) => clean_with_id(row, id, atlas),
        Raw::Misfit(misfit) => Err(Rejection::new(
            RejectCode::FieldCount,
            format!("the row has {} fields, which is not what its header has", misfit.fields.len()),
        )),
        Raw::Oversized { length, .. } => Err(Rejection::new(
            RejectCode::Oversized,
            format!("the row has {length} bytes: too many for a record"),
        )),
    };
    let outcome = cleaned.map_or_else(Outcome::Reject, Outcome::Sighting);
    Verdict { id, outcome }
}
