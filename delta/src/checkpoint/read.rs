//! Checkpoint → actions. Other engines' checkpoints have more columns, and lack some: what is absent is null.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use crate::action::{Action, Add, Format, MetaData, Protocol, Remove, Txn};

const ACTIONS: [&str; 5] = ["txn", "add", "remove", "metaData", "protocol"];

/// The actions of a checkpoint; the error says what is wrong with it.
pub(crate) fn decode(bytes: Bytes) -> Result<Vec<Action>, String> {
    // Plain types, whatever the writer's Arrow preferred.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)
        .map_err(|error| error.to_string())?;
    let roots: Vec<_> = builder
        .parquet_schema()
        .root_schema()
        .get_fields()
        .iter()
        .enumerate()
        .filter_map(|(index, field)| ACTIONS.contains(&field.name()).then_some(index))
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).build().map_err(|error| error.to_string())?;
    let mut actions = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        for row in 0..batch.num_rows() {
            actions.extend(action(&batch, row)?);
        }
    }
    Ok(actions)
}

fn action(batch: &RecordBatch, row: usize) -> Result<Option<Action>, String> {
    let there = |name: &str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_struct_opt());
        column.filter(|column| column.is_valid(row)).map(|column| Row { column, row })
    };
    let action = if let Some(found) = there("add") {
        Action::add(Add {
            path: found.required("path")?,
            partition_values: found.map("partitionValues").unwrap_or_default(),
            size: found.unsigned("size").ok_or("a file has no size")?,
            modification_time: found.long("modificationTime").unwrap_or(0),
            data_change: false,
            stats: found.text("stats"),
            tags: found.map("tags"),
        })
    } else if let Some(found) = there("remove") {
        Action::remove(Remove {
            path: found.required("path")?,
            deletion_timestamp: found.long("deletionTimestamp"),
            data_change: false,
            extended_file_metadata: found.flag("extendedFileMetadata"),
            partition_values: found.map("partitionValues"),
            size: found.unsigned("size"),
        })
    } else if let Some(found) = there("txn") {
        Action::txn(Txn {
            app_id: found.required("appId")?,
            version: found.long("version").ok_or("an application has no version")?,
            last_updated: found.long("lastUpdated"),
        })
    } else if let Some(found) = there("metaData") {
        Action::meta_data(meta_data(&found)?)
    } else if let Some(found) = there("protocol") {
        let version = |name: &str| found.integer(name).and_then(|version| u32::try_from(version).ok());
        Action::protocol(Protocol {
            min_reader_version: version("minReaderVersion").ok_or("the protocol has no reader version")?,
            min_writer_version: version("minWriterVersion").ok_or("the protocol has no writer version")?,
            reader_features: found.texts("readerFeatures"),
            writer_features: found.texts("writerFeatures"),
        })
    } else {
        return Ok(None);
    };
    Ok(Some(action))
}

fn meta_data(found: &Row<'_>) -> Result<MetaData, String> {
    let flat = |map: BTreeMap<String, Option<String>>| {
        map.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    };
    let format = found.array("format", |data_type| matches!(data_type, DataType::Struct(_)));
    let format = format.map(|format| Row { column: format.as_struct(), row: found.row });
    Ok(MetaData {
        id: found.required("id")?,
        name: found.text("name"),
        description: found.text("description"),
        format: Format {
            provider: format
                .as_ref()
                .and_then(|format| format.text("provider"))
                .unwrap_or_else(|| "parquet".into()),
            options: format.and_then(|format| format.map("options")).map(flat).unwrap_or_default(),
        },
        schema_string: found.required("schemaString")?,
        partition_columns: found.texts("partitionColumns").unwrap_or_default(),
        configuration: found.map("configuration").map(flat).unwrap_or_default(),
        created_time: found.long("createdTime"),
    })
}

/// One action: a row of its column.
struct Row<'a> {
    column: &'a StructArray,
    row: usize,
}

impl<'a> Row<'a> {
    /// The field, where it is of the type and not null.
    fn array(&self, name: &str, is_of_type: impl Fn(&DataType) -> bool) -> Option<&'a ArrayRef> {
        let array = self.column.column_by_name(name)?;
        (is_of_type(array.data_type()) && array.is_valid(self.row)).then_some(array)
    }

    fn text(&self, name: &str) -> Option<String> {
        let array = self.array(name, |data_type| *data_type == DataType::Utf8)?;
        Some(array.as_string::<i32>().value(self.row).to_owned())
    }

    fn required(&self, name: &str) -> Result<String, String> {
        self.text(name).ok_or_else(|| format!("an action has no {name}"))
    }

    fn long(&self, name: &str) -> Option<i64> {
        let array = self.array(name, |data_type| *data_type == DataType::Int64)?;
        Some(array.as_primitive::<Int64Type>().value(self.row))
    }

    fn unsigned(&self, name: &str) -> Option<u64> {
        u64::try_from(self.long(name)?).ok()
    }

    fn integer(&self, name: &str) -> Option<i32> {
        let array = self.array(name, |data_type| *data_type == DataType::Int32)?;
        Some(array.as_primitive::<Int32Type>().value(self.row))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let array = self.array(name, |data_type| *data_type == DataType::Boolean)?;
        Some(array.as_boolean().value(self.row))
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let array = self.array(name, |data_type| matches!(data_type, DataType::List(_)))?;
        let values = array.as_list::<i32>().value(self.row);
        Some(values.as_string_opt::<i32>()?.iter().flatten().map(str::to_owned).collect())
    }

    fn map(&self, name: &str) -> Option<BTreeMap<String, Option<String>>> {
        let array = self.array(name, |data_type| matches!(data_type, DataType::Map(_, _)))?;
        let entries = array.as_map().value(self.row);
        let keys = entries.column(0).as_string_opt::<i32>()?.iter();
        let values = entries.column(1).as_string_opt::<i32>()?.iter();
        Some(
            keys.zip(values)
                .filter_map(|(key, value)| Some((key?.to_owned(), value.map(str::to_owned))))
                .collect(),
        )
    }
}
