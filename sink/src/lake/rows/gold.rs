//! `gold/<view>`: the current aggregates of a view.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use delta::file_schema;
use domain::{Aggregate, CivilTime, Key, Part, View};

use super::long;
use crate::lake::path::PARTITION;
use crate::lake::schema::{self, key_type};

/// The rows of one view.
pub(crate) fn gold_batch<'a>(
    view: View,
    rows: impl Iterator<Item = (&'a [u8], &'a Key, &'a Aggregate)> + Clone,
) -> Result<RecordBatch, ArrowError> {
    let mut keys = StringBuilder::new();
    rows.clone().for_each(|(key, _, _)| keys.append_value(String::from_utf8_lossy(key)));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(keys.finish())];
    for (index, name) in view.key_fields().iter().enumerate() {
        let parts = rows.clone().map(|(_, key, _)| key.0.get(index));
        columns.push(key_column(name, parts));
    }
    let aggregates = || rows.clone().map(|(_, _, aggregate)| aggregate);
    let longs = |value: fn(&Aggregate) -> Option<i64>| -> ArrayRef {
        let mut column = Int64Builder::new();
        aggregates().for_each(|aggregate| column.append_option(value(aggregate)));
        Arc::new(column.finish())
    };
    let times = |value: fn(&Aggregate) -> Option<CivilTime>| -> ArrayRef {
        let mut column = TimestampMicrosecondBuilder::new();
        for aggregate in aggregates() {
            column.append_option(value(aggregate).map(|time| time.seconds() * 1_000_000));
        }
        Arc::new(column.finish().with_timezone("UTC"))
    };
    columns.push(longs(|aggregate| Some(long(aggregate.count))));
    columns.push(longs(|aggregate| Some(long(aggregate.with_duration))));
    columns.push(longs(|aggregate| Some(long(aggregate.total_duration_ms))));
    columns.push(longs(|aggregate| aggregate.max_duration_ms.map(long)));
    columns.push(longs(|aggregate| aggregate.mean_duration_ms().map(long)));
    columns.push(longs(|aggregate| Some(long(aggregate.implausible))));
    columns.push(longs(|aggregate| Some(long(aggregate.total_plausible_ms))));
    columns.push(longs(|aggregate| aggregate.max_plausible_ms.map(long)));
    columns.push(longs(|aggregate| aggregate.mean_plausible_ms().map(long)));
    columns.push(times(|aggregate| aggregate.first_occurred_at));
    columns.push(times(|aggregate| aggregate.last_occurred_at));
    RecordBatch::try_new(file_schema(&schema::aggregates(view), &[PARTITION]), columns)
}

fn key_column<'a>(name: &str, parts: impl Iterator<Item = Option<&'a Part>>) -> ArrayRef {
    if key_type(name) == DataType::Int32 {
        let mut column = Int32Builder::new();
        for part in parts {
            column.append_option(match part {
                Some(Part::Number(number)) => i32::try_from(*number).ok(),
                Some(Part::Text(_) | Part::Null) | None => None,
            });
        }
        return Arc::new(column.finish());
    }
    let mut column = StringBuilder::new();
    for part in parts {
        column.append_option(match part {
            Some(Part::Text(text)) => Some(text.as_str()),
            Some(Part::Number(_) | Part::Null) | None => None,
        });
    }
    Arc::new(column.finish())
}
