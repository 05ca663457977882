//! The shell: reads and writes a table's log and files.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use uuid::Uuid;

use crate::action::{Action, Add, CommitInfo, Format, MetaData, Protocol, Remove, Txn};
use crate::commit::{Commit, CommitDecision, resolve};
use crate::error::DeltaError;
use crate::schema::schema_string;
use crate::snapshot::Snapshot;

const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;
/// Files of one commit that are on their way at the same time.
const UPLOADS_MAX: usize = 8;

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Committed {
        version: u64,
    },
    /// Another writer has covered these rows; nothing of ours is in the table.
    Refused(CommitDecision),
}

/// A table, as of its last refresh.
#[derive(Debug)]
pub struct Table {
    store: Arc<dyn ObjectStore>,
    root: Path,
    snapshot: Snapshot,
}

impl Table {
    /// Opens the table at `root`, or makes it. `schema` has the partition columns too.
    pub async fn open_or_create(
        store: Arc<dyn ObjectStore>,
        root: Path,
        schema: &Schema,
        partition_columns: &[&str],
        now_ms: i64,
    ) -> Result<Self, DeltaError> {
        let mut table = Self { store, root, snapshot: Snapshot::default() };
        table.refresh().await?;
        let schema_string = schema_string(schema)?;
        if table.snapshot.version.is_none() {
            let actions = creation(schema_string.clone(), partition_columns, now_ms);
            // Whoever loses the race reads what the winner wrote.
            table.put_log(0, &actions).await?;
            table.refresh().await?;
        }
        let (reader, writer) = table.snapshot.protocol;
        if reader > READER_VERSION || writer > WRITER_VERSION {
            return Err(DeltaError::Protocol { table: table.root.to_string(), reader, writer });
        }
        let found = table.snapshot.meta_data.as_ref().map(|meta_data| meta_data.schema_string.as_str());
        if found != Some(schema_string.as_str()) {
            return Err(DeltaError::Schema { table: table.root.to_string() });
        }
        Ok(table)
    }

    /// Opens a table that is there; `None` where it is not.
    pub async fn open(store: Arc<dyn ObjectStore>, root: Path) -> Result<Option<Self>, DeltaError> {
        let mut table = Self { store, root, snapshot: Snapshot::default() };
        table.refresh().await?;
        Ok(table.snapshot.version.is_some().then_some(table))
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Reads the commits that have come since.
    pub async fn refresh(&mut self) -> Result<(), DeltaError> {
        loop {
            let version = self.snapshot.version.map_or(0, |version| version + 1);
            let path = self.log_path(version);
            let bytes = match self.store.get(&path).await {
                Ok(found) => found.bytes().await.map_err(|source| store_error("read", &path, source))?,
                Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(source) => return Err(store_error("read", &path, source)),
            };
            let lines = serde_json::Deserializer::from_slice(&bytes).into_iter::<Action>();
            let actions: Result<Vec<_>, _> = lines.collect();
            let actions = actions.map_err(|source| DeltaError::Log { object: path.to_string(), source })?;
            self.snapshot.apply(version, actions);
        }
    }

    /// Writes the files, then the commit. A file whose commit is refused stays behind for a clean-up: it may be that
    /// only the answer was lost, so nothing is deleted here.
    pub async fn commit(&mut self, commit: &Commit, now_ms: i64) -> Result<Outcome, DeltaError> {
        let files: Vec<_> =
            commit.adds.iter().map(|file| (self.path(&file.path), file.bytes.clone())).collect();
        let store = &self.store;
        let uploads = files.into_iter().map(|(path, bytes)| async move {
            let put = store.put(&path, PutPayload::from_bytes(bytes)).await;
            put.map(|_| ()).map_err(|source| store_error("write", &path, source))
        });
        futures::stream::iter(uploads).buffer_unordered(UPLOADS_MAX).try_collect::<Vec<()>>().await?;

        let id = Uuid::new_v4().to_string();
        let actions = actions_of(commit, &id, now_ms);
        loop {
            let version = match resolve(&self.snapshot, &id, commit) {
                CommitDecision::Write { version } => version,
                CommitDecision::AlreadyCommitted => {
                    return Ok(Outcome::Committed { version: self.snapshot.version.unwrap_or(0) });
                }
                refused @ (CommitDecision::Conflict { .. } | CommitDecision::Replaced { .. }) => {
                    return Ok(Outcome::Refused(refused));
                }
            };
            // Whatever the answer was, the log tells what is there.
            let put = self.put_log(version, &actions).await;
            let before = self.snapshot.version;
            self.refresh().await?;
            if self.snapshot.version == before {
                put?;
            }
        }
    }

    /// Reads the rows of all live files, file by file, `columns` only.
    pub async fn each_batch<E: From<DeltaError>>(
        &self,
        columns: &[&str],
        mut each: impl FnMut(&RecordBatch, &BTreeMap<String, Option<String>>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (path, file) in &self.snapshot.files {
            for batch in self.read_file(path, columns).await? {
                each(&batch, &file.partition_values)?;
            }
        }
        Ok(())
    }

    async fn read_file(&self, path: &str, columns: &[&str]) -> Result<Vec<RecordBatch>, DeltaError> {
        let object = self.path(path);
        let failed = |source| store_error("read", &object, source);
        let bytes: Bytes = self.store.get(&object).await.map_err(failed)?.bytes().await.map_err(failed)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
        let mask = parquet::arrow::ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let reader = builder.with_projection(mask).build()?;
        reader.map(|batch| batch.map_err(DeltaError::from)).collect()
    }

    /// True where this call wrote the version, false where it was there.
    async fn put_log(&self, version: u64, actions: &[Action]) -> Result<bool, DeltaError> {
        let path = self.log_path(version);
        let mut bytes = Vec::new();
        for action in actions {
            serde_json::to_writer(&mut bytes, action)
                .map_err(|source| DeltaError::Log { object: path.to_string(), source })?;
            bytes.push(b'\n');
        }
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&path, bytes.into(), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(false)
            }
            Err(source) => Err(store_error("write", &path, source)),
        }
    }

    fn log_path(&self, version: u64) -> Path {
        self.path(&format!("_delta_log/{version:020}.json"))
    }

    fn path(&self, below: &str) -> Path {
        below.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }
}

fn store_error(action: &'static str, object: &Path, source: object_store::Error) -> DeltaError {
    DeltaError::Store { action, object: object.to_string(), source }
}

fn creation(schema_string: String, partition_columns: &[&str], now_ms: i64) -> Vec<Action> {
    let protocol = Protocol { min_reader_version: READER_VERSION, min_writer_version: WRITER_VERSION };
    let meta_data = MetaData {
        id: Uuid::new_v4().to_string(),
        format: Format { provider: "parquet".into(), options: BTreeMap::new() },
        schema_string,
        partition_columns: partition_columns.iter().map(|column| (*column).to_owned()).collect(),
        configuration: BTreeMap::new(),
        created_time: Some(now_ms),
    };
    vec![
        Action { protocol: Some(protocol), ..Action::default() },
        Action { meta_data: Some(meta_data), ..Action::default() },
    ]
}

fn actions_of(commit: &Commit, id: &str, now_ms: i64) -> Vec<Action> {
    let info = CommitInfo { timestamp: now_ms, operation: "WRITE".into(), txn_id: Some(id.to_owned()) };
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    for step in &commit.transactions {
        let txn = Txn { app_id: step.app_id.clone(), version: step.to, last_updated: Some(now_ms) };
        actions.push(Action { txn: Some(txn), ..Action::default() });
    }
    for path in &commit.removes {
        let remove = Remove { path: path.clone(), deletion_timestamp: Some(now_ms), data_change: true };
        actions.push(Action { remove: Some(remove), ..Action::default() });
    }
    for file in &commit.adds {
        let add = Add {
            path: file.path.clone(),
            partition_values: file.partition_values.clone(),
            size: file.bytes.len() as u64,
            modification_time: now_ms,
            data_change: true,
            stats: Some(format!("{{\"numRecords\":{}}}", file.rows)),
        };
        actions.push(Action { add: Some(add), ..Action::default() });
    }
    actions
}

/// The schema of the files: the table's without its partition columns, which are in the log.
pub fn file_schema(schema: &Schema, partition_columns: &[&str]) -> SchemaRef {
    let fields = schema.fields().iter().filter(|field| !partition_columns.contains(&field.name().as_str()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}
