//! `bronze/raw`: every record of `ufo.raw` as found.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use engine::record::Record;

use super::{Rows, long, micros};
use crate::lake::schema;

#[derive(Default)]
pub(crate) struct RawRows {
    topic: StringBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    timestamp: TimestampMicrosecondBuilder,
    key: StringBuilder,
    value: StringBuilder,
    rows: usize,
}

impl Rows for RawRows {
    fn push(&mut self, topic: &str, record: Record<'_>) -> bool {
        self.topic.append_value(topic);
        self.partition.append_value(record.partition.0.cast_signed());
        self.offset.append_value(long(record.offset));
        self.timestamp.append_value(micros(record.timestamp_ms));
        // What is no text is no record of ours; its bytes are whole in the rejects.
        self.key.append_option(record.key.map(String::from_utf8_lossy));
        self.value.append_option(record.value.map(String::from_utf8_lossy));
        self.rows += 1;
        true
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<(Option<String>, RecordBatch)>, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.topic.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.timestamp.finish().with_timezone("UTC")),
            Arc::new(self.key.finish()),
            Arc::new(self.value.finish()),
        ];
        Ok(vec![(None, RecordBatch::try_new(schema::raw(), columns)?)])
    }
}
