//! The header of a file: where in a row each of the eleven columns is.

use std::borrow::Cow;

use super::Column;
use crate::wire::{json, windows_1252};

/// Where the eleven columns are in a file's rows. Any order, extra columns allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// For each column of [`COLUMNS`] its field.
    fields: [usize; 11],
    /// For each field of a row the JSON that goes before its value: `{"datetime":`, `,"city":`.
    before_value: Vec<Vec<u8>>,
    /// For each field of a row which of the eleven columns it is.
    columns: Vec<Option<Column>>,
}

/// A file without all of the eleven columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header lacks {}: is this the UFO sightings file?", missing.join(", "))]
pub struct HeaderError {
    pub missing: Vec<&'static str>,
}

impl Header {
    /// Names are trimmed (every Unicode blank, and a byte-order mark) and lower-cased. Where a name comes
    /// twice, the first one is the column.
    pub fn parse<'a>(names: impl Iterator<Item = &'a [u8]>) -> Result<Self, HeaderError> {
        let names: Vec<String> = names.map(normalized).collect();
        let columns: Vec<Option<Column>> = names
            .iter()
            .enumerate()
            .map(|(index, name)| Column::from_name(name).filter(|_| !names[..index].contains(name)))
            .collect();
        let place = |column: &Column| columns.iter().position(|field| *field == Some(*column));
        let missing: Vec<_> = Column::ALL.iter().filter(|column| place(column).is_none()).collect();
        if !missing.is_empty() {
            return Err(HeaderError { missing: missing.iter().map(|column| column.name()).collect() });
        }
        let fields = Column::ALL.map(|column| place(&column).unwrap_or_default());
        Ok(Self { fields, before_value: before_values(&names), columns })
    }

    /// How many fields a row has.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The field of a row that is this column.
    pub fn field(&self, column: Column) -> usize {
        self.fields[column.index()]
    }

    pub(crate) fn column_of(&self, field: usize) -> Option<Column> {
        self.columns[field]
    }

    pub(crate) fn before_value(&self, field: usize) -> &[u8] {
        &self.before_value[field]
    }
}

fn normalized(name: &[u8]) -> String {
    let name =
        std::str::from_utf8(name).map_or_else(|_| Cow::Owned(windows_1252::decode(name)), Cow::Borrowed);
    let name = name.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    name.to_lowercase()
}

/// A name of ours (`_row`) or one that came before gets underscores in front until it is neither: every value
/// of the row stays in its record.
fn before_values(names: &[String]) -> Vec<Vec<u8>> {
    let mut taken: Vec<Cow<'_, str>> =
        [json::ROW, json::OVERSIZED, json::WINDOWS_1252].into_iter().map(Cow::Borrowed).collect();
    let mut before = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let mut name = Cow::Borrowed(name.as_str());
        while taken.contains(&name) {
            name = Cow::Owned(format!("_{name}"));
        }
        let mut text = vec![if index == 0 { b'{' } else { b',' }];
        json::write_text(&name, &mut text);
        text.push(b':');
        before.push(text);
        taken.push(name);
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &str) -> Result<Header, HeaderError> {
        Header::parse(names.split(',').map(str::as_bytes))
    }

    const KAGGLE: &str = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,\
                          date posted,latitude,longitude ";

    #[test]
    fn blanks_case_and_a_byte_order_mark_are_no_part_of_a_name() {
        let header = parse(&format!("\u{feff}{}", KAGGLE.to_uppercase().replace(',', "\u{a0} , "))).unwrap();
        assert_eq!(header, parse(KAGGLE).unwrap());
        assert_eq!((header.width(), header.field(Column::Longitude)), (11, 10));
    }

    #[test]
    fn any_order_and_extra_columns_are_fine() {
        let header = parse(&format!("id,longitude,{},note", KAGGLE.replace(",longitude ", ""))).unwrap();
        assert_eq!(
            (header.width(), header.field(Column::Longitude), header.field(Column::Datetime)),
            (13, 1, 2)
        );
    }

    #[test]
    fn missing_columns_are_named() {
        let error = parse("datetime,city,shape").unwrap_err();
        assert_eq!(error.missing.len(), 8);
        assert!(error.to_string().contains("state, country, duration (seconds)"), "{error}");
    }

    #[test]
    fn a_name_that_comes_twice_or_is_ours_loses_no_value() {
        let header = parse(&format!("{KAGGLE},city,_row,note,note")).unwrap();
        let names: Vec<_> =
            (11..15).map(|field| String::from_utf8_lossy(header.before_value(field))).collect();
        assert_eq!(names, [",\"_city\":", ",\"__row\":", ",\"note\":", ",\"_note\":"]);
        assert_eq!(header.field(Column::City), 1);
    }
}
