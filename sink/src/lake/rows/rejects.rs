//! `silver/rejects`: why, where, and the original bytes.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use domain::wire;
use engine::record::Record;

use super::{Rows, Year, micros};
use crate::lake::schema;

#[derive(Default)]
pub(crate) struct RejectRows {
    id: StringBuilder,
    code: StringBuilder,
    message: StringBuilder,
    stage: StringBuilder,
    topic: StringBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    rejected_at: TimestampMicrosecondBuilder,
    key: BinaryBuilder,
    bytes: BinaryBuilder,
    is_cut: BooleanBuilder,
    rows: usize,
}

impl Rows for RejectRows {
    fn push(&mut self, _topic: &str, record: Record<'_>) -> bool {
        let Ok(reject) = wire::decode_reject(record.value.unwrap_or_default()) else { return false };
        self.id.append_value(str::from_utf8(&reject.id.to_hex()).unwrap_or_default());
        self.code.append_value(reject.code.name());
        self.message.append_value(reject.message);
        self.stage.append_value(reject.stage.name());
        self.topic.append_value(reject.topic);
        self.partition.append_value(reject.partition);
        self.offset.append_value(reject.offset);
        self.rejected_at.append_value(micros(reject.rejected_at_ms));
        self.key.append_option(reject.key);
        self.bytes.append_value(reject.bytes);
        self.is_cut.append_value(reject.is_cut);
        self.rows += 1;
        true
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<(Year, RecordBatch)>, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.stage.finish()),
            Arc::new(self.topic.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.rejected_at.finish().with_timezone("UTC")),
            Arc::new(self.key.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.is_cut.finish()),
        ];
        Ok(vec![(None, RecordBatch::try_new(schema::rejects(), columns)?)])
    }
}
