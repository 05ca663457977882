//! What every chart is drawn from, every table view shows and every download holds: columns and rows.

use serde::{Serialize, Serializer};

/// A value of a table. Exact: what is too large for a browser's numbers is only rounded there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Count(u128),
    Degrees(f64),
    Text(String),
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Count(_) | Self::Degrees(_) => None,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Count(count) => serializer.serialize_u128(*count),
            Self::Degrees(degrees) => serializer.serialize_f64(*degrees),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count.into())
    }
}

impl From<u128> for Value {
    fn from(count: u128) -> Self {
        Self::Count(count)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Columns and rows. `note` says where a filter is not followed, or not yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Table {
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl Table {
    pub(crate) fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, ..Self::default() }
    }

    pub(crate) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// The last of several things that are to be said.
    pub(crate) fn noted(mut self, note: Option<String>) -> Self {
        self.note = match (self.note.take(), note) {
            (Some(one), Some(other)) => Some(format!("{one} {other}")),
            (one, other) => one.or(other),
        };
        self
    }
}
