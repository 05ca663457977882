//! State on disk (fjall): one database a process, one keyspace a task. Nothing is synced while a task works: its state
//! counts only when it was closed, and is restored from the changelog otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::config::PinningPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::StateError;
use crate::record::{NextOffset, Partition};

/// The keyspace of the checkpoints: by task, the keyspace that is whole, the input's position, and the stage's note.
const CHECKPOINTS: &str = "checkpoints";

const CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Changes of one task that are not yet in tables.
const MEMTABLE_BYTES: u64 = 4 * 1024 * 1024;
const JOURNAL_BYTES: u64 = 256 * 1024 * 1024;
/// So many entries of a changelog are written at once.
const RESTORED_MAX: usize = 16 * 1024;

/// The state of all tasks of one process and application. Cloning gives another handle.
#[derive(Clone)]
pub struct DiskStores(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    database: Database,
    checkpoints: Keyspace,
    keyspaces: AtomicU64,
}

impl std::fmt::Debug for DiskStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DiskStores").field(&self.0.folder).finish()
    }
}

impl DiskStores {
    /// Opens a folder that no other process may use. What was not closed in it is thrown away; so is all, where the
    /// database itself cannot be read.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let opened = match Self::opened(folder) {
            Err(fjall::Error::Locked) => Err(fjall::Error::Locked),
            Err(error) if folder.is_dir() => {
                tracing::warn!(%error, "the local state cannot be read: it is restored from the changelogs");
                fs::remove_dir_all(folder).map_err(fjall::Error::Io).and_then(|()| Self::opened(folder))
            }
            opened => opened,
        };
        opened.map_err(|source| failed(folder, source))
    }

    fn opened(folder: &Path) -> Result<Self, fjall::Error> {
        fs::create_dir_all(folder)?;
        let database = Database::builder(folder)
            .manual_journal_persist(true)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()?;
        let checkpoints = database.keyspace(CHECKPOINTS, KeyspaceCreateOptions::default)?;
        let mut whole = Vec::new();
        for checkpoint in checkpoints.iter() {
            whole.extend(Checkpoint::read(&checkpoint.value()?).map(|checkpoint| checkpoint.keyspace));
        }
        for name in database.list_keyspace_names() {
            if *name != *CHECKPOINTS && !whole.iter().any(|whole| **whole == *name) {
                let keyspace = database.keyspace(&name, KeyspaceCreateOptions::default)?;
                database.delete_keyspace(keyspace)?;
            }
        }
        let folder = folder.to_path_buf();
        Ok(Self(Arc::new(Inner { folder, database, checkpoints, keyspaces: AtomicU64::new(0) })))
    }

    pub(super) fn open_task(
        &self,
        stage: &str,
        partition: Partition,
        committed: NextOffset,
    ) -> Result<DiskStore, StateError> {
        self.open_keyspace(format!("{stage}-{partition}"), committed).map_err(|source| self.failed(source))
    }

    fn open_keyspace(&self, task: String, committed: NextOffset) -> Result<DiskStore, fjall::Error> {
        let Inner { database, checkpoints, .. } = &*self.0;
        let found = checkpoints.get(&task)?.and_then(|bytes| Checkpoint::read(&bytes));
        if found.is_some() {
            // Before anything is changed: what follows is whole only when it is closed.
            checkpoints.remove(task.as_str())?;
            database.persist(PersistMode::SyncAll)?;
        }
        let mut note = None;
        let mut name = None;
        if let Some(found) = found {
            if found.committed == committed {
                (note, name) = (Some(found.note), Some(found.keyspace));
            } else {
                let stale = database.keyspace(&found.keyspace, options)?;
                database.delete_keyspace(stale)?;
            }
        }
        let name = name.unwrap_or_else(|| self.free_name(&task));
        let keyspace = database.keyspace(&name, options)?;
        let table = DiskTable { stores: self.clone(), keyspace };
        Ok(DiskStore { task, name, table, note, is_closed: false })
    }

    /// Each keyspace has a name of its own: a task that has lost its partition and does not know it yet writes to its
    /// own, not to that of the task which has it now.
    fn free_name(&self, task: &str) -> String {
        loop {
            let number = self.0.keyspaces.fetch_add(1, Ordering::Relaxed);
            let name = format!("{task}.{number}");
            if !self.0.database.keyspace_exists(&name) {
                return name;
            }
        }
    }

    fn failed(&self, source: fjall::Error) -> StateError {
        failed(&self.0.folder, source)
    }
}

/// Most ids asked for are not there, which a table's filter knows (10 bits a key): read from the disk for each question, a
/// filter of megabytes would cost more than all else together.
fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
}

fn failed(folder: &Path, source: fjall::Error) -> StateError {
    StateError::Disk { folder: folder.to_path_buf(), source: Box::new(source) }
}

/// The state of one task on disk.
pub struct DiskStore {
    task: String,
    name: String,
    table: DiskTable,
    note: Option<Vec<u8>>,
    is_closed: bool,
}

impl std::fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DiskStore").field(&self.name).finish()
    }
}

impl DiskStore {
    pub(super) fn note(&self) -> Option<&[u8]> {
        self.note.as_deref()
    }

    pub(super) fn damaged(&self) -> StateError {
        self.table.damaged()
    }

    pub(super) fn table(&self) -> DiskTable {
        self.table.clone()
    }

    pub(super) fn close(&mut self, committed: NextOffset, note: &[u8]) -> Result<(), StateError> {
        let checkpoint = Checkpoint { keyspace: self.name.clone(), committed, note: note.to_vec() };
        let Inner { database, checkpoints, .. } = &*self.table.stores.0;
        let noted = checkpoints
            .insert(self.task.as_str(), checkpoint.bytes())
            .and_then(|()| database.persist(PersistMode::SyncAll));
        noted.map_err(|source| self.table.failed(source))?;
        self.is_closed = true;
        Ok(())
    }
}

impl Drop for DiskStore {
    /// What was not closed is of no use. If it cannot be deleted now, the next start does it.
    fn drop(&mut self) {
        if !self.is_closed {
            let _ = self.table.stores.0.database.delete_keyspace(self.table.keyspace.clone());
        }
    }
}

/// Keys and values of one task.
#[derive(Clone)]
pub(super) struct DiskTable {
    stores: DiskStores,
    keyspace: Keyspace,
}

impl std::fmt::Debug for DiskTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DiskTable")
    }
}

impl DiskTable {
    pub(super) fn contains(&self, key: &[u8]) -> Result<bool, StateError> {
        self.keyspace.contains_key(key).map_err(|source| self.failed(source))
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<impl AsRef<[u8]> + use<>>, StateError> {
        self.keyspace.get(key).map_err(|source| self.failed(source))
    }

    /// Writes all or nothing; `None` removes the key.
    pub(super) fn write(
        &self,
        changes: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), StateError> {
        let mut batch = self.stores.0.database.batch();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(&self.keyspace, key, value),
                None => batch.remove(&self.keyspace, key),
            }
        }
        batch.commit().map_err(|source| self.failed(source))
    }

    pub(super) fn each(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        for entry in self.keyspace.prefix(prefix) {
            let (key, value) = entry.into_inner().map_err(|source| self.failed(source))?;
            each(&key, &value)?;
        }
        Ok(())
    }

    pub(super) fn damaged(&self) -> StateError {
        StateError::Damaged { folder: self.stores.0.folder.clone() }
    }

    fn failed(&self, source: fjall::Error) -> StateError {
        self.stores.failed(source)
    }
}

/// What a changelog brings, collected to be written in few steps. Of one key the last change counts.
#[derive(Debug, Default)]
pub(super) struct Restored(hashbrown::HashMap<Vec<u8>, Option<Vec<u8>>>);

impl Restored {
    pub(super) fn add(
        &mut self,
        table: &DiskTable,
        key: &[u8],
        value: Option<Vec<u8>>,
    ) -> Result<(), StateError> {
        self.0.insert(key.to_vec(), value);
        if self.0.len() >= RESTORED_MAX { self.write(table) } else { Ok(()) }
    }

    pub(super) fn write(&mut self, table: &DiskTable) -> Result<(), StateError> {
        table.write(self.0.drain())
    }
}

/// That a keyspace is whole: length and name of the keyspace, position of the input, the stage's note.
struct Checkpoint {
    keyspace: String,
    committed: NextOffset,
    note: Vec<u8>,
}

impl Checkpoint {
    fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.keyspace.len()).expect("names are short");
        let position = self.committed.get().to_le_bytes();
        [&length.to_le_bytes(), self.keyspace.as_bytes(), &position, &self.note].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (keyspace, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (committed, note) = rest.split_first_chunk()?;
        Some(Self {
            keyspace: std::str::from_utf8(keyspace).ok()?.to_owned(),
            committed: NextOffset::at(u64::from_le_bytes(*committed)),
            note: note.to_vec(),
        })
    }
}
