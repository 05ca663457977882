//! Rows as the bytes of a Parquet file, with what the log says of them. Pure: nothing here knows a store.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::error::DeltaError;
use crate::{path, stats};

/// Enough rows for long runs and dictionaries, few enough that readers can pass over most of a file and that several
/// threads find work in it.
const ROW_GROUP_ROWS: usize = 128 * 1024;
/// What a reader holds in memory of a file, encoded. Rows with long texts reach this before the number above.
const ROW_GROUP_BYTES: usize = 32 * 1024 * 1024;

/// A file that is not in a table yet: its bytes, and what the log will say of it.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// As the log writes it: below the table's root, unique, URI-encoded.
    pub path: String,
    pub size: u64,
    pub rows: u64,
    /// Partition column → value.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// As JSON.
    pub stats: String,
    /// The columns of its rows.
    pub(crate) schema: SchemaRef,
    /// `None` once they are in the store.
    pub(crate) bytes: Option<Bytes>,
}

/// How a table's files are encoded.
#[derive(Clone, Debug)]
pub struct Encoding {
    properties: WriterPropertiesBuilder,
}

impl Encoding {
    /// zstd throughout; `distinct` names columns whose values hardly repeat, where a dictionary only costs.
    pub fn new(distinct: &[&str]) -> Self {
        let mut properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            // Lists and maps get the names inside that the Parquet format asks for.
            .set_coerce_types(true);
        for column in distinct {
            properties =
                properties.set_column_dictionary_enabled(ColumnPath::new(vec![(*column).to_owned()]), false);
        }
        Self { properties }.with_zstd_level(1)
    }

    /// 1 is the fastest. 3 takes about 40 % longer and pays for files that are read often.
    #[must_use]
    pub fn with_zstd_level(self, level: i32) -> Self {
        let level = ZstdLevel::try_new(level).unwrap_or_default();
        Self { properties: self.properties.set_compression(Compression::ZSTD(level)) }
    }

    #[must_use]
    pub fn with_row_group_rows(self, rows: usize) -> Self {
        Self { properties: self.properties.set_max_row_group_row_count(Some(rows)) }
    }
}

/// Encodes one file, batch by batch.
#[derive(Debug)]
pub struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
    path: String,
    partition_values: BTreeMap<String, Option<String>>,
    /// Columns that hold a NaN.
    not_a_number: BTreeSet<usize>,
    rows: u64,
}

impl Encoder {
    /// `schema` is the files' ([`file_schema`](crate::file_schema)), `partition` gives the partition columns' values in
    /// the table's order.
    pub fn new(
        schema: &SchemaRef,
        encoding: &Encoding,
        partition: &[(&str, Option<String>)],
    ) -> Result<Self, DeltaError> {
        // An empty text stands for a null in the log, so it is one from the start.
        let partition: Vec<_> = partition
            .iter()
            .map(|(column, value)| (*column, value.clone().filter(|text| !text.is_empty())))
            .collect();
        let options = ArrowWriterOptions::new()
            .with_properties(encoding.properties.clone().build())
            // Without it a dictionary here would be a dictionary to every Arrow reader of this file alone.
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options)?;
        let path = path::data_file(&partition);
        let partition_values =
            partition.into_iter().map(|(column, value)| (column.to_owned(), value)).collect();
        let not_a_number = BTreeSet::new();
        Ok(Self { writer, schema: schema.clone(), path, partition_values, not_a_number, rows: 0 })
    }

    /// Adds rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), DeltaError> {
        for (index, column) in batch.columns().iter().enumerate() {
            let has_nan = match column.data_type() {
                DataType::Float32 => {
                    column.as_primitive::<Float32Type>().values().iter().any(|value| value.is_nan())
                }
                DataType::Float64 => {
                    column.as_primitive::<Float64Type>().values().iter().any(|value| value.is_nan())
                }
                // Not worth a look inside: the columns of structs have no bounds.
                DataType::Struct(_) => true,
                _ => false,
            };
            if has_nan {
                self.not_a_number.insert(index);
            }
        }
        self.writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// About how large the file is so far: what is encoded, and what the open row group will be.
    pub fn encoded_bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// About how much memory it holds.
    pub fn memory_bytes(&self) -> usize {
        self.writer.inner().capacity() + self.writer.memory_size()
    }

    /// The bytes that are ready, which are then no longer held.
    pub(crate) fn take_ready(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.inner_mut())
    }

    pub(crate) fn ready_bytes(&self) -> usize {
        self.writer.inner().len()
    }

    /// Closes the file.
    pub fn finish(self) -> Result<DataFile, DeltaError> {
        let (mut file, rest) = self.close()?;
        file.bytes = Some(rest.into());
        Ok(file)
    }

    /// Closes the file: what the log says of it, and the bytes since [`take_ready`](Self::take_ready).
    pub(crate) fn close(mut self) -> Result<(DataFile, Vec<u8>), DeltaError> {
        let metadata = self.writer.finish()?;
        let size = self.writer.bytes_written() as u64;
        let rest = self.take_ready();
        let stats = self.stats(&metadata);
        let Self { path, partition_values, rows, schema, .. } = self;
        Ok((DataFile { path, size, rows, partition_values, stats, schema, bytes: None }, rest))
    }

    fn stats(&self, metadata: &ParquetMetaData) -> String {
        let has_nan =
            |name: &str| self.schema.index_of(name).is_ok_and(|index| self.not_a_number.contains(&index));
        stats::encode(metadata, &self.schema, has_nan)
    }
}

/// Encodes the batches as one file. `partition` gives the partition columns' values, in the table's order.
pub fn encode(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    encoding: &Encoding,
    partition: &[(&str, Option<String>)],
) -> Result<DataFile, DeltaError> {
    let mut encoder = Encoder::new(schema, encoding, partition)?;
    for batch in batches {
        encoder.push(batch)?;
    }
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use arrow_schema::{Field, Schema, TimeUnit};
    use serde_json::{Value, json};

    fn stats_of(columns: Vec<(&str, ArrayRef)>, rows_a_group: usize) -> Value {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .expect("a batch");
        let encoding = Encoding::new(&[]).with_row_group_rows(rows_a_group);
        let file = encode(&batch.schema(), &[batch], &encoding, &[]).expect("encodes");
        assert_eq!(file.size, file.bytes.expect("held").len() as u64);
        serde_json::from_str(&file.stats).expect("JSON")
    }

    #[test]
    fn bounds_and_nulls_span_row_groups() {
        let stats = stats_of(
            vec![
                ("n", Arc::new(Int64Array::from(vec![Some(5), None, Some(-3), Some(9), None]))),
                ("t", Arc::new(StringArray::from(vec![Some("b"), Some("é"), Some("a"), None, None]))),
                ("none", Arc::new(Int64Array::from(vec![None::<i64>; 5]))),
                ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, None, None, None]))),
            ],
            2,
        );
        assert_eq!(
            stats,
            json!({
                "numRecords": 5,
                "minValues": { "n": -3, "t": "a" },
                "maxValues": { "n": 9, "t": "é" },
                "nullCount": { "n": 2, "t": 2, "none": 5, "flag": 4 },
            })
        );
    }

    #[test]
    fn long_texts_are_cut_and_times_rounded_outwards() {
        let long = "z".repeat(100);
        let stats = stats_of(
            vec![
                ("t", Arc::new(StringArray::from(vec![long.as_str(), long.as_str()]))),
                ("at", Arc::new(TimestampMicrosecondArray::from(vec![-1, 1_000_001]).with_timezone("UTC"))),
            ],
            8,
        );
        assert_eq!(stats["minValues"]["t"], "z".repeat(32));
        assert_eq!(stats["maxValues"]["t"], format!("{}\u{10FFFF}", "z".repeat(32)));
        assert_eq!(stats["minValues"]["at"], "1969-12-31T23:59:59.999Z");
        assert_eq!(stats["maxValues"]["at"], "1970-01-01T00:00:01.001Z");
    }

    #[test]
    fn a_column_with_a_nan_has_no_bounds() {
        let floats = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
        let stats = stats_of(vec![("x", floats(vec![1.0, f64::NAN])), ("y", floats(vec![0.5, -2.0]))], 8);
        assert_eq!((&stats["minValues"], &stats["maxValues"]), (&json!({ "y": -2.0 }), &json!({ "y": 0.5 })));
    }

    #[test]
    fn the_size_so_far_is_near_the_size_in_the_end() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int64, false),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        ]));
        let mut encoder = Encoder::new(&schema, &Encoding::new(&["n"]), &[]).expect("starts");
        for start in 0..200_i64 {
            let numbers = (0..1_000).map(|n| (start * 1_000 + n).wrapping_mul(-0x61C8_8646_80B5_83EB));
            let n: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers.clone()));
            let at: ArrayRef =
                Arc::new(TimestampMicrosecondArray::from_iter_values(numbers).with_timezone("UTC"));
            encoder
                .push(&RecordBatch::try_new(schema.clone(), vec![n, at]).expect("a batch"))
                .expect("encodes");
        }
        let so_far = encoder.encoded_bytes() as u64;
        assert!(encoder.memory_bytes() as u64 >= so_far / 2);
        let file = encoder.finish().expect("ends");
        assert_eq!(file.rows, 200_000);
        assert!(so_far.abs_diff(file.size) < file.size / 10, "{so_far} bytes, then {}", file.size);
    }
}
