//! Rows as the bytes of a Parquet file.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::error::DeltaError;

/// A file's bytes and what the log says of it.
#[derive(Clone, Debug)]
pub struct EncodedFile {
    /// Below the table's root; unique.
    pub path: String,
    pub bytes: Bytes,
    pub rows: u64,
    /// Partition column → value.
    pub partition_values: BTreeMap<String, Option<String>>,
}

/// How a table's files are encoded.
#[derive(Clone, Debug)]
pub struct Encoding(WriterProperties);

impl Encoding {
    /// zstd throughout; `distinct` names columns whose values hardly repeat, where a dictionary only costs.
    pub fn new(distinct: &[&str]) -> Self {
        let level = ZstdLevel::try_new(1).unwrap_or_default();
        let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
        for column in distinct {
            properties =
                properties.set_column_dictionary_enabled(ColumnPath::new(vec![(*column).to_owned()]), false);
        }
        Self(properties.build())
    }
}

/// Encodes the batches as one file. `partition` gives the partition columns' values, in the table's order.
pub fn encode(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    encoding: &Encoding,
    partition: &[(&str, Option<String>)],
) -> Result<EncodedFile, DeltaError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(encoding.0.clone()))?;
    let mut rows = 0;
    for batch in batches {
        rows += batch.num_rows() as u64;
        writer.write(batch)?;
    }
    let bytes = Bytes::from(writer.into_inner()?);
    let folder: String = partition
        .iter()
        .map(|(column, value)| {
            format!("{column}={}/", value.as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__"))
        })
        .collect();
    let path = format!("{folder}part-{}.zstd.parquet", uuid::Uuid::new_v4());
    let partition_values =
        partition.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect();
    Ok(EncodedFile { path, bytes, rows, partition_values })
}
