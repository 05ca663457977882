//! The shell: a table in its store, as of its last refresh.

mod commit;
mod create;
mod read;
mod upload;

use std::sync::Arc;

use arrow_schema::SchemaRef;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::commit::Refusal;
use crate::error::DeltaError;
use crate::log::Log;
use crate::schema::column_with_duties;
use crate::snapshot::{READER_VERSION, Snapshot, WRITER_VERSION};
pub(crate) use commit::Purpose;
pub use read::Reader;
pub use upload::FileWriter;

/// Commits between two checkpoints, where the table does not say otherwise: a reader then replays at most so many.
const CHECKPOINT_INTERVAL: u64 = 20;

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Committed {
        version: u64,
    },
    /// Nothing of ours is in the table, and nothing will be.
    Refused(Refusal),
}

/// A table, as of its last refresh.
#[derive(Debug)]
pub struct Table {
    log: Log,
    snapshot: Snapshot,
    /// The columns that this writer's rows have; `None` for one that takes the table's.
    columns: Option<SchemaRef>,
    checkpoint_interval: Option<u64>,
}

/// What a refresh has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Same,
    Advanced,
    /// The commits in between are cleaned up: the table was read anew, and they were not seen.
    Reloaded,
}

impl Table {
    /// Opens a table that is there; `None` where it is not.
    pub async fn open(store: Arc<dyn ObjectStore>, root: Path) -> Result<Option<Self>, DeltaError> {
        let log = Log { store, root };
        let Some(snapshot) = log.load().await? else { return Ok(None) };
        let table = Self { log, snapshot, columns: None, checkpoint_interval: None };
        table.check_readable()?;
        Ok(Some(table))
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub fn root(&self) -> &Path {
        &self.log.root
    }

    /// Writes a checkpoint every so many commits, whatever the table's `delta.checkpointInterval` says.
    pub fn set_checkpoint_interval(&mut self, commits: u64) {
        self.checkpoint_interval = Some(commits.max(1));
    }

    /// Reads the commits that have come since.
    pub async fn refresh(&mut self) -> Result<(), DeltaError> {
        self.catch_up(None, &mut None).await.map(|_| ())
    }

    /// Reads the commits that have come since, and notes in which of them `id` was.
    async fn catch_up(
        &mut self,
        id: Option<&str>,
        found_at: &mut Option<u64>,
    ) -> Result<Freshness, DeltaError> {
        let before = self.snapshot.version;
        let note = |version: u64, actions: &[crate::action::Action]| {
            let mut ids = actions.iter().filter_map(|action| action.commit_info.as_ref()?.txn_id.as_deref());
            if id.is_some_and(|id| ids.any(|found| found == id)) {
                *found_at = Some(version);
            }
        };
        self.log.follow(&mut self.snapshot, note).await?;
        let freshness = match self.snapshot.version {
            version if version != before => Freshness::Advanced,
            version if self.is_cleaned_up_behind(version).await? => self.reload().await?,
            _ => Freshness::Same,
        };
        if freshness != Freshness::Same {
            self.check_readable()?;
        }
        Ok(freshness)
    }

    /// True where the log goes on behind commits that are no longer there: without this, a writer that slept through a
    /// clean-up would take the place of an old commit for the end of the log.
    async fn is_cleaned_up_behind(&self, version: u64) -> Result<bool, DeltaError> {
        Ok(self.log.last_checkpoint().await?.is_some_and(|last| last.version > version))
    }

    async fn reload(&mut self) -> Result<Freshness, DeltaError> {
        let snapshot = self.log.load().await?;
        self.snapshot = snapshot.ok_or_else(|| DeltaError::damaged(&self.log.root, "its log is gone"))?;
        Ok(Freshness::Reloaded)
    }

    fn name(&self) -> String {
        self.log.root.to_string()
    }

    fn protocol_error(&self, role: &'static str) -> DeltaError {
        let protocol = &self.snapshot.protocol;
        let features = [&protocol.reader_features, &protocol.writer_features];
        DeltaError::Protocol {
            table: self.name(),
            role,
            reader: protocol.min_reader_version,
            writer: protocol.min_writer_version,
            features: features.into_iter().flatten().flatten().cloned().collect(),
        }
    }

    fn check_readable(&self) -> Result<(), DeltaError> {
        let is_known = self.snapshot.protocol.min_reader_version <= READER_VERSION;
        if is_known { Ok(()) } else { Err(self.protocol_error("reader")) }
    }

    pub(crate) fn check_writable(&self) -> Result<(), DeltaError> {
        self.check_readable()?;
        if self.snapshot.protocol.min_writer_version > WRITER_VERSION {
            return Err(self.protocol_error("writer"));
        }
        match column_with_duties(&self.snapshot.metadata.schema_string) {
            Some(column) => Err(DeltaError::Unsupported {
                table: self.name(),
                what: format!("rules for the column {column}"),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    fn is_checkpoint_due(&self) -> bool {
        let of_table = || self.snapshot.property("delta.checkpointInterval")?.parse().ok();
        let interval = self.checkpoint_interval.or_else(of_table).unwrap_or(CHECKPOINT_INTERVAL);
        self.snapshot.version > 0 && self.snapshot.version.is_multiple_of(interval.max(1))
    }

    /// Writes a checkpoint of the table as it is here.
    pub async fn checkpoint(&self, now_ms: i64) -> Result<(), DeltaError> {
        self.check_writable()?;
        self.log.put_checkpoint(&self.snapshot, now_ms).await
    }
}
