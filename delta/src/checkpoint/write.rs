//! State → checkpoint.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::Encoded;
use super::column::ActionColumn;
use crate::action::{Action, Add, MetaData, Protocol, Remove, Txn};
use crate::error::DeltaError;
use crate::snapshot::Snapshot;

/// Rows encoded at a time: bounds what is held twice.
const BATCH_ROWS: usize = 4_096;

/// The checkpoint of a snapshot.
pub(crate) fn encode(snapshot: &Snapshot, now_ms: i64) -> Result<Encoded, DeltaError> {
    // Snappy: every reader of checkpoints has it.
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let schema = batch(&[])?.schema();
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options)?;
    let mut rows = Vec::with_capacity(BATCH_ROWS);
    let mut actions = 0;
    for action in state(snapshot, now_ms) {
        rows.push(action);
        actions += 1;
        if rows.len() == BATCH_ROWS {
            writer.write(&batch(&rows)?)?;
            rows.clear();
        }
    }
    writer.write(&batch(&rows)?)?;
    Ok(Encoded { bytes: writer.into_inner()?.into(), actions })
}

/// The actions that make up the state.
fn state(snapshot: &Snapshot, now_ms: i64) -> impl Iterator<Item = Action> {
    let head = [Action::protocol(snapshot.protocol.clone()), Action::meta_data(snapshot.metadata.clone())];
    let txns = snapshot.transactions.values().cloned().map(Action::txn);
    let removes = snapshot.tombstones_at(now_ms).cloned().map(Action::remove);
    let adds = snapshot.files.iter().map(|(path, file)| {
        Action::add(Add {
            path: path.clone(),
            partition_values: file.partition_values.clone(),
            size: file.size,
            modification_time: file.modified_at_ms,
            // A state is no change.
            data_change: false,
            stats: file.stats.clone(),
            tags: file.tags.clone(),
        })
    });
    head.into_iter().chain(txns).chain(removes).chain(adds)
}

fn batch(rows: &[Action]) -> Result<RecordBatch, ArrowError> {
    let txns: Vec<_> = rows.iter().map(|row| row.txn.as_ref()).collect();
    let adds: Vec<_> = rows.iter().map(|row| row.add.as_ref()).collect();
    let removes: Vec<_> = rows.iter().map(|row| row.remove.as_ref()).collect();
    let metadata: Vec<_> = rows.iter().map(|row| row.meta_data.as_ref()).collect();
    let protocols: Vec<_> = rows.iter().map(|row| row.protocol.as_ref()).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("txn", txn_column(&txns)?, true),
        ("add", add_column(&adds)?, true),
        ("remove", remove_column(&removes)?, true),
        ("metaData", metadata_column(&metadata)?, true),
        ("protocol", protocol_column(&protocols)?, true),
    ])
}

fn txn_column(rows: &[Option<&Txn>]) -> Result<ArrayRef, ArrowError> {
    ActionColumn::new(rows)
        .text("appId", |txn| Some(&txn.app_id))
        .long("version", |txn| Some(txn.version))
        .long("lastUpdated", |txn| txn.last_updated)
        .finish()
}

fn add_column(rows: &[Option<&Add>]) -> Result<ArrayRef, ArrowError> {
    ActionColumn::new(rows)
        .text("path", |add| Some(&add.path))
        .map("partitionValues", |add| Some(&add.partition_values))?
        .long("size", |add| i64::try_from(add.size).ok())
        .long("modificationTime", |add| Some(add.modification_time))
        .flag("dataChange", |add| Some(add.data_change))
        .text("stats", |add| add.stats.as_deref())
        .map("tags", |add| add.tags.as_ref())?
        .finish()
}

fn remove_column(rows: &[Option<&Remove>]) -> Result<ArrayRef, ArrowError> {
    ActionColumn::new(rows)
        .text("path", |remove| Some(&remove.path))
        .long("deletionTimestamp", |remove| remove.deletion_timestamp)
        .flag("dataChange", |_| Some(false))
        .flag("extendedFileMetadata", |remove| remove.extended_file_metadata)
        .map("partitionValues", |remove| remove.partition_values.as_ref())?
        .long("size", |remove| remove.size.and_then(|size| i64::try_from(size).ok()))
        .finish()
}

fn metadata_column(rows: &[Option<&MetaData>]) -> Result<ArrayRef, ArrowError> {
    let formats: Vec<_> = rows.iter().map(|row| row.map(|metadata| &metadata.format)).collect();
    let format = ActionColumn::new(&formats)
        .text("provider", |format| Some(&format.provider))
        .map("options", |format| Some(&format.options))?
        .finish()?;
    ActionColumn::new(rows)
        .text("id", |metadata| Some(&metadata.id))
        .text("name", |metadata| metadata.name.as_deref())
        .text("description", |metadata| metadata.description.as_deref())
        .array("format", Arc::clone(&format))
        .text("schemaString", |metadata| Some(&metadata.schema_string))
        .texts("partitionColumns", |metadata| Some(&metadata.partition_columns))
        .map("configuration", |metadata| Some(&metadata.configuration))?
        .long("createdTime", |metadata| metadata.created_time)
        .finish()
}

fn protocol_column(rows: &[Option<&Protocol>]) -> Result<ArrayRef, ArrowError> {
    // Without the lists of features: only tables that have none are written here.
    ActionColumn::new(rows)
        .integer("minReaderVersion", |protocol| i32::try_from(protocol.min_reader_version).ok())
        .integer("minWriterVersion", |protocol| i32::try_from(protocol.min_writer_version).ok())
        .finish()
}
