//! What no stage understands, kept with its bytes: bad data is a value, never an error that stops a task.

use std::borrow::Cow;

use crate::raw::SightingId;
use crate::wire::{REJECT_BYTES_MAX, REJECT_HEAD_BYTES};

/// Why a record is no sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectCode {
    NotJson,
    NotAnObject,
    MissingColumn,
    NotAString,
    DatetimeInvalid,
    FieldCount,
    KeyMismatch,
    Oversized,
    /// The search index took the batch but not this document.
    IndexRefused,
}

impl RejectCode {
    pub const ALL: [Self; 9] = [
        Self::NotJson,
        Self::NotAnObject,
        Self::MissingColumn,
        Self::NotAString,
        Self::DatetimeInvalid,
        Self::FieldCount,
        Self::KeyMismatch,
        Self::Oversized,
        Self::IndexRefused,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::MissingColumn => "missing_column",
            Self::NotAString => "not_a_string",
            Self::DatetimeInvalid => "datetime_invalid",
            Self::FieldCount => "field_count",
            Self::KeyMismatch => "key_mismatch",
            Self::Oversized => "oversized",
            Self::IndexRefused => "index_refused",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    pub fn stage(self) -> Stage {
        match self {
            Self::NotJson
            | Self::NotAnObject
            | Self::MissingColumn
            | Self::NotAString
            | Self::FieldCount
            | Self::KeyMismatch
            | Self::Oversized => Stage::Decode,
            Self::DatetimeInvalid => Stage::Clean,
            Self::IndexRefused => Stage::Index,
        }
    }
}

/// Which step refused the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The record is no row.
    Decode,
    /// The row is no sighting.
    Clean,
    /// The search index refuses the document.
    Index,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Decode, Self::Clean, Self::Index];

    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Clean => "clean",
            Self::Index => "index",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Why, before it is known where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub code: RejectCode,
    /// One sentence for a person: what was found, what was expected.
    pub message: Cow<'static, str>,
}

impl Rejection {
    pub fn new(code: RejectCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The record that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// The record's own timestamp, so that a replay gives the same reject.
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// A record of `ufo.rejects`: why, where and the original bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    pub id: SightingId,
    pub code: RejectCode,
    pub message: Cow<'a, str>,
    pub stage: Stage,
    pub topic: Cow<'a, str>,
    pub partition: i32,
    pub offset: i64,
    pub rejected_at_ms: i64,
    /// The record's key; null where it had none.
    pub key: Option<Cow<'a, [u8]>>,
    /// The record's value, or its beginning where the broker would not take all of it in base64.
    pub bytes: Cow<'a, [u8]>,
    /// True where `key` or `bytes` was cut: such a record cannot be sent again from here, only from its topic.
    pub is_cut: bool,
}

impl<'a> Reject<'a> {
    pub fn new(id: SightingId, rejection: Rejection, origin: Origin<'a>) -> Self {
        let value = origin.value.unwrap_or_default();
        let is_cut = value.len() + origin.key.map_or(0, <[u8]>::len) > REJECT_BYTES_MAX;
        let limit = if is_cut { REJECT_HEAD_BYTES } else { REJECT_BYTES_MAX };
        let head = |bytes: &'a [u8]| Cow::Borrowed(&bytes[..bytes.len().min(limit)]);
        Self {
            id,
            code: rejection.code,
            message: rejection.message,
            stage: rejection.code.stage(),
            topic: Cow::Borrowed(origin.topic),
            partition: origin.partition,
            offset: origin.offset,
            rejected_at_ms: origin.timestamp_ms,
            key: origin.key.map(head),
            bytes: head(value),
            is_cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for code in RejectCode::ALL {
            assert_eq!(RejectCode::from_name(code.name()), Some(code));
            assert_eq!(Stage::from_name(code.stage().name()), Some(code.stage()));
        }
    }

    #[test]
    fn a_record_too_large_for_the_broker_in_base64_is_cut() {
        let value = vec![b'x'; REJECT_BYTES_MAX + 1];
        let origin =
            Origin { topic: "t", partition: 0, offset: 1, timestamp_ms: 2, key: None, value: Some(&value) };
        let rejection = Rejection::new(RejectCode::NotJson, "no JSON");
        let id = SightingId::from_bytes([0; 16]);
        let reject = Reject::new(id, rejection.clone(), origin);
        assert!(reject.is_cut);
        assert_eq!(reject.bytes.len(), REJECT_HEAD_BYTES);
        let whole = Reject::new(id, rejection, Origin { value: Some(&value[1..]), ..origin });
        assert!(!whole.is_cut);
        assert_eq!(whole.bytes.len(), REJECT_BYTES_MAX);
    }
}
