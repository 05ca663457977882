//! What a sighting is: pure, synchronous, deterministic. No I/O, no clock, no random numbers.
//!
//! ```text
//! CSV fields ─wire::encode_row─▶ ufo.raw ─wire::decode_raw─▶ Raw ─clean(&Atlas)─▶ Sighting │ Rejection
//!                                   └────────── judge() does both and names the identity ──────────┘
//! Sighting ─wire::encode_sighting─▶ ufo.sightings      Rejection ─Reject::new, wire::encode_reject─▶ ufo.rejects
//! Sighting ─keys_of, Aggregate::of─▶ deltas ─merge─▶ Aggregate ─wire::encode_aggregate─▶ ufo.aggregates
//! the same rows ─oracle::Totals::add─▶ what all of it must come to
//! ```

pub mod aggregate;
pub mod atlas;
pub mod civil;
pub mod clean;
pub mod judge;
pub mod oracle;
pub mod quality;
pub mod raw;
pub mod reject;
pub mod sighting;
pub mod topics;
pub mod view;
pub mod wire;

pub use aggregate::Aggregate;
pub use atlas::Atlas;
pub use civil::{CivilDate, CivilTime};
pub use clean::clean;
pub use judge::{Outcome, RawRecord, Verdict, judge};
pub use oracle::Totals;
pub use quality::{Flag, Quality};
pub use raw::{COLUMNS, Column, Header, HeaderError, Raw, RawSighting, SightingId};
pub use reject::{Origin, Reject, RejectCode, Rejection, Stage};
pub use sighting::{Country, CountrySource, Location, Season, Sighting};
pub use topics::Topics;
pub use view::{Key, Part, View, arrivals_key, arrivals_minute, keys_of};
