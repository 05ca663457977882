//! Partition values: text in the log, typed columns to those who read.

use std::iter::repeat_n;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow_schema::{DataType, TimeUnit};

use crate::calendar;

/// The column of a file whose rows all have this value; `None` where the text is no value of the type.
pub(crate) fn column(data_type: &DataType, value: Option<&str>, rows: usize) -> Option<ArrayRef> {
    // The protocol has no empty values: an empty text is a null.
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Some(new_null_array(data_type, rows));
    };
    Some(match data_type {
        DataType::Utf8 => Arc::new(StringArray::from_iter_values(repeat_n(text, rows))),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![text.parse::<bool>().ok()?; rows])),
        DataType::Int8 => Arc::new(Int8Array::from_value(text.parse().ok()?, rows)),
        DataType::Int16 => Arc::new(Int16Array::from_value(text.parse().ok()?, rows)),
        DataType::Int32 => Arc::new(Int32Array::from_value(text.parse().ok()?, rows)),
        DataType::Int64 => Arc::new(Int64Array::from_value(text.parse().ok()?, rows)),
        DataType::Float32 => Arc::new(Float32Array::from_value(text.parse().ok()?, rows)),
        DataType::Float64 => Arc::new(Float64Array::from_value(text.parse().ok()?, rows)),
        DataType::Date32 => Arc::new(Date32Array::from_value(calendar::parse_date(text)?, rows)),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            let instants = TimestampMicrosecondArray::from_value(calendar::parse_timestamp_us(text)?, rows);
            Arc::new(instants.with_timezone(zone.clone()))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;

    #[test]
    fn values_have_their_columns_type() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let cases = [
            (DataType::Utf8, "a b"),
            (DataType::Boolean, "true"),
            (DataType::Int32, "-4"),
            (DataType::Int64, "9223372036854775807"),
            (DataType::Float64, "1.5"),
            (DataType::Date32, "1947-07-08"),
            (utc, "1947-07-08T12:00:00.000001Z"),
        ];
        for (data_type, text) in cases {
            let column_of = |value| column(&data_type, value, 3).expect("a column");
            assert_eq!(column_of(Some(text)).data_type(), &data_type);
            assert_eq!((column_of(Some(text)).len(), column_of(Some(text)).null_count()), (3, 0));
            assert_eq!((column_of(Some("")).null_count(), column_of(None).null_count()), (3, 3));
        }
        assert!(column(&DataType::Int32, Some("x"), 1).is_none());
    }
}
