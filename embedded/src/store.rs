//! The database: batches of records, ends of partitions, offsets of groups; one transaction for all of a commit.

mod compact;
mod failure;

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;

use engine::log::{Kept, LogError, TopicSpec};
use engine::record::NextOffset;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::Writing;
use crate::batch::{Batch, Encoded};
use failure::{FirstFailure, damaged, refused, unopened};

const FILE: &str = "log.redb";
const LOCK_FILE: &str = "lock";
/// Pages that the database keeps in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Up to this size of the file, the database finds out by itself within a fraction of a second what a killed process left.
const REPAIRED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// (topic, partition, offset of the first record) → batch
const BATCHES: TableDefinition<(u32, u32, u64), &[u8]> = TableDefinition::new("batches");
/// topic name → (id, partitions, how it is kept)
const TOPICS: TableDefinition<&str, (u32, u32, u8)> = TableDefinition::new("topics");
/// (topic, partition) → (next offset to be written, records since it was compacted, keys that it had then)
const ENDS: TableDefinition<(u32, u32), (u64, u64, u64)> = TableDefinition::new("ends");
/// (topic, group) of topics that are kept until all their groups have read them
const READERS: TableDefinition<(u32, &str), ()> = TableDefinition::new("readers");
/// (group, topic, partition) → next offset to be read
const OFFSETS: TableDefinition<(&str, u32, u32), u64> = TableDefinition::new("offsets");

/// How long a topic's batches stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptAs {
    Forever,
    Compacted,
    /// Until every group that ever joined has committed past them; without a clock, "at least this long" is that.
    UntilRead,
}

impl KeptAs {
    fn tag(self) -> u8 {
        match self {
            Self::Forever => 0,
            Self::Compacted => 1,
            Self::UntilRead => 2,
        }
    }

    fn of_tag(tag: u8) -> Option<Self> {
        [Self::Forever, Self::Compacted, Self::UntilRead].into_iter().find(|kept| kept.tag() == tag)
    }
}

impl From<Kept> for KeptAs {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Forever => Self::Forever,
            Kept::Compacted => Self::Compacted,
            Kept::For(_) => Self::UntilRead,
        }
    }
}

/// What never changes of a topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TopicInfo {
    pub(crate) id: u32,
    pub(crate) partitions: u32,
    pub(crate) kept: KeptAs,
}

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) info: TopicInfo,
    /// One past the last committed record of each partition.
    pub(crate) ends: Vec<u64>,
}

/// What a transaction appends to one partition.
pub(crate) struct Write {
    pub(crate) topic: String,
    pub(crate) info: TopicInfo,
    pub(crate) partition: u32,
    pub(crate) batches: Vec<Encoded>,
}

/// A group's place in a partition.
#[derive(Clone, Debug)]
pub(crate) struct GroupOffset {
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) info: TopicInfo,
    pub(crate) partition: u32,
    pub(crate) next: u64,
}

pub(crate) struct Store {
    database: Database,
    file: PathBuf,
    first_failure: FirstFailure,
    /// Last, so that the folder is free only when the database is closed.
    _lock: File,
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<(Self, HashMap<String, Topic>), LogError> {
        fs::create_dir_all(folder).map_err(|error| {
            refused(format!("cannot make the folder {}: choose another with --data", folder.display()))
                .with_source(error)
        })?;
        let file = folder.join(FILE);
        let unopened = |error| unopened(error, folder);
        let lock = locked(folder).map_err(unopened)?;
        let database = database(folder, &file).map_err(unopened)?;
        let store = Self { database, file, first_failure: FirstFailure::default(), _lock: lock };
        let topics = store.load_topics().map_err(unopened)?;
        Ok((store, topics))
    }

    fn load_topics(&self) -> Result<HashMap<String, Topic>, redb::Error> {
        // Opening a table for writing makes it where it is missing.
        let transaction = self.begin()?;
        let mut topics = HashMap::new();
        {
            transaction.open_table(BATCHES)?;
            transaction.open_table(OFFSETS)?;
            transaction.open_table(READERS)?;
            let ends = transaction.open_table(ENDS)?;
            for entry in transaction.open_table(TOPICS)?.iter()? {
                let (name, topic) = entry?;
                let (id, partitions, kept) = topic.value();
                let kept = KeptAs::of_tag(kept)
                    .ok_or_else(|| redb::Error::Corrupted("a topic is kept in an unknown way".to_owned()))?;
                let end = |partition| Ok(ends.get((id, partition))?.map_or(0, |end| end.value().0));
                let ends = (0..partitions).map(end).collect::<Result<_, redb::Error>>()?;
                let info = TopicInfo { id, partitions, kept };
                topics.insert(name.value().to_owned(), Topic { info, ends });
            }
        }
        transaction.commit()?;
        Ok(topics)
    }

    fn failed(&self, error: impl Into<redb::Error>) -> LogError {
        self.first_failure.storage(error)
    }

    /// A transaction whose commit is on the disk when it returns. In a large log each holds what a start after a kill
    /// needs, for a second fsync: else such a start would read all of the log.
    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        let is_large = fs::metadata(&self.file)?.len() > REPAIRED_BYTES_MAX;
        transaction.set_quick_repair(is_large);
        Ok(transaction)
    }

    pub(crate) fn create_topic(
        &self,
        _held: &MutexGuard<'_, Writing>,
        id: u32,
        spec: &TopicSpec,
    ) -> Result<Topic, LogError> {
        let info = TopicInfo { id, partitions: spec.partitions, kept: spec.kept.into() };
        let insert = || -> Result<(), redb::Error> {
            let transaction = self.begin()?;
            let value = (id, info.partitions, info.kept.tag());
            transaction.open_table(TOPICS)?.insert(spec.name.as_str(), value)?;
            Ok(transaction.commit()?)
        };
        insert().map_err(|error| self.failed(error))?;
        Ok(Topic { info, ends: vec![0; spec.partitions as usize] })
    }

    /// Remembers for good that what `group` has not read is kept.
    pub(crate) fn add_reader(
        &self,
        _held: &MutexGuard<'_, Writing>,
        topic: u32,
        group: &str,
    ) -> Result<(), LogError> {
        let insert = || -> Result<(), redb::Error> {
            if self.database.begin_read()?.open_table(READERS)?.get((topic, group))?.is_some() {
                return Ok(());
            }
            let transaction = self.begin()?;
            transaction.open_table(READERS)?.insert((topic, group), ())?;
            Ok(transaction.commit()?)
        };
        insert().map_err(|error| self.failed(error))
    }

    /// The batch that holds the record at `offset`, or else the first one behind it.
    pub(crate) fn batch_at(
        &self,
        topic: u32,
        partition: u32,
        offset: u64,
    ) -> Result<Option<Batch>, LogError> {
        let find = || -> Result<Option<Option<Batch>>, redb::Error> {
            let table = self.database.begin_read()?.open_table(BATCHES)?;
            let mut before = table.range((topic, partition, 0)..=(topic, partition, offset))?;
            if let Some(entry) = before.next_back() {
                let (key, value) = entry?;
                let batch = Batch::decode(key.value().2, value.value());
                if batch.as_ref().is_none_or(|batch| batch.end() > offset) {
                    return Ok(Some(batch));
                }
            }
            let mut behind = table.range((topic, partition, offset + 1)..=(topic, partition, u64::MAX))?;
            let Some(entry) = behind.next() else { return Ok(None) };
            let (key, value) = entry?;
            Ok(Some(Batch::decode(key.value().2, value.value())))
        };
        match find().map_err(|error| self.failed(error))? {
            Some(batch) => batch.ok_or_else(damaged).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn committed(&self, offset: &GroupOffset) -> Result<Option<NextOffset>, LogError> {
        let find = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(OFFSETS)?;
            let next = table.get((offset.group.as_str(), offset.info.id, offset.partition))?;
            Ok(next.map(|next| next.value()))
        };
        Ok(find().map_err(|error| self.failed(error))?.map(NextOffset::at))
    }

    /// Appends and commits, all or nothing, and on the disk when this returns. The new end of each write's partition.
    pub(crate) fn commit(
        &self,
        _held: &MutexGuard<'_, Writing>,
        writes: &[Write],
        offsets: &[GroupOffset],
    ) -> Result<Vec<u64>, LogError> {
        let commit = || -> Result<Vec<u64>, redb::Error> {
            let transaction = self.begin()?;
            let ends = append(&transaction, writes)?;
            put_offsets(&transaction, offsets)?;
            transaction.commit()?;
            Ok(ends)
        };
        commit().map_err(|error| self.failed(error))
    }
}

/// The lock that keeps other processes out. The system takes it back however its holder ends.
fn locked(folder: &Path) -> Result<File, redb::Error> {
    let lock = File::create(folder.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(redb::Error::DatabaseAlreadyOpen),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// A new database gets its name when it is whole: killed in the middle of making a file, redb does not know it again.
fn database(folder: &Path, file: &Path) -> Result<Database, redb::Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    if !file.try_exists()? {
        let unfinished = file.with_extension("new");
        drop(File::create(&unfinished)?);
        drop(builder.create(&unfinished)?);
        fs::rename(&unfinished, file)?;
        // The name, too, is on the disk before anything is committed.
        File::open(folder)?.sync_all()?;
    }
    Ok(builder.open(file)?)
}

fn append(transaction: &WriteTransaction, writes: &[Write]) -> Result<Vec<u64>, redb::Error> {
    let mut batches = transaction.open_table(BATCHES)?;
    let mut ends = transaction.open_table(ENDS)?;
    let mut new_ends = Vec::with_capacity(writes.len());
    for Write { info, partition, batches: appended, .. } in writes {
        let place = (info.id, *partition);
        let (mut end, mut records, mut keys) = ends.get(place)?.map_or((0, 0, 0), |end| end.value());
        for batch in appended {
            batches.insert((info.id, *partition, end), batch.value.as_slice())?;
            end += batch.span;
            records += batch.records;
        }
        if info.kept == KeptAs::Compacted && compact::is_due(records, keys) {
            keys = compact::compact(&mut batches, info.id, *partition)?;
            records = 0;
        }
        ends.insert(place, (end, records, keys))?;
        new_ends.push(end);
    }
    Ok(new_ends)
}

fn put_offsets(transaction: &WriteTransaction, offsets: &[GroupOffset]) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(OFFSETS)?;
    for GroupOffset { group, info, partition, next, .. } in offsets {
        table.insert((group.as_str(), info.id, *partition), next)?;
    }
    for GroupOffset { info, partition, .. } in offsets.iter().filter(|o| o.info.kept == KeptAs::UntilRead) {
        let mut read_by_all = u64::MAX;
        for reader in transaction.open_table(READERS)?.range((info.id, "")..)? {
            let (key, _) = reader?;
            let (topic, group) = key.value();
            if topic != info.id {
                break;
            }
            let next = table.get((group, info.id, *partition))?.map_or(0, |next| next.value());
            read_by_all = read_by_all.min(next);
        }
        drop_read(transaction, info.id, *partition, read_by_all)?;
    }
    Ok(())
}

/// Drops the batches before the one that `read_by_all` lies in or behind: where that one ends, its key does not tell.
fn drop_read(
    transaction: &WriteTransaction,
    topic: u32,
    partition: u32,
    read_by_all: u64,
) -> Result<(), redb::Error> {
    let mut batches = transaction.open_table(BATCHES)?;
    let mut read = Vec::new();
    for entry in batches.range((topic, partition, 0)..=(topic, partition, read_by_all))? {
        read.push(entry?.0.value());
    }
    read.pop();
    for key in read {
        batches.remove(key)?;
    }
    Ok(())
}
