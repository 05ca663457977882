//! `bronze/raw`: every record of `ufo.raw` as found.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use engine::record::Record;

use super::{Rows, Year, long, micros};
use crate::lake::schema;

#[derive(Default)]
pub(crate) struct RawRows {
    topic: StringBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    timestamp: TimestampMicrosecondBuilder,
    key: StringBuilder,
    value: StringBuilder,
    key_bytes: BinaryBuilder,
    value_bytes: BinaryBuilder,
    rows: usize,
}

impl Rows for RawRows {
    fn push(&mut self, topic: &str, record: Record<'_>) -> bool {
        self.topic.append_value(topic);
        self.partition.append_value(record.partition.0.cast_signed());
        self.offset.append_value(long(record.offset));
        self.timestamp.append_value(micros(record.timestamp_ms));
        append(record.key, &mut self.key, &mut self.key_bytes);
        append(record.value, &mut self.value, &mut self.value_bytes);
        self.rows += 1;
        true
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<(Year, RecordBatch)>, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.topic.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.timestamp.finish().with_timezone("UTC")),
            Arc::new(self.key.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.key_bytes.finish()),
            Arc::new(self.value_bytes.finish()),
        ];
        Ok(vec![(None, RecordBatch::try_new(schema::raw(), columns)?)])
    }
}

/// Text goes into the column that people query; other bytes are kept exactly, beside it.
fn append(found: Option<&[u8]>, texts: &mut StringBuilder, bytes: &mut BinaryBuilder) {
    match found.map(|found| str::from_utf8(found).map_err(|_| found)) {
        Some(Ok(text)) => {
            texts.append_value(text);
            bytes.append_null();
        }
        Some(Err(found)) => {
            texts.append_null();
            bytes.append_value(found);
        }
        None => {
            texts.append_null();
            bytes.append_null();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    #[test]
    fn every_record_is_kept_as_found() {
        type Found<'f> = (Option<&'f [u8]>, Option<&'f [u8]>);
        let found: [Found<'_>; 4] = [
            (Some(b"k"), Some(b"{}")),
            (None, None),
            (Some(b"\xff"), Some(b"caf\xe9")),
            (Some(b""), Some("é".as_bytes())),
        ];
        let mut rows = RawRows::default();
        for (offset, (key, value)) in (40..).zip(found) {
            assert!(rows.push("ufo.raw", record(offset, key, value)));
        }
        let (_, batch) = rows.finish().expect("columns").remove(0);
        let either = |text: usize, bytes: usize| {
            let texts = batch.column(text).as_string::<i32>().iter();
            let bytes = batch.column(bytes).as_binary::<i32>().iter();
            texts.zip(bytes).map(|(text, bytes)| text.map(str::as_bytes).or(bytes)).collect::<Vec<_>>()
        };
        let back: Vec<_> = either(4, 6).into_iter().zip(either(5, 7)).collect();
        assert_eq!(back, found);
        let offsets = batch.column_by_name("offset").expect("a column").as_primitive::<Int64Type>();
        assert_eq!(offsets.values(), &[40, 41, 42, 43]);
        assert_eq!((rows.len(), rows.finish().expect("empty columns")[0].1.num_rows()), (0, 0));
    }
}
