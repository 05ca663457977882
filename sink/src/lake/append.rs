//! Appends a topic's records to a table, each once: the table says where to begin.

mod collected;

use std::collections::BTreeMap;
use std::time::Duration;

use arrow_schema::SchemaRef;
use delta::Transaction;
use engine::UntilEnd;
use engine::log::{Consumer, Event, Failure, Log};
use engine::record::{NextOffset, Partition};
use service::clock;

use super::path::app_id;
use super::roller::Roll;
use super::rows::Rows;
use super::seek::seek;
use super::store::{Landed, TableStore};
use super::{LakeError, Task, group};
use collected::Collected;

const POLL_WAIT: Duration = Duration::from_millis(100);

/// A topic and the table that it goes to.
pub(super) struct Target {
    pub(super) topic: String,
    pub(super) table: String,
    /// Who shares the topic's partitions.
    pub(super) group: String,
    pub(super) schema: SchemaRef,
    pub(super) partition_column: Option<&'static str>,
    /// Columns whose values hardly repeat.
    pub(super) distinct: &'static [&'static str],
}

/// How far a partition is.
#[derive(Clone, Copy)]
struct Place {
    /// With the table, once the commit that is on its way has landed.
    covered: Option<i64>,
    /// With what is collected.
    next: NextOffset,
}

pub(super) struct AppendTask<L: Log, R> {
    topic: String,
    consumer: L::Consumer,
    store: TableStore,
    collected: Collected<R>,
    places: BTreeMap<Partition, Place>,
    /// What the commit on its way covers.
    in_flight: Vec<(Partition, NextOffset)>,
}

impl<L: Log, R: Rows> AppendTask<L, R> {
    pub(super) fn run(task: &Task<'_, L>, target: Target) -> Result<(), LakeError> {
        let settings = task.settings;
        let partition_columns: Vec<_> = target.partition_column.into_iter().collect();
        let (schema, uploads_max) = (&target.schema, settings.bounds.memory_bytes);
        let store = TableStore::open(
            &task.io,
            settings,
            target.table.clone(),
            schema,
            &partition_columns,
            uploads_max,
        )?;
        let consumer = task.log.consumer(&group(&target.group), &target.topic)?;
        let mut until_end = task.until_end.map(|is_due| UntilEnd::new(target.topic.as_str(), is_due));
        let mut this: Self = Self {
            topic: target.topic.clone(),
            consumer,
            store,
            collected: Collected::new(&target, settings.bounds),
            places: BTreeMap::new(),
            in_flight: Vec::new(),
        };
        while !task.is_stopped() {
            let is_idle = this.turn()?;
            if let Some(until_end) = &mut until_end
                && this.is_done(task.log, until_end, is_idle)?
            {
                break;
            }
        }
        this.finish()?;
        this.consumer.close();
        Ok(())
    }

    /// True where there was nothing to do.
    fn turn(&mut self) -> Result<bool, LakeError> {
        let event = self.poll()?;
        let is_idle = event == Event::Idle;
        match event {
            Event::Records(_) | Event::End(_) | Event::Idle => {}
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked(partitions) => {
                self.finish()?;
                self.release(&partitions)?;
            }
            // Somebody else may have them already: what is collected of them would be refused.
            Event::Lost(partitions) => {
                self.release(&partitions)?;
                self.rewind()?;
            }
        }
        self.collected.encode_if_full(&mut self.store)?;
        if !self.in_flight.is_empty() && !self.store.is_busy() {
            self.settle()?;
        }
        if let Roll::Close(reason) = self.collected.tick(clock::now()) {
            tracing::debug!(table = self.store.name(), ?reason, "closing files");
            self.roll()?;
        }
        Ok(is_idle)
    }

    fn poll(&mut self) -> Result<Event, LakeError> {
        let (places, collected, topic) = (&mut self.places, &mut self.collected, &self.topic);
        let event = self.consumer.poll(POLL_WAIT, &mut |record| {
            let Some(place) = places.get_mut(&record.partition) else { return };
            // After a seek a client may still hand out what it had fetched before.
            if record.offset < place.next.get() {
                return;
            }
            place.next = NextOffset::after(record.offset);
            if !collected.push(topic, record) {
                let (partition, offset) = (record.partition.0, record.offset);
                tracing::error!(topic, partition, offset, "the record is not one of ours and is passed over");
            }
        });
        match event {
            Err(error) if error.failure == Failure::Retriable => {
                tracing::warn!(topic, %error, "cannot read: trying again");
                Ok(Event::Idle)
            }
            Ok(event @ Event::Records(_)) => {
                self.collected.touch(clock::now());
                Ok(event)
            }
            event => Ok(event?),
        }
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.settle()?;
        self.store.refresh()?;
        let positions: Vec<_> =
            partitions.iter().map(|partition| (*partition, self.place(*partition))).collect();
        Ok(self.consumer.start(&positions)?)
    }

    /// Sets a partition to where the table is.
    fn place(&mut self, partition: Partition) -> NextOffset {
        let (covered, next) = self.covered(partition);
        self.places.insert(partition, Place { covered, next });
        next
    }

    /// What the table covers of a partition, as it was last read.
    fn covered(&self, partition: Partition) -> (Option<i64>, NextOffset) {
        let covered = self.store.transaction(&app_id(&self.topic, partition));
        (covered, NextOffset::at(covered.and_then(|covered| u64::try_from(covered).ok()).unwrap_or(0)))
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.places.retain(|partition, _| !partitions.contains(partition));
        Ok(self.consumer.release(partitions)?)
    }

    /// Drops what is collected and reads again from where the table is.
    fn rewind(&mut self) -> Result<(), LakeError> {
        // A commit on its way lands or not: either way the table says so afterwards.
        self.store.wait()?;
        self.in_flight.clear();
        self.store.forget_uploads();
        self.collected.clear();
        self.store.refresh()?;
        let partitions: Vec<_> = self.places.keys().copied().collect();
        let positions: Vec<_> =
            partitions.into_iter().map(|partition| (partition, self.place(partition))).collect();
        Ok(seek(&mut self.consumer, &positions)?)
    }

    /// Commits what is collected. False where that was refused: it is to be read again.
    fn finish(&mut self) -> Result<bool, LakeError> {
        Ok(self.roll()? && self.settle()?)
    }

    /// Sends what is collected on its way: files and the offsets that they cover in one commit. False where the commit
    /// before was refused, and this one with it.
    fn roll(&mut self) -> Result<bool, LakeError> {
        // One at a time: the next one builds on it.
        if !self.settle()? {
            return Ok(false);
        }
        self.collected.close_all(&mut self.store)?;
        let mut steps = Vec::new();
        for (partition, place) in &mut self.places {
            let to = i64::try_from(place.next.get()).unwrap_or(i64::MAX);
            if place.covered.unwrap_or(0) != to {
                let app_id = app_id(&self.topic, *partition);
                steps.push(Transaction { app_id, from: place.covered.replace(to), to });
                self.in_flight.push((*partition, place.next));
            }
        }
        if !steps.is_empty() {
            self.store.commit(Vec::new(), steps);
        }
        Ok(true)
    }

    /// Waits for the commit on its way. False where it was refused: then everything begins again from the table.
    fn settle(&mut self) -> Result<bool, LakeError> {
        match self.store.wait()? {
            None => Ok(true),
            Some(Landed::Committed { version }) => {
                let table = self.store.name();
                tracing::info!(table, version, "committed version {version} of {table}");
                // Only for those who watch the lag: the table itself says where to go on.
                if let Err(error) = self.consumer.commit(&std::mem::take(&mut self.in_flight)) {
                    tracing::debug!(%error, "the group's offsets were not committed");
                }
                Ok(true)
            }
            Some(Landed::Moved) => {
                self.rewind()?;
                Ok(false)
            }
        }
    }

    /// Commits when this sink's partitions are read; of the others the table tells.
    fn is_done(&mut self, log: &L, until_end: &mut UntilEnd<'_>, is_idle: bool) -> Result<bool, LakeError> {
        let own: Vec<_> = self.places.iter().map(|(partition, place)| (*partition, place.next)).collect();
        if !until_end.is_read(log, &mut self.consumer, &own, is_idle)? || !self.finish()? {
            return Ok(false);
        }
        let rest = until_end.rest(&own);
        if rest.is_empty() {
            return Ok(true);
        }
        self.store.refresh()?;
        let rest: Vec<_> = rest.into_iter().map(|partition| (partition, self.covered(partition).1)).collect();
        Ok(until_end.is_read(log, &mut self.consumer, &rest, is_idle)?)
    }
}
