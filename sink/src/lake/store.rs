//! The shell: a table, and what is on its way to it while its reader reads on.

use std::sync::Arc;

use arrow_schema::Schema;
use delta::{Commit, DataFile, DeltaError, Outcome, Refusal, Table, Transaction};
use service::clock;
use tokio::runtime::Handle;
use tokio::sync::{RwLock, Semaphore};
use tokio::task::JoinHandle;

use super::metrics::TableMetrics;
use super::{LakeError, LakeSettings};

const KIB: usize = 1024;

/// What became of a commit that its reader has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landed {
    Committed {
        version: u64,
    },
    /// The table is somewhere else than thought: what is collected must be dropped and read again from where it is.
    Moved,
}

/// A table as one reader's: its files go up in the background, one commit at a time.
pub(super) struct TableStore {
    io: Handle,
    name: String,
    metrics: TableMetrics,
    table: Arc<RwLock<Table>>,
    /// KiB that may be on their way.
    room: Arc<Semaphore>,
    room_kib: u32,
    uploads: Vec<JoinHandle<Result<DataFile, DeltaError>>>,
    flight: Option<JoinHandle<Result<Outcome, DeltaError>>>,
}

impl TableStore {
    /// Opens the table, or makes it. `upload_bytes` is how much may be on its way at a time.
    pub(super) fn open(
        io: &Handle,
        settings: &LakeSettings,
        name: String,
        schema: &Schema,
        partition_columns: &[&str],
        upload_bytes: usize,
    ) -> Result<Self, LakeError> {
        let (store, root) = (settings.lake.store.clone(), settings.lake.table(&name));
        let opening = Table::open_or_create(store, root, schema, partition_columns, clock::unix_ms());
        let table = Arc::new(RwLock::new(io.block_on(opening)?));
        let room_kib = u32::try_from(upload_bytes / KIB).unwrap_or(u32::MAX).max(1);
        let room = Arc::new(Semaphore::new(room_kib as usize));
        let (io, metrics) = (io.clone(), settings.metrics.of(&name));
        Ok(Self { io, name, metrics, table, room, room_kib, uploads: Vec::new(), flight: None })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A look at the table as it was last read.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table.blocking_read())
    }

    pub(super) fn transaction(&self, app_id: &str) -> Option<i64> {
        self.look(|table| table.snapshot().transaction(app_id))
    }

    pub(super) fn refresh(&mut self) -> Result<(), LakeError> {
        Ok(self.io.block_on(async { self.table.write().await.refresh().await })?)
    }

    /// Sends a file up for the next commit. Waits where too much is on its way already.
    pub(super) fn upload(&mut self, mut file: DataFile) {
        let kib = usize::try_from(file.size).unwrap_or(usize::MAX) / KIB + 1;
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(self.room_kib);
        let permit = self.io.block_on(self.room.clone().acquire_many_owned(kib));
        let table = self.table.clone();
        self.uploads.push(self.io.spawn(async move {
            table.read().await.upload(&mut file).await?;
            drop(permit);
            Ok(file)
        }));
    }

    /// Commits what was sent up since the last call, together with the offsets that it covers. The commit before must
    /// have been waited for.
    pub(super) fn commit(&mut self, removes: Vec<String>, transactions: Vec<Transaction>) {
        debug_assert!(self.flight.is_none(), "one commit at a time");
        let (table, uploads) = (self.table.clone(), std::mem::take(&mut self.uploads));
        let metrics = self.metrics.clone();
        self.flight = Some(self.io.spawn(async move {
            let mut adds = Vec::with_capacity(uploads.len());
            for upload in uploads {
                adds.push(joined(upload.await)?);
            }
            let begun = clock::now();
            let (rows, files) = (adds.iter().map(|add| add.rows).sum::<u64>(), adds.len() as u64);
            let commit = Commit { adds, removes, transactions };
            let outcome = table.write().await.commit(&commit, clock::unix_ms()).await;
            if let Ok(Outcome::Committed { .. }) = outcome {
                metrics.rows.inc_by(rows);
                metrics.files.inc_by(files);
                metrics.committed.inc();
                metrics.commit.observe(begun.elapsed().as_secs_f64());
            } else {
                metrics.refused.inc();
            }
            outcome
        }));
    }

    /// Whether a commit is on its way and not there yet.
    pub(super) fn is_busy(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| !flight.is_finished())
    }

    /// Waits for the commit that is on its way; `None` where there is none.
    pub(super) fn wait(&mut self) -> Result<Option<Landed>, LakeError> {
        let Some(flight) = self.flight.take() else { return Ok(None) };
        match joined(self.io.block_on(flight)) {
            Ok(Outcome::Committed { version }) => Ok(Some(Landed::Committed { version })),
            Ok(Outcome::Refused(refusal @ (Refusal::Conflict { .. } | Refusal::Replaced { .. }))) => {
                tracing::warn!(
                    table = self.name,
                    ?refusal,
                    "another sink was first: going on from the table"
                );
                Ok(Some(Landed::Moved))
            }
            Ok(Outcome::Refused(refusal @ (Refusal::SchemaChanged(_) | Refusal::AppendOnly))) => {
                Err(LakeError::Changed { table: self.name.clone(), refusal })
            }
            // It may still land: nothing is known but what the table itself says from now on.
            Err(error @ DeltaError::InDoubt { .. }) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    table = self.name,
                    error,
                    "a commit was not answered: going on from the table"
                );
                Ok(Some(Landed::Moved))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Lets go of the files that no commit has taken. They stay in the store until a clean-up: their uploads may
    /// still be under way.
    pub(super) fn forget_uploads(&mut self) {
        self.uploads.clear();
    }
}

fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> T {
    ended.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Only the runtime's end cancels, and it ends after its tasks.
        Err(error) => unreachable!("a request was cancelled: {error}"),
    })
}
