//! Where a record is and what it holds: offsets and partitions as types, never bare integers.

use std::fmt;

/// A partition of a topic, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u32);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The offset to read next: one past the last record handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextOffset(u64);

impl NextOffset {
    /// Nothing has been handled yet.
    pub const START: Self = Self(0);

    /// Behind the record at `offset`.
    pub fn after(offset: u64) -> Self {
        Self(offset + 1)
    }

    /// A position as a log or a store has it.
    pub fn at(offset: u64) -> Self {
        Self(offset)
    }

    /// The offset of the record that is read next.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for NextOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record of a partition, borrowed from the client that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub partition: Partition,
    pub offset: u64,
    /// Milliseconds since 1970 (UTC), as the record's writer set them.
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// A record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewRecord<'a> {
    pub partition: Partition,
    /// Milliseconds since 1970 (UTC).
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}
