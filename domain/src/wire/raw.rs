//! `ufo.raw`: one JSON object per row, values as found.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{self, Text};
use super::{OVERSIZED_HEAD_BYTES, ROW_BYTES_MAX, ROW_JSON_BYTES_MAX, windows_1252};
use crate::raw::{
    COLUMNS, Column, Header, Misfit, OversizedHasher, Raw, RawSighting, SightingId, misfit_id, oversized_id,
};
use crate::reject::{RejectCode, Rejection};

/// Appends the record's value to `out` and gives its key. A row with another number of fields than the header
/// becomes `{"_row": [..]}`, one whose JSON would be too long `{"_oversized": {..}}`. Values that are no UTF-8
/// are read as Windows-1252 and their columns named in `_windows_1252`, so that a reader can recompute the id.
pub fn encode_row<'a, I>(header: &Header, fields: I, out: &mut Vec<u8>) -> SightingId
where
    I: IntoIterator<Item = &'a [u8]>,
    I::IntoIter: ExactSizeIterator + Clone,
{
    let fields = fields.into_iter();
    let start = out.len();
    let bytes: usize = fields.clone().map(<[u8]>::len).sum();
    if bytes <= ROW_BYTES_MAX {
        let id = match fields.len() == header.width() {
            true => encode_columns(header, fields.clone(), out),
            false => encode_misfit(fields.clone(), out),
        };
        if out.len() - start <= ROW_JSON_BYTES_MAX {
            return id;
        }
        out.truncate(start);
    }
    encode_long_row(fields, out)
}

fn encode_columns<'a>(
    header: &Header,
    fields: impl Iterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
) -> SightingId {
    let mut values = [b"".as_slice(); 11];
    let mut marked = [false; 11];
    for (index, field) in fields.enumerate() {
        out.extend_from_slice(header.before_value(index));
        let is_marked = write_as_found(field, out);
        if let Some(column) = header.column_of(index) {
            values[column.index()] = field;
            marked[column.index()] = is_marked;
        }
    }
    let names = COLUMNS.iter().zip(marked).filter(|(_, is_marked)| *is_marked).map(|(name, _)| *name);
    write_marks(&names.collect::<Vec<_>>().join(","), out);
    out.push(b'}');
    SightingId::of_columns(values)
}

fn encode_misfit<'a>(
    fields: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    out: &mut Vec<u8>,
) -> SightingId {
    let mut marked = Vec::new();
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(json::ROW.as_bytes());
    out.extend_from_slice(b"\":[");
    for (index, field) in fields.clone().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if write_as_found(field, out) {
            marked.push(index.to_string());
        }
    }
    out.push(b']');
    write_marks(&marked.join(","), out);
    out.push(b'}');
    misfit_id(fields)
}

/// A row that fits as bytes but not as JSON: its fields in order, each behind a comma but the first.
fn encode_long_row<'a>(fields: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) -> SightingId {
    let mut hasher = hash_oversized();
    let mut head = Vec::new();
    for (index, field) in fields.enumerate() {
        for part in [if index == 0 { b"".as_slice() } else { b"," }, field] {
            hasher.update(part);
            head.extend_from_slice(&part[..part.len().min(OVERSIZED_HEAD_BYTES.saturating_sub(head.len()))]);
        }
    }
    let length = hasher.length();
    encode_oversized(&head, length, hasher.finish(), out)
}

/// True where the value was no UTF-8 and was read as Windows-1252.
fn write_as_found(field: &[u8], out: &mut Vec<u8>) -> bool {
    match std::str::from_utf8(field) {
        Ok(text) => {
            json::write_text(text, out);
            false
        }
        Err(_) => {
            json::write_text(&windows_1252::decode(field), out);
            true
        }
    }
}

fn write_marks(names: &str, out: &mut Vec<u8>) {
    if !names.is_empty() {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(json::WINDOWS_1252.as_bytes());
        out.extend_from_slice(b"\":");
        json::write_text(names, out);
    }
}

/// Appends the record's value of a row over [`ROW_BYTES_MAX`] to `out` and gives its key. Of `head` at most
/// [`OVERSIZED_HEAD_BYTES`] are used; `length` and `hash` are those of the whole row.
pub fn encode_oversized(head: &[u8], length: u64, hash: SightingId, out: &mut Vec<u8>) -> SightingId {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(json::OVERSIZED.as_bytes());
    out.extend_from_slice(b"\":{\"head\":");
    let head = &head[..head.len().min(OVERSIZED_HEAD_BYTES)];
    let head = match std::str::from_utf8(head) {
        Ok(text) => Cow::Borrowed(text),
        // The cut may have gone through a character: up to three bytes of it are left out.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&head[..error.valid_up_to()]),
        Err(_) => Cow::Owned(windows_1252::decode(head)),
    };
    json::write_text(&head, out);
    out.extend_from_slice(b",\"length\":");
    json::write_unsigned(u128::from(length), out);
    out.extend_from_slice(b",\"hash\":\"");
    out.extend_from_slice(&hash.to_hex());
    out.extend_from_slice(b"\"}}");
    oversized_id(length, hash)
}

/// For a row that is never held in memory: hash it piece by piece, then call [`encode_oversized`].
pub fn hash_oversized() -> OversizedHasher {
    OversizedHasher::new()
}

/// Reads a record of `ufo.raw`. Strings are borrowed where the JSON has no escapes.
pub fn decode_raw(value: &[u8]) -> Result<Raw<'_>, Rejection> {
    let not_json =
        |why: &dyn fmt::Display| Rejection::new(RejectCode::NotJson, format!("the record is no JSON: {why}"));
    let text = std::str::from_utf8(value).map_err(|error| not_json(&error))?;
    if let Some(row) = decode_plain(text) {
        return Ok(Raw::Row(row));
    }
    match serde_json::from_str::<Record<'_>>(text).map_err(|error| not_json(&error))? {
        Record::Other => Err(Rejection::new(RejectCode::NotAnObject, "the record is JSON, but no object")),
        Record::Object(object) => object.into_raw(),
    }
}

/// Reads a row of the Kaggle file's own shape without escapes, as nearly all are, in a third of the time that
/// a JSON reader takes. Null for anything else, right or wrong.
fn decode_plain(text: &str) -> Option<RawSighting<'_>> {
    let has_controls = text.bytes().fold(false, |found, byte| found | (byte < b' '));
    let mut rest = text.strip_prefix('{').filter(|_| !has_controls)?;
    let mut values: [Cow<'_, str>; 11] = Default::default();
    for (index, (value, name)) in values.iter_mut().zip(COLUMNS).enumerate() {
        let after_comma = if index == 0 { rest } else { rest.strip_prefix(',')? };
        let found = after_comma.strip_prefix('"')?.strip_prefix(name)?.strip_prefix("\":\"")?;
        let end = memchr::memchr2(b'"', b'\\', found.as_bytes())?;
        *value = Cow::Borrowed(&found[..end]);
        rest = found[end..].strip_prefix('"')?;
    }
    (rest == "}").then(|| RawSighting::new(values))
}

enum Record<'a> {
    Object(Box<Object<'a>>),
    Other,
}

/// What a record's object holds of what we look for. Of a name that comes twice the last value counts, as in
/// every other JSON reader; extra columns are not looked at.
#[derive(Default)]
struct Object<'a> {
    values: [Option<Value<'a>>; 11],
    row: Option<Value<'a>>,
    oversized: Option<Value<'a>>,
    windows_1252: Option<Value<'a>>,
}

impl<'a> Object<'a> {
    fn into_raw(self) -> Result<Raw<'a>, Rejection> {
        if let Some(Value::List(fields)) = self.row {
            return into_misfit(fields, self.windows_1252);
        }
        if let Some(Value::Map(Map { head: Some(head), length: Some(length), hash: Some(hash) })) =
            self.oversized
        {
            return Ok(Raw::Oversized { head, length, hash });
        }
        let names = match &self.windows_1252 {
            Some(Value::Text(names)) => names,
            _ => "",
        };
        let marked =
            names.split(',').filter_map(Column::from_name).fold(0, |bits, column| bits | 1 << column.index());
        let mut values: [Cow<'a, str>; 11] = Default::default();
        for ((value, place), name) in self.values.into_iter().zip(&mut values).zip(COLUMNS) {
            *place = match value {
                Some(Value::Text(text)) => text,
                Some(_) => {
                    return Err(Rejection::new(RejectCode::NotAString, format!("`{name}` is no string")));
                }
                None => {
                    return Err(Rejection::new(RejectCode::MissingColumn, format!("there is no `{name}`")));
                }
            };
        }
        Ok(Raw::Row(RawSighting::with_windows_1252(values, marked)))
    }
}

fn into_misfit<'a>(fields: Vec<Value<'a>>, marks: Option<Value<'a>>) -> Result<Raw<'a>, Rejection> {
    let texts = fields.into_iter().map(|field| match field {
        Value::Text(text) => Ok(text),
        _ => Err(Rejection::new(RejectCode::NotAString, "a field in `_row` is no string")),
    });
    let fields = texts.collect::<Result<Vec<_>, _>>()?;
    let marked = match &marks {
        Some(Value::Text(marks)) => marks.split(',').filter_map(|index| index.parse().ok()).collect(),
        _ => Vec::new(),
    };
    Ok(Raw::Misfit(Misfit::new(fields, marked)))
}

enum Value<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    List(Vec<Value<'a>>),
    Map(Map<'a>),
    Other,
}

#[derive(Default)]
struct Map<'a> {
    head: Option<Cow<'a, str>>,
    length: Option<u64>,
    hash: Option<SightingId>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<'de>, A::Error> {
        let mut object = Box::<Object<'de>>::default();
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                json::ROW => object.row = Some(map.next_value()?),
                json::OVERSIZED => object.oversized = Some(map.next_value()?),
                json::WINDOWS_1252 => object.windows_1252 = Some(map.next_value()?),
                name => match Column::from_name(name) {
                    Some(column) => object.values[column.index()] = Some(map.next_value()?),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(Record::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Record<'de>, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Record::Other)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Record<'de>, E> {
        Ok(Record::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut found = Map::default();
        while let Some(Text(name)) = map.next_key()? {
            match (&*name, map.next_value()?) {
                ("head", Value::Text(head)) => found.head = Some(head),
                ("length", Value::Number(length)) => found.length = Some(length),
                ("hash", Value::Text(hash)) => found.hash = hash.parse().ok(),
                _ => {}
            }
        }
        Ok(Value::Map(found))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }
}
