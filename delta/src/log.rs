//! The log in its store: reading and writing of single objects, and of where to begin.

pub(crate) mod name;

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};

use crate::action::{self, Action};
use crate::checkpoint;
use crate::error::DeltaError;
use crate::snapshot::Snapshot;
use name::LogFile;

/// A reader that meets a clean-up of the log begins again; more often than this something else is wrong.
const LOADS_MAX: usize = 5;

/// The pointer to a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastCheckpoint {
    pub(crate) version: u64,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size_in_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) num_of_add_files: Option<u64>,
}

/// A commit's request was answered with this.
#[derive(Debug)]
pub(crate) enum PutError {
    /// The version is there already: another writer's, or ours by an earlier try of the same request.
    Taken(object_store::Error),
    /// It may have landed, or may still do so.
    Unknown(object_store::Error),
    /// It was turned down.
    Refused(object_store::Error),
}

/// A table's log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) root: Path,
}

impl Log {
    pub(crate) fn object(&self, name: &str) -> Path {
        self.root.clone().join(name::FOLDER).join(name)
    }

    async fn get(&self, object: &Path) -> Result<Option<Bytes>, DeltaError> {
        let failed = |source| DeltaError::store("read", object, source);
        match self.store.get(object).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// The commit of a version; `None` where there is none.
    pub(crate) async fn commit(&self, version: u64) -> Result<Option<Vec<Action>>, DeltaError> {
        let object = self.object(&name::commit(version));
        let bytes = self.get(&object).await?;
        bytes.map(|bytes| action::decode(&bytes, &object)).transpose()
    }

    /// Writes a version, unless it is there.
    pub(crate) async fn put_commit(&self, version: u64, bytes: Bytes) -> Result<(), PutError> {
        use object_store::Error;
        let object = self.object(&name::commit(version));
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&object, bytes.into(), options).await.map(|_| ()).map_err(|error| match error {
            Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. } => {
                PutError::Taken(error)
            }
            Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotFound { .. }
            | Error::NotImplemented { .. }
            | Error::NotSupported { .. }
            | Error::InvalidPath { .. }
            | Error::UnknownConfigurationKey { .. } => PutError::Refused(error),
            _ => PutError::Unknown(error),
        })
    }

    /// The newest checkpoint that the log points to. An unreadable pointer is none: it only saves the way.
    pub(crate) async fn last_checkpoint(&self) -> Result<Option<LastCheckpoint>, DeltaError> {
        let bytes = self.get(&self.object(name::LAST_CHECKPOINT)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) async fn put_checkpoint(&self, snapshot: &Snapshot, now_ms: i64) -> Result<(), DeltaError> {
        let encoded = checkpoint::encode(snapshot, now_ms)?;
        let last = LastCheckpoint {
            version: snapshot.version,
            size: encoded.actions,
            parts: None,
            size_in_bytes: Some(encoded.bytes.len() as u64),
            num_of_add_files: Some(snapshot.files.len() as u64),
        };
        let object = self.object(&name::checkpoint(snapshot.version));
        // Two writers of the same version's checkpoint write the same state, so the later one may win.
        let put = self.store.put(&object, encoded.bytes.into()).await;
        put.map_err(|source| DeltaError::store("write", &object, source))?;
        // The pointer comes last: it must never name what is not there. It must not go back either.
        if self.last_checkpoint().await?.is_some_and(|found| found.version >= last.version) {
            return Ok(());
        }
        let object = self.object(name::LAST_CHECKPOINT);
        let bytes = serde_json::to_vec(&last).map_err(|error| DeltaError::damaged(&object, error))?;
        let put = self.store.put(&object, bytes.into()).await;
        put.map(|_| ()).map_err(|source| DeltaError::store("write", &object, source))
    }

    /// All objects of the log that belong to a version.
    pub(crate) async fn list(&self) -> Result<Vec<(LogFile, ObjectMeta)>, DeltaError> {
        let folder = self.root.clone().join(name::FOLDER);
        let listed: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|source| DeltaError::store("list", &folder, source))?;
        let file = |meta: ObjectMeta| Some((LogFile::parse(meta.location.filename()?)?, meta));
        Ok(listed.into_iter().filter_map(file).collect())
    }

    /// The table as it is now; `None` where there is none.
    pub(crate) async fn load(&self) -> Result<Option<Snapshot>, DeltaError> {
        for _ in 0..LOADS_MAX {
            if let Some(mut snapshot) = self.begin().await? {
                self.follow(&mut snapshot, |_, _| {}).await?;
                return Ok(Some(snapshot));
            }
            // Nothing to begin with: no table, a log that others clean up at this moment, or checkpoints of a kind
            // that we do not read.
            let listed = self.list().await?;
            let Some(oldest) = listed.iter().map(|(file, _)| file.version()).min() else { return Ok(None) };
            let has_start = |file: LogFile| matches!(file, LogFile::Checkpoint(_) | LogFile::Commit(0));
            if !listed.iter().any(|(file, _)| has_start(*file)) {
                let what = format!("a log that begins at version {oldest} without a checkpoint of one file");
                return Err(DeltaError::Unsupported { table: self.root.to_string(), what });
            }
        }
        Err(DeltaError::damaged(&self.object(""), "its checkpoints come and go"))
    }

    /// The oldest state to begin with that is near: a checkpoint, or the first commit.
    async fn begin(&self) -> Result<Option<Snapshot>, DeltaError> {
        if let Some(last) = self.last_checkpoint().await?
            && let Some(snapshot) = self.checkpoint(last.version).await?
        {
            return Ok(Some(snapshot));
        }
        if let Some(actions) = self.commit(0).await? {
            let snapshot = Snapshot::new(0, actions);
            return snapshot
                .map(Some)
                .map_err(|why| DeltaError::damaged(&self.object(&name::commit(0)), why));
        }
        let newest = self.list().await?.into_iter().filter_map(|(file, _)| match file {
            LogFile::Checkpoint(version) => Some(version),
            LogFile::Commit(_) | LogFile::Other(_) => None,
        });
        match newest.max() {
            Some(version) => self.checkpoint(version).await,
            None => Ok(None),
        }
    }

    async fn checkpoint(&self, version: u64) -> Result<Option<Snapshot>, DeltaError> {
        let object = self.object(&name::checkpoint(version));
        let Some(bytes) = self.get(&object).await? else { return Ok(None) };
        let snapshot = checkpoint::decode(bytes).and_then(|actions| Snapshot::new(version, actions));
        snapshot.map(Some).map_err(|why| DeltaError::damaged(&object, why))
    }

    /// Replays the commits that have come since; `each` sees them.
    pub(crate) async fn follow(
        &self,
        snapshot: &mut Snapshot,
        mut each: impl FnMut(u64, &[Action]),
    ) -> Result<(), DeltaError> {
        loop {
            let version = snapshot.version + 1;
            let Some(actions) = self.commit(version).await? else { return Ok(()) };
            each(version, &actions);
            let applied = snapshot.apply(version, actions);
            applied.map_err(|why| DeltaError::damaged(&self.object(&name::commit(version)), why))?;
        }
    }
}
