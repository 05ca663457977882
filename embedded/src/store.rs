//! The database: batches of records, ends of partitions, offsets of groups; one transaction for all of a commit.

mod compact;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use engine::log::{Cause, Failure, Kept, LogError, TopicSpec};
use engine::record::NextOffset;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::batch::{Batch, Encoded};

const FILE: &str = "log.redb";
/// Pages that the database keeps in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

type BatchKey = (u32, u32, u64);

/// (topic, partition, offset of the first record) → batch
const BATCHES: TableDefinition<BatchKey, &[u8]> = TableDefinition::new("batches");
/// topic name → (id, partitions, how it is kept)
const TOPICS: TableDefinition<&str, (u32, u32, u8)> = TableDefinition::new("topics");
/// (topic, partition) → next offset to be written
const ENDS: TableDefinition<(u32, u32), u64> = TableDefinition::new("ends");
/// (group, topic, partition) → next offset to be read
const OFFSETS: TableDefinition<(&str, &str, u32), u64> = TableDefinition::new("offsets");

/// A topic as the log knows it.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) id: u32,
    pub(crate) kept: Kept,
    /// One past the last record of each partition.
    pub(crate) ends: Vec<u64>,
    /// Records written since each partition was compacted, and keys that it had then.
    since_compaction: Vec<(u64, u64)>,
}

impl Topic {
    pub(crate) fn partitions(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }
}

pub(crate) type Topics = HashMap<String, Topic>;

/// What a transaction appends to one partition.
pub(crate) struct Write {
    pub(crate) topic: String,
    pub(crate) partition: u32,
    pub(crate) batches: Vec<Encoded>,
}

/// A group's place in a partition.
#[derive(Clone, Debug)]
pub(crate) struct GroupOffset {
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) partition: u32,
    pub(crate) next: u64,
}

pub(crate) struct Store {
    database: Database,
}

/// Whatever the database says about the disk below it.
fn storage(error: impl Into<redb::Error>) -> LogError {
    LogError::new(
        Failure::Unknown,
        Cause::Storage,
        "the embedded log cannot be read or written: is the disk full, or the data folder read-only?",
    )
    .with_source(error.into())
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<(Self, Topics), LogError> {
        let refused = |what: String| LogError::new(Failure::Unknown, Cause::Storage, what);
        fs::create_dir_all(folder).map_err(|error| {
            refused(format!("cannot make the folder {}: choose another with --data", folder.display()))
                .with_source(error)
        })?;
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create(folder.join(FILE));
        let database = opened.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => refused(format!(
                "another process uses {}: stop it, or choose another folder with --data",
                folder.display()
            )),
            error => refused(format!(
                "cannot open the log in {}: choose another folder with --data, or remove this one to begin anew",
                folder.display()
            ))
            .with_source(error),
        })?;
        let store = Self { database };
        let topics = store.load_topics()?;
        Ok((store, topics))
    }

    fn load_topics(&self) -> Result<Topics, LogError> {
        // Opening a table for writing makes it where it is missing.
        let transaction = self.database.begin_write().map_err(storage)?;
        let mut topics = Topics::new();
        {
            transaction.open_table(BATCHES).map_err(storage)?;
            transaction.open_table(OFFSETS).map_err(storage)?;
            let names = transaction.open_table(TOPICS).map_err(storage)?;
            let ends = transaction.open_table(ENDS).map_err(storage)?;
            for entry in names.iter().map_err(storage)? {
                let (name, topic) = entry.map_err(storage)?;
                let (id, partitions, kept) = topic.value();
                let mut topic = new_topic(id, partitions, kept_of(kept));
                for (partition, end) in (0..).zip(&mut topic.ends) {
                    *end = ends.get((id, partition)).map_err(storage)?.map_or(0, |end| end.value());
                }
                topics.insert(name.value().to_owned(), topic);
            }
        }
        transaction.commit().map_err(storage)?;
        Ok(topics)
    }

    pub(crate) fn create_topic(&self, topics: &mut Topics, spec: &TopicSpec) -> Result<(), LogError> {
        let id = u32::try_from(topics.len()).unwrap_or(u32::MAX);
        let transaction = self.database.begin_write().map_err(storage)?;
        {
            let mut names = transaction.open_table(TOPICS).map_err(storage)?;
            names.insert(spec.name.as_str(), (id, spec.partitions, tag_of(spec.kept))).map_err(storage)?;
        }
        transaction.commit().map_err(storage)?;
        topics.insert(spec.name.clone(), new_topic(id, spec.partitions, spec.kept));
        Ok(())
    }

    /// The batch that holds the record at `offset`, or else the first one behind it.
    pub(crate) fn batch_at(
        &self,
        topic: u32,
        partition: u32,
        offset: u64,
    ) -> Result<Option<Batch>, LogError> {
        let transaction = self.database.begin_read().map_err(storage)?;
        let table = transaction.open_table(BATCHES).map_err(storage)?;
        let before =
            table.range((topic, partition, 0)..=(topic, partition, offset)).map_err(storage)?.next_back();
        if let Some(entry) = before {
            let (key, value) = entry.map_err(storage)?;
            let batch = decoded(key.value(), value.value())?;
            if batch.end() > offset {
                return Ok(Some(batch));
            }
        }
        let behind = (topic, partition, offset + 1)..=(topic, partition, u64::MAX);
        let Some(entry) = table.range(behind).map_err(storage)?.next() else { return Ok(None) };
        let (key, value) = entry.map_err(storage)?;
        decoded(key.value(), value.value()).map(Some)
    }

    pub(crate) fn committed(&self, offset: &GroupOffset) -> Result<Option<NextOffset>, LogError> {
        let transaction = self.database.begin_read().map_err(storage)?;
        let table = transaction.open_table(OFFSETS).map_err(storage)?;
        let key = (offset.group.as_str(), offset.topic.as_str(), offset.partition);
        Ok(table.get(key).map_err(storage)?.map(|next| NextOffset::at(next.value())))
    }

    /// Appends and commits, all or nothing, and on the disk when this returns.
    pub(crate) fn commit(
        &self,
        topics: &mut Topics,
        writes: &[Write],
        offsets: &[GroupOffset],
    ) -> Result<(), LogError> {
        let transaction = self.database.begin_write().map_err(storage)?;
        let ends = append(&transaction, topics, writes).map_err(storage)?;
        put_offsets(&transaction, topics, offsets).map_err(storage)?;
        for write in writes {
            compact::if_due(&transaction, topics, write).map_err(storage)?;
        }
        transaction.commit().map_err(storage)?;
        for (write, (end, records)) in writes.iter().zip(ends) {
            if let Some(topic) = topics.get_mut(&write.topic) {
                let partition = write.partition as usize;
                topic.ends[partition] = end;
                topic.since_compaction[partition].0 += records;
            }
        }
        Ok(())
    }
}

fn decoded(key: BatchKey, value: &[u8]) -> Result<Batch, LogError> {
    Batch::decode(key.2, value).ok_or_else(|| {
        LogError::new(
            Failure::Unknown,
            Cause::Storage,
            "the embedded log holds a damaged batch: remove the data folder and send the file again",
        )
    })
}

fn new_topic(id: u32, partitions: u32, kept: Kept) -> Topic {
    let partitions = partitions as usize;
    Topic { id, kept, ends: vec![0; partitions], since_compaction: vec![(0, 0); partitions] }
}

/// The new end of each write's partition, and how many records it gains.
fn append(
    transaction: &WriteTransaction,
    topics: &Topics,
    writes: &[Write],
) -> Result<Vec<(u64, u64)>, redb::Error> {
    let mut batches = transaction.open_table(BATCHES)?;
    let mut ends = transaction.open_table(ENDS)?;
    let mut new_ends = Vec::with_capacity(writes.len());
    for write in writes {
        let topic = &topics[&write.topic];
        let mut end = topic.ends[write.partition as usize];
        let mut records = 0;
        for batch in &write.batches {
            batches.insert((topic.id, write.partition, end), batch.value.as_slice())?;
            end += batch.span;
            records += batch.records;
        }
        ends.insert((topic.id, write.partition), end)?;
        new_ends.push((end, records));
    }
    Ok(new_ends)
}

fn put_offsets(
    transaction: &WriteTransaction,
    topics: &Topics,
    offsets: &[GroupOffset],
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(OFFSETS)?;
    let mut batches = transaction.open_table(BATCHES)?;
    for offset in offsets {
        table.insert((offset.group.as_str(), offset.topic.as_str(), offset.partition), offset.next)?;
        // What only passes through has one group of readers: it goes when they have read it.
        if let Some(Topic { id, kept: Kept::For(_), .. }) = topics.get(&offset.topic) {
            let read = (*id, offset.partition, 0)..(*id, offset.partition, offset.next);
            let keys: Vec<_> = batches
                .range(read)?
                .map(|entry| entry.map(|(key, _)| key.value()))
                .collect::<Result<_, _>>()?;
            // The last of them may go on behind the offset.
            for key in keys.iter().take(keys.len().saturating_sub(1)) {
                batches.remove(key)?;
            }
        }
    }
    Ok(())
}

fn tag_of(kept: Kept) -> u8 {
    match kept {
        Kept::Forever => 0,
        Kept::Compacted => 1,
        Kept::For(_) => 2,
    }
}

fn kept_of(tag: u8) -> Kept {
    match tag {
        1 => Kept::Compacted,
        2 => Kept::For(std::time::Duration::ZERO),
        _ => Kept::Forever,
    }
}
