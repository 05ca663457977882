//! What nobody needs any more goes: data files that no version within the retention names, and the log behind a
//! checkpoint of that age.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::error::DeltaError;
use crate::log::name::LogFile;
use crate::path;
use crate::snapshot::Snapshot;
use crate::table::Table;

/// A writer uploads a file, then commits it; a reader reads a file after another writer has replaced it. Both are over
/// long before, even when a process is frozen for a while.
const RETENTION_MIN: Duration = Duration::from_secs(3_600);

/// What to clean up.
#[derive(Clone, Copy, Debug)]
pub struct Vacuum {
    /// Files are kept for so long after they were written or removed. Longer than a writer can be frozen between
    /// upload and commit, and than a reader reads.
    pub retention: Duration,
    /// Only tell.
    pub dry_run: bool,
    /// Nobody writes to or reads from the table: allows a retention of less than an hour.
    pub is_alone: bool,
}

impl Default for Vacuum {
    fn default() -> Self {
        Self { retention: Duration::from_secs(7 * 24 * 3_600), dry_run: false, is_alone: false }
    }
}

/// What was cleaned up, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    pub data_files: Vec<Path>,
    pub log_files: Vec<Path>,
    pub bytes: u64,
}

/// Which data files go: what is young stays, what the table names stays, and what it named stays until its removal is
/// old.
pub(crate) fn plan_data(
    listed: &[ObjectMeta],
    root: &Path,
    snapshot: &Snapshot,
    cutoff_ms: i64,
) -> Vec<ObjectMeta> {
    let live = snapshot.files.keys().map(|path| path::object(root, path).ok()).collect::<Vec<_>>();
    // A name that is not understood may be any of the files.
    if live.iter().any(Option::is_none) {
        return Vec::new();
    }
    let live: std::collections::BTreeSet<Path> = live.into_iter().flatten().collect();
    let removed: std::collections::BTreeMap<Path, i64> = snapshot
        .tombstones
        .values()
        .filter_map(|remove| Some((path::object(root, &remove.path).ok()?, remove.deletion_timestamp?)))
        .collect();
    let is_due = |meta: &&ObjectMeta| {
        let is_young = meta.last_modified.timestamp_millis() > cutoff_ms;
        let is_just_removed = removed.get(&meta.location).is_some_and(|at_ms| *at_ms > cutoff_ms);
        is_data_file(root, &meta.location) && !is_young && !is_just_removed && !live.contains(&meta.location)
    };
    listed.iter().filter(is_due).cloned().collect()
}

/// Parquet files outside hidden folders; the rest is not ours to judge.
fn is_data_file(root: &Path, object: &Path) -> bool {
    let Some(name) = path::below(root, object) else { return false };
    let is_hidden = |part: &str| part.starts_with('.') || (part.starts_with('_') && !part.contains('='));
    name.ends_with(".parquet") && !name.split('/').any(is_hidden)
}

/// Which objects of the log go: all before the newest checkpoint that is old. The versions from there on can still be
/// rebuilt, and a writer that has read the table within the retention finds the commit that follows.
pub(crate) fn plan_log(
    listed: &[(LogFile, ObjectMeta)],
    last_checkpoint: Option<u64>,
    cutoff_ms: i64,
) -> Vec<ObjectMeta> {
    let is_old = |meta: &ObjectMeta| meta.last_modified.timestamp_millis() <= cutoff_ms;
    let checkpoints = listed.iter().filter_map(|(file, meta)| match file {
        LogFile::Checkpoint(version) if is_old(meta) => Some(*version),
        LogFile::Checkpoint(_) | LogFile::Commit(_) | LogFile::Other(_) => None,
    });
    // Readers and late writers find the way through the pointer alone.
    let Some(kept_from) = checkpoints.filter(|version| last_checkpoint >= Some(*version)).max() else {
        return Vec::new();
    };
    let mut due: Vec<_> = listed.iter().filter(|(file, _)| file.version() < kept_from).collect();
    // From the beginning on: a clean-up that is cut short leaves no hole.
    due.sort_by_key(|(file, _)| file.version());
    due.into_iter().map(|(_, meta)| meta.clone()).collect()
}

impl Table {
    /// Cleans up, beside running writers and readers.
    pub async fn vacuum(&mut self, options: Vacuum, now_ms: i64) -> Result<Vacuumed, DeltaError> {
        if options.retention < RETENTION_MIN && !options.is_alone {
            let retention_min_s = RETENTION_MIN.as_secs();
            return Err(DeltaError::Retention { table: self.root().to_string(), retention_min_s });
        }
        let retention_ms = i64::try_from(options.retention.as_millis()).unwrap_or(i64::MAX);
        let cutoff_ms = now_ms.saturating_sub(retention_ms);
        // First the listing, then the table: a file whose commit comes in between is known.
        let root = self.root().clone();
        let store = self.log().store.clone();
        let listed: Vec<_> = store
            .list(Some(&root))
            .try_collect()
            .await
            .map_err(|source| DeltaError::store("list", &root, source))?;
        self.refresh().await?;
        self.check_writable()?;
        let data = plan_data(&listed, &root, self.snapshot(), cutoff_ms);
        let last = self.log().last_checkpoint().await?;
        let log = plan_log(&self.log().list().await?, last.map(|last| last.version), cutoff_ms);
        let bytes = data.iter().chain(&log).map(|meta| meta.size).sum();
        let names = |files: Vec<ObjectMeta>| files.into_iter().map(|meta| meta.location).collect::<Vec<_>>();
        let done = Vacuumed { data_files: names(data), log_files: names(log), bytes };
        if !options.dry_run {
            self.delete(done.data_files.clone()).await?;
            self.delete(done.log_files.clone()).await?;
        }
        Ok(done)
    }

    async fn delete(&self, objects: Vec<Path>) -> Result<(), DeltaError> {
        let objects = futures::stream::iter(objects.into_iter().map(Ok)).boxed();
        let mut deleted = self.log().store.delete_stream(objects);
        while let Some(result) = deleted.next().await {
            match result {
                // Another clean-up was first.
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(DeltaError::store("clean up", self.root(), source)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::name;
    use crate::snapshot::tests::{add, creation, remove};

    fn meta(location: &str, at_ms: i64) -> ObjectMeta {
        let mut meta = ObjectMeta {
            location: Path::from(location),
            last_modified: Default::default(),
            size: 1,
            e_tag: None,
            version: None,
        };
        meta.last_modified += Duration::from_millis(at_ms.unsigned_abs());
        meta
    }

    #[test]
    fn only_what_is_old_and_unnamed_goes() {
        let mut actions = creation();
        actions.extend([add("live.parquet"), remove("old.parquet", 100), remove("new.parquet", 900)]);
        let snapshot = Snapshot::new(0, actions).expect("replays");
        let listed = [
            meta("t/live.parquet", 1),
            meta("t/old.parquet", 1),
            meta("t/new.parquet", 1),
            meta("t/orphan.parquet", 1),
            meta("t/uploading.parquet", 600),
            meta("t/year=2014/orphan.parquet", 1),
            meta("t/_hidden/x.parquet", 1),
            meta("t/_delta_log/00000000000000000000.checkpoint.parquet", 1),
            meta("t/notes.txt", 1),
            meta("table-beside/x.parquet", 1),
        ];
        let due = plan_data(&listed, &Path::from("t"), &snapshot, 500);
        let due: Vec<_> = due.iter().map(|meta| meta.location.as_ref()).collect();
        assert_eq!(due, ["t/old.parquet", "t/orphan.parquet", "t/year=2014/orphan.parquet"]);
    }

    #[test]
    fn the_log_is_kept_from_an_old_checkpoint_on() {
        let listed: Vec<_> = (0..=30)
            .map(|version| {
                (LogFile::Commit(version), meta(&name::commit(version), 10 * version.cast_signed()))
            })
            .chain([10, 20, 30].map(|version| {
                (LogFile::Checkpoint(version), meta(&name::checkpoint(version), 10 * version.cast_signed()))
            }))
            .collect();
        let due = |last, cutoff_ms| {
            plan_log(&listed, last, cutoff_ms)
                .iter()
                .map(|meta| meta.location.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(due(Some(30), 99), Vec::<String>::new());
        assert_eq!(due(Some(30), 150), (0..10).map(name::commit).collect::<Vec<_>>());
        assert_eq!(due(Some(30), 250).len(), 21);
        assert_eq!(due(Some(30), 250).first(), Some(&name::commit(0)));
        // The pointer does not reach them: nobody would find the way.
        assert_eq!(due(None, 250), Vec::<String>::new());
        assert_eq!(due(Some(10), 250).len(), 10);
    }
}
