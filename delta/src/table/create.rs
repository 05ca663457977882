//! Making a table, and giving it new columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::Schema;
use object_store::ObjectStore;
use object_store::path::Path;
use uuid::Uuid;

use super::commit::{Landed, Next};
use super::{CHECKPOINT_INTERVAL, Table};
use crate::action::{self, Action, CommitInfo, Format, MetaData, Protocol};
use crate::error::DeltaError;
use crate::log::{Log, PutError};
use crate::schema::{Misfit, fit, schema_string, with_columns};
use crate::snapshot::{READER_VERSION, Snapshot, WRITER_VERSION};

/// A store that neither takes the first commit nor shows another's.
const TRIES_MAX: usize = 3;

impl Table {
    /// Opens the table at `root`, or makes it. `schema` has the partition columns too. Columns of `schema` that the
    /// table lacks are added to it; they must be nullable. Columns of the table that `schema` lacks stay, and are null
    /// in this writer's rows.
    pub async fn open_or_create(
        store: Arc<dyn ObjectStore>,
        root: Path,
        schema: &Schema,
        partition_columns: &[&str],
        now_ms: i64,
    ) -> Result<Self, DeltaError> {
        let log = Log { store, root };
        let snapshot = match log.load().await? {
            Some(snapshot) => snapshot,
            None => create(&log, schema, partition_columns, now_ms).await?,
        };
        let columns = Some(Arc::new(schema.clone()));
        let mut table = Self { log, snapshot, columns, checkpoint_interval: None };
        table.check_writable()?;
        if table.snapshot.partition_columns() != partition_columns {
            return Err(DeltaError::Partitioning {
                table: table.name(),
                found: table.snapshot.partition_columns().to_vec(),
                wanted: partition_columns.iter().map(|column| (*column).to_owned()).collect(),
            });
        }
        table.evolve(schema, now_ms).await?;
        Ok(table)
    }

    async fn evolve(&mut self, schema: &Schema, now_ms: i64) -> Result<(), DeltaError> {
        let table = self.name();
        let misfit = |Misfit { column, why }| DeltaError::Column { table: table.clone(), column, why };
        if fit(schema, &self.snapshot.schema).map_err(misfit)?.is_empty() {
            return Ok(());
        }
        let id = Uuid::new_v4().to_string();
        let landed = self
            .land(&id, |snapshot, found_at| {
                let gained = fit(schema, &snapshot.schema).map_err(misfit)?;
                if found_at.is_some() || gained.is_empty() {
                    return Ok(Next::Stop(()));
                }
                let metadata = &snapshot.metadata;
                let schema_string = with_columns(&metadata.schema_string, &gained)?;
                let info = info("ADD COLUMNS", &id, snapshot.version, now_ms);
                let metadata = MetaData { schema_string, ..metadata.clone() };
                let actions = vec![Action::commit_info(info), Action::meta_data(metadata)];
                Ok(Next::Write { version: snapshot.version + 1, actions })
            })
            .await?;
        match landed {
            Landed::Written { .. } | Landed::Stopped(()) => Ok(()),
        }
    }
}

async fn create(
    log: &Log,
    schema: &Schema,
    partition_columns: &[&str],
    now_ms: i64,
) -> Result<Snapshot, DeltaError> {
    for column in partition_columns {
        if schema.field_with_name(column).is_err() {
            return Err(DeltaError::NoColumn { table: log.root.to_string(), column: (*column).to_owned() });
        }
    }
    let actions = creation(schema, partition_columns, now_ms)?;
    let bytes = action::encode(&actions);
    let mut last = None;
    for _ in 0..TRIES_MAX {
        match log.put_commit(0, bytes.clone().into()).await {
            Ok(()) => return Snapshot::new(0, actions).map_err(|why| DeltaError::damaged(&log.root, why)),
            Err(PutError::Refused(source)) => {
                return Err(DeltaError::store("create the table", &log.root, source));
            }
            // Whoever lost the race, or the answer, reads what is there.
            Err(PutError::Taken(source) | PutError::Unknown(source)) => {
                if let Some(snapshot) = log.load().await? {
                    return Ok(snapshot);
                }
                last = Some(source);
            }
        }
    }
    let source = last.expect("each try that comes here has left its error");
    Err(DeltaError::store("create the table", &log.root, source))
}

fn creation(schema: &Schema, partition_columns: &[&str], now_ms: i64) -> Result<Vec<Action>, DeltaError> {
    let protocol = Protocol {
        min_reader_version: READER_VERSION,
        min_writer_version: WRITER_VERSION,
        reader_features: None,
        writer_features: None,
    };
    let interval = ("delta.checkpointInterval".to_owned(), CHECKPOINT_INTERVAL.to_string());
    let meta_data = MetaData {
        id: Uuid::new_v4().to_string(),
        name: None,
        description: None,
        format: Format { provider: "parquet".into(), options: BTreeMap::new() },
        schema_string: schema_string(schema)?,
        partition_columns: partition_columns.iter().map(|column| (*column).to_owned()).collect(),
        configuration: BTreeMap::from([interval]),
        created_time: Some(now_ms),
    };
    let info = CommitInfo {
        read_version: None,
        is_blind_append: Some(true),
        ..info("CREATE TABLE", &Uuid::new_v4().to_string(), 0, now_ms)
    };
    Ok(vec![Action::commit_info(info), Action::protocol(protocol), Action::meta_data(meta_data)])
}

pub(super) fn info(operation: &str, id: &str, read_version: u64, now_ms: i64) -> CommitInfo {
    CommitInfo {
        timestamp: Some(now_ms),
        operation: Some(operation.to_owned()),
        operation_parameters: BTreeMap::new(),
        read_version: Some(read_version),
        is_blind_append: Some(false),
        engine_info: Some(concat!("ufo-delta/", env!("CARGO_PKG_VERSION")).to_owned()),
        txn_id: Some(id.to_owned()),
    }
}
