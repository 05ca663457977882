//! What the log says of a file's columns, so that readers can pass files over: rows, smallest and largest values, nulls.
//! Taken from the Parquet footer, which has counted already.

use std::collections::BTreeMap;

use arrow_schema::{DataType, Fields, Schema};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::calendar;

/// Longer texts are cut off; readers know that by the protocol.
const TEXT_CHARS_MAX: usize = 32;
/// At least every character: put behind a cut text, the whole is not less than any text that begins so.
const LAST_CHAR: char = char::MAX;

/// A file's statistics, as its writer left them. Texts may be cut off, times are whole milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileStats {
    pub num_records: Option<u64>,
    /// Not above any value of the column; absent where nothing is known.
    pub min_values: Map<String, Value>,
    /// Not below any value of the column; absent where nothing is known.
    pub max_values: Map<String, Value>,
    pub null_count: Map<String, Value>,
}

impl FileStats {
    pub(crate) fn parse(stats: &str) -> Option<Self> {
        serde_json::from_str(stats).ok()
    }
}

/// A value that can be compared over row groups.
#[derive(Clone, Debug, PartialEq)]
enum Bound {
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Bound {
    fn is_less(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left < right,
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right).is_lt(),
            (Self::Text(left), Self::Text(right)) => left < right,
            (Self::Integer(_) | Self::Float(_) | Self::Text(_), _) => false,
        }
    }
}

/// A column over all row groups.
#[derive(Debug, Default)]
struct Column {
    nulls: Option<u64>,
    /// `None` before the first value.
    bounds: Option<(Bound, Bound)>,
    is_unbounded: bool,
}

impl Column {
    fn add(&mut self, chunk: &ColumnChunkMetaData, rows: u64) {
        let statistics = chunk.statistics();
        let nulls = statistics.and_then(Statistics::null_count_opt);
        self.nulls = self.nulls.zip(nulls).map(|(before, more)| before + more);
        if nulls == Some(rows) {
            return;
        }
        match (statistics.and_then(bounds), self.bounds.take()) {
            (None, _) => self.is_unbounded = true,
            (found, None) => self.bounds = found,
            (Some((low, high)), Some((least, most))) => {
                let least = if low.is_less(&least) { low } else { least };
                let most = if most.is_less(&high) { high } else { most };
                self.bounds = Some((least, most));
            }
        }
    }
}

fn bounds(statistics: &Statistics) -> Option<(Bound, Bound)> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(|text| Bound::Text(text.to_owned()));
    Some(match statistics {
        Statistics::Int32(values) => {
            (Bound::Integer((*values.min_opt()?).into()), Bound::Integer((*values.max_opt()?).into()))
        }
        Statistics::Int64(values) => (Bound::Integer(*values.min_opt()?), Bound::Integer(*values.max_opt()?)),
        Statistics::Float(values) => {
            (Bound::Float((*values.min_opt()?).into()), Bound::Float((*values.max_opt()?).into()))
        }
        Statistics::Double(values) => (Bound::Float(*values.min_opt()?), Bound::Float(*values.max_opt()?)),
        Statistics::ByteArray(values) => (text(values.min_bytes_opt()?)?, text(values.max_bytes_opt()?)?),
        Statistics::Boolean(_) | Statistics::Int96(_) | Statistics::FixedLenByteArray(_) => return None,
    })
}

/// The statistics of a file as JSON. `schema` is the file's; `not_a_number` tells which columns hold a NaN: engines
/// disagree on where it sorts, and Parquet leaves it out of its bounds, so such columns get none.
pub(crate) fn encode(
    metadata: &ParquetMetaData,
    schema: &Schema,
    not_a_number: impl Fn(&str) -> bool,
) -> String {
    let mut leaves = BTreeMap::new();
    collect_leaves(schema.fields(), &mut Vec::new(), &mut leaves);
    let mut rows = 0;
    let mut columns: BTreeMap<&[String], Column> =
        leaves.keys().map(|path| (path.as_slice(), Column { nulls: Some(0), ..Column::default() })).collect();
    for group in metadata.row_groups() {
        let group_rows = u64::try_from(group.num_rows()).unwrap_or(0);
        rows += group_rows;
        for chunk in group.columns() {
            if let Some(column) = columns.get_mut(chunk.column_path().parts()) {
                column.add(chunk, group_rows);
            }
        }
    }
    let (mut least, mut most, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (path, column) in columns {
        if let Some(count) = column.nulls {
            insert(&mut nulls, path, count.into());
        }
        let Some((low, high)) = column.bounds.filter(|_| !column.is_unbounded) else { continue };
        if path.first().is_some_and(|name| not_a_number(name)) {
            continue;
        }
        let data_type = &leaves[path];
        if let (Some(low), Some(high)) = (low_json(&low, data_type), high_json(&high, data_type)) {
            insert(&mut least, path, low);
            insert(&mut most, path, high);
        }
    }
    json!({ "numRecords": rows, "minValues": least, "maxValues": most, "nullCount": nulls }).to_string()
}

/// The columns that have one value a row, those inside structs too, by path.
fn collect_leaves(fields: &Fields, path: &mut Vec<String>, leaves: &mut BTreeMap<Vec<String>, DataType>) {
    for field in fields {
        path.push(field.name().clone());
        match crate::schema::canonical(field.data_type()) {
            DataType::Struct(inner) => collect_leaves(&inner, path, leaves),
            DataType::List(_) | DataType::Map(_, _) => {}
            data_type => {
                leaves.insert(path.clone(), data_type);
            }
        }
        path.pop();
    }
}

fn insert(into: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            into.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = into.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn low_json(bound: &Bound, data_type: &DataType) -> Option<Value> {
    match (bound, data_type) {
        (Bound::Text(text), DataType::Utf8) => {
            Some(text.chars().take(TEXT_CHARS_MAX).collect::<String>().into())
        }
        (Bound::Integer(us), DataType::Timestamp(_, _)) => {
            calendar::timestamp_ms(us.div_euclid(1_000)).map(Value::from)
        }
        _ => plain_json(bound, data_type),
    }
}

fn high_json(bound: &Bound, data_type: &DataType) -> Option<Value> {
    match (bound, data_type) {
        (Bound::Text(text), DataType::Utf8) => Some(cut_above(text).into()),
        // Rounded up: the protocol lets writers round down, and not every reader adds the millisecond back.
        (Bound::Integer(us), DataType::Timestamp(_, _)) => {
            calendar::timestamp_ms(us.checked_add(999)?.div_euclid(1_000)).map(Value::from)
        }
        _ => plain_json(bound, data_type),
    }
}

fn plain_json(bound: &Bound, data_type: &DataType) -> Option<Value> {
    match (bound, data_type) {
        (Bound::Integer(days), DataType::Date32) => calendar::date(*days).map(Value::from),
        (Bound::Integer(value), DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64) => {
            Some((*value).into())
        }
        // Infinite values have no JSON form.
        (Bound::Float(value), DataType::Float32 | DataType::Float64) => {
            serde_json::Number::from_f64(*value).map(Value::Number)
        }
        _ => None,
    }
}

/// The text, or something not less that is hardly longer than the limit.
fn cut_above(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(TEXT_CHARS_MAX) else { return text.to_owned() };
    // Where the rest begins with the last character of all, the padding would be less than the rest.
    let rest = text[cut..].trim_start_matches(LAST_CHAR);
    let mut above = text[..text.len() - rest.len()].to_owned();
    if !rest.is_empty() {
        above.push(LAST_CHAR);
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_text_bounds_all_that_it_stands_for(text in "\\PC{0,40}|[a\u{10FFFF}]{30,60}") {
            let low = low_json(&Bound::Text(text.clone()), &DataType::Utf8);
            let low = low.as_ref().and_then(Value::as_str).expect("a text");
            prop_assert!(low <= text.as_str());
            prop_assert!(cut_above(&text) >= text);
            if text.chars().count() <= TEXT_CHARS_MAX {
                prop_assert_eq!(cut_above(&text), text.as_str());
                prop_assert_eq!(low, text.as_str());
            }
        }

        #[test]
        fn a_rounded_time_bounds_the_time(us in -60_000_000_000_000_000_i64..200_000_000_000_000_000) {
            let utc = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some("UTC".into()));
            let back = |value: Option<Value>| value
                .and_then(|value| calendar::parse_timestamp_us(value.as_str()?))
                .expect("a time");
            let (low, high) = (back(low_json(&Bound::Integer(us), &utc)), back(high_json(&Bound::Integer(us), &utc)));
            prop_assert!(low <= us && us - low < 1_000 && us <= high && high - us < 1_000);
        }
    }
}
