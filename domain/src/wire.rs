//! The bytes of every topic. The names on the wire are written here and nowhere else.

mod aggregate;
mod deltas;
pub(crate) mod json;
mod raw;
mod reject;
mod row_counts;
mod sighting;
pub(crate) mod windows_1252;

pub use aggregate::{decode_aggregate, encode_aggregate, encode_final_aggregate, is_final_aggregate};
pub use deltas::{decode_compact, decode_deltas, encode_compact, encode_deltas};
pub use raw::{decode_raw, encode_oversized, encode_row, hash_oversized};
pub use reject::{decode_reject, encode_reject};
pub use row_counts::{RowCounts, decode_row_counts};
pub use sighting::{decode_sighting, encode_sighting};

/// A row with more bytes than this is sent as its beginning, its length and its hash.
pub const ROW_BYTES_MAX: usize = 256 * 1024;
/// How much of an oversized row is sent.
pub const OVERSIZED_HEAD_BYTES: usize = 64 * 1024;
/// A row whose JSON is longer than this (control characters take six bytes each) counts as oversized too, so
/// that everything made from a row stays under the 1 MiB that brokers take by default: a sighting repeats at
/// most its city, and no character grows to more than one and a half times its length.
pub const ROW_JSON_BYTES_MAX: usize = 320 * 1024;
/// Key and value of a rejected record up to this size are kept whole: 4/3 of it in base64 is under 1 MiB.
pub const REJECT_BYTES_MAX: usize = 640 * 1024;
/// How much is kept of a larger one.
pub const REJECT_HEAD_BYTES: usize = 64 * 1024;

/// A record that none of our encoders wrote.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the {record} record is not the JSON that this version writes")]
    Json {
        record: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the {record} record has a bad `{field}`: {found:?}")]
    Field { record: &'static str, field: &'static str, found: String },
    #[error("the block of deltas ends in the middle or has an unknown version")]
    Deltas,
}
