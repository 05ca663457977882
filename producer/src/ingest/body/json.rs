//! JSON: an object a row. Names are trimmed and lower-cased as those of a CSV header are; of two equal names the last one
//! counts, as with every other JSON reader; other names are passed over. A value is a string; a number stands for its text
//! as it is written, null for the empty string.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use domain::{COLUMNS, Column, Header, RejectCode, Rejection, wire};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{BodyError, ROWS_MAX, Rows};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The eleven columns and no other.
static HEADER: LazyLock<Header> = LazyLock::new(|| {
    Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).expect("the eleven columns are a header")
});

pub(super) fn read(body: &[u8], rows: &mut Rows<'_>) -> Result<(), BodyError> {
    let text = std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii();
    if text.is_empty() {
        return Err(BodyError::Empty);
    }
    let no_json = |error: serde_json::Error| BodyError::NotJson(error.to_string());
    if !text.starts_with('[') {
        let row: &RawValue = serde_json::from_str(text).map_err(no_json)?;
        return push(row.get(), rows);
    }
    let Elements { elements, has_more } = serde_json::from_str(text).map_err(no_json)?;
    if has_more {
        return Err(BodyError::TooManyRows);
    }
    elements.into_iter().try_for_each(|row| push(row.get(), rows))
}

pub(super) fn read_lines(body: &[u8], rows: &mut Rows<'_>) -> Result<(), BodyError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK.encode_utf8(&mut [0; 3]).as_bytes()).unwrap_or(body);
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        match checked(line) {
            Ok(row) => push(row, rows)?,
            Err(rejection) => rows.decided(Err(rejection))?,
        }
    }
    if rows.parsed.verdicts.is_empty() {
        return Err(BodyError::Empty);
    }
    Ok(())
}

/// The line, if it is JSON.
fn checked(line: &[u8]) -> Result<&str, Rejection> {
    let text = std::str::from_utf8(line).map_err(|error| not_json(&error))?;
    serde_json::from_str::<&RawValue>(text).map(RawValue::get).map_err(|error| not_json(&error))
}

fn not_json(why: &dyn fmt::Display) -> Rejection {
    Rejection::new(RejectCode::NotJson, format!("the row is no JSON: {why}"))
}

/// `row` is JSON, whatever it holds.
fn push(row: &str, rows: &mut Rows<'_>) -> Result<(), BodyError> {
    match columns(row) {
        Ok(values) => {
            let fields = values.each_ref().map(|value| value.as_bytes());
            rows.push(|out| wire::encode_row(&HEADER, fields, out))
        }
        Err(rejection) => rows.decided(Err(rejection)),
    }
}

/// The eleven values, or what is wrong with the first one that is: in the words and the order of `ufo.rejects`.
fn columns(row: &str) -> Result<[Cow<'_, str>; 11], Rejection> {
    if !row.starts_with('{') {
        let message = "the row is JSON, but no object: an object with the eleven columns is expected";
        return Err(Rejection::new(RejectCode::NotAnObject, message));
    }
    let Object(found) = serde_json::from_str(row).map_err(|error| not_json(&error))?;
    let mut values: [Cow<'_, str>; 11] = Default::default();
    for ((value, found), name) in values.iter_mut().zip(found).zip(COLUMNS) {
        let Some(found) = found else {
            return Err(Rejection::new(RejectCode::MissingColumn, format!("there is no `{name}`")));
        };
        *value = text_of(found.get(), name)?;
    }
    Ok(values)
}

fn text_of<'a>(value: &'a str, name: &str) -> Result<Cow<'a, str>, Rejection> {
    match value.as_bytes().first() {
        Some(b'"') if value.contains('\\') => {
            serde_json::from_str(value).map(Cow::Owned).map_err(|error| not_json(&error))
        }
        Some(b'"') => Ok(Cow::Borrowed(&value[1..value.len() - 1])),
        Some(b'-' | b'0'..=b'9') => Ok(Cow::Borrowed(value)),
        Some(b'n') => Ok(Cow::Borrowed("")),
        _ => Err(Rejection::new(RejectCode::NotAString, format!("`{name}` is no string"))),
    }
}

/// The elements of an array, up to as many as a request may have.
struct Elements<'a> {
    elements: Vec<&'a RawValue>,
    has_more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementsVisitor;
        impl<'de> Visitor<'de> for ElementsVisitor {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements<'de>, A::Error> {
                let mut found = Elements { elements: Vec::new(), has_more: false };
                while let Some(element) = seq.next_element::<&'de RawValue>()? {
                    match found.elements.len() < ROWS_MAX {
                        true => found.elements.push(element),
                        false => found.has_more = true,
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

/// What an object holds of the eleven columns.
struct Object<'a>([Option<&'a RawValue>; 11]);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the eleven columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut found = [None; 11];
                while let Some(Name(column)) = map.next_key()? {
                    let value = map.next_value::<&'de RawValue>()?;
                    if let Some(column) = column {
                        found[column.index()] = Some(value);
                    }
                }
                Ok(Object(found))
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The column of this name, if it is one.
struct Name(Option<Column>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name(Column::from_name(name).or_else(|| {
                    let is_blank =
                        |character: char| character.is_whitespace() || character == BYTE_ORDER_MARK;
                    Column::from_name(&name.trim_matches(is_blank).to_lowercase())
                })))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
