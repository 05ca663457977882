//! A row as found: the eleven columns, the header that finds them, and the row's identity.

mod header;
mod id;

use std::borrow::Cow;

pub use header::{Header, HeaderError};
pub use id::{OversizedHasher, SightingId};

pub(crate) use id::{misfit_id, oversized_id, unreadable_id};

use crate::wire::windows_1252;

/// The names of the eleven columns in the Kaggle file's order, trimmed and lower-cased.
pub const COLUMNS: [&str; 11] = [
    "datetime",
    "city",
    "state",
    "country",
    "shape",
    "duration (seconds)",
    "duration (hours/min)",
    "comments",
    "date posted",
    "latitude",
    "longitude",
];

/// One of the eleven columns; the discriminant is its place in [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Datetime,
    City,
    State,
    Country,
    Shape,
    DurationSeconds,
    DurationText,
    Comments,
    DatePosted,
    Latitude,
    Longitude,
}

impl Column {
    pub const ALL: [Self; 11] = [
        Self::Datetime,
        Self::City,
        Self::State,
        Self::Country,
        Self::Shape,
        Self::DurationSeconds,
        Self::DurationText,
        Self::Comments,
        Self::DatePosted,
        Self::Latitude,
        Self::Longitude,
    ];

    /// Its place in [`COLUMNS`].
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn name(self) -> &'static str {
        COLUMNS[self.index()]
    }

    pub fn from_name(name: &str) -> Option<Self> {
        COLUMNS.iter().position(|column| *column == name).map(|index| Self::ALL[index])
    }
}

/// What a record of `ufo.raw` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every record is a row: a box would be an allocation per row"
)]
pub enum Raw<'a> {
    Row(RawSighting<'a>),
    /// A row with the wrong number of fields.
    Misfit(Misfit<'a>),
    /// A row over 256 KiB: its beginning, its length in bytes and the hash of all of it.
    Oversized {
        head: Cow<'a, str>,
        length: u64,
        hash: SightingId,
    },
}

impl Raw<'_> {
    /// The identity under which the record must be keyed.
    pub fn id(&self) -> SightingId {
        match self {
            Self::Row(row) => row.id(),
            Self::Misfit(misfit) => misfit.id(),
            Self::Oversized { length, hash, .. } => oversized_id(*length, *hash),
        }
    }
}

/// The eleven values as found, in the order of [`COLUMNS`], and which of them were no UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawSighting<'a> {
    values: [Cow<'a, str>; 11],
    windows_1252: u16,
}

impl<'a> RawSighting<'a> {
    /// Values that were UTF-8 as found.
    pub fn new(values: [Cow<'a, str>; 11]) -> Self {
        Self { values, windows_1252: 0 }
    }

    /// Values of which some (a bit for each column) were read as Windows-1252. A bit is dropped where the
    /// value cannot have come about that way: one set of bytes as found has one spelling here, so that two
    /// records with one id never clean to different sightings.
    pub(crate) fn with_windows_1252(values: [Cow<'a, str>; 11], marked: u16) -> Self {
        let windows_1252 = (0..11)
            .filter(|index| marked & (1 << index) != 0 && was_windows_1252(&values[*index]))
            .fold(0, |bits, index| bits | 1 << index);
        Self { values, windows_1252 }
    }

    /// The value as found; bytes that were no UTF-8 are read as Windows-1252.
    pub fn get(&self, column: Column) -> &str {
        &self.values[column.index()]
    }

    pub(crate) fn value(&self, column: Column) -> Cow<'a, str> {
        self.values[column.index()].clone()
    }

    /// True where the bytes of at least one column were no UTF-8.
    pub fn is_encoding_repaired(&self) -> bool {
        self.windows_1252 != 0
    }

    /// The hash over the bytes as found.
    pub fn id(&self) -> SightingId {
        if self.windows_1252 == 0 {
            return SightingId::of_columns(std::array::from_fn(|index| self.values[index].as_bytes()));
        }
        let bytes: [Vec<u8>; 11] = std::array::from_fn(|index| {
            let value = &self.values[index];
            let is_marked = self.windows_1252 & (1 << index) != 0;
            is_marked
                .then(|| windows_1252::encode(value))
                .flatten()
                .unwrap_or_else(|| value.as_bytes().to_vec())
        });
        SightingId::of_columns(std::array::from_fn(|index| bytes[index].as_slice()))
    }
}

/// The fields of a row that has more or fewer of them than its header, and which of them were no UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit<'a> {
    pub fields: Vec<Cow<'a, str>>,
    windows_1252: Vec<usize>,
}

impl<'a> Misfit<'a> {
    /// `marked` names the fields that were read as Windows-1252; as in a row, a mark that cannot be true is
    /// dropped.
    pub(crate) fn new(fields: Vec<Cow<'a, str>>, marked: Vec<usize>) -> Self {
        let mut windows_1252 = marked;
        windows_1252.retain(|index| fields.get(*index).is_some_and(|field| was_windows_1252(field)));
        windows_1252.sort_unstable();
        windows_1252.dedup();
        Self { fields, windows_1252 }
    }

    pub fn id(&self) -> SightingId {
        let bytes = self.fields.iter().enumerate().map(|(index, field)| {
            let is_marked = self.windows_1252.binary_search(&index).is_ok();
            let as_found = is_marked.then(|| windows_1252::encode(field)).flatten();
            as_found.map_or(Cow::Borrowed(field.as_bytes()), Cow::Owned)
        });
        misfit_id(bytes)
    }
}

/// True where some bytes that are no UTF-8 read as this text.
fn was_windows_1252(text: &str) -> bool {
    windows_1252::encode(text).is_some_and(|bytes| std::str::from_utf8(&bytes).is_err())
}
