//! Appends a topic's records to a table, each once: the table says where to begin.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use delta::encode::encode;
use delta::{Commit, Encoding, Outcome, Table, Transaction, file_schema};
use engine::UntilEnd;
use engine::log::{Consumer, Event, Failure, Log};
use engine::record::{NextOffset, Partition};
use service::clock;
use tokio::runtime::Handle;

use super::rows::Rows;
use super::{LakeError, LakeSettings, group};

const POLL_WAIT: Duration = Duration::from_millis(100);

/// A topic and the table that it goes to.
pub(super) struct Target {
    pub(super) topic: String,
    pub(super) table: &'static str,
    pub(super) schema: SchemaRef,
    pub(super) partition_column: Option<&'static str>,
    /// Columns whose values hardly repeat.
    pub(super) distinct: &'static [&'static str],
}

/// How far a partition is: in the table, and with what is collected.
#[derive(Clone, Copy)]
struct Place {
    covered: Option<i64>,
    next: NextOffset,
}

pub(super) struct AppendTask<'t, L: Log, R> {
    settings: &'t LakeSettings,
    target: Target,
    encoding: Encoding,
    consumer: L::Consumer,
    runtime: Handle,
    table: Table,
    rows: R,
    bytes: usize,
    opened_at: Instant,
    places: BTreeMap<Partition, Place>,
}

impl<'t, L: Log, R: Rows> AppendTask<'t, L, R> {
    pub(super) fn run(
        log: &L,
        settings: &'t LakeSettings,
        runtime: &Handle,
        target: Target,
        until_end: Option<&AtomicBool>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), LakeError> {
        let runtime = runtime.clone();
        let lake = &settings.lake;
        let partition_columns: Vec<_> = target.partition_column.into_iter().collect();
        let table = runtime.block_on(Table::open_or_create(
            lake.store.clone(),
            lake.table(target.table),
            &target.schema,
            &partition_columns,
            clock::unix_ms(),
        ))?;
        let consumer = log.consumer(&group(&settings.topics, target.table), &target.topic)?;
        let encoding = Encoding::new(target.distinct);
        let topic = target.topic.clone();
        let mut until_end = until_end.map(|is_due| UntilEnd::new(&topic, is_due));
        let mut task: Self = Self {
            settings,
            target,
            encoding,
            consumer,
            runtime,
            table,
            rows: R::default(),
            bytes: 0,
            opened_at: clock::now(),
            places: BTreeMap::new(),
        };
        while !is_stopped() {
            task.turn(until_end.as_mut())?;
            if let Some(until_end) = &mut until_end
                && task.is_done(log, until_end)?
            {
                break;
            }
        }
        task.roll()?;
        task.consumer.close();
        Ok(())
    }

    fn turn(&mut self, until_end: Option<&mut UntilEnd<'_>>) -> Result<(), LakeError> {
        match self.poll()? {
            Event::Records(_) | Event::Idle => {}
            Event::Assigned(partitions) => {
                self.assigned(&partitions)?;
                if let Some(until_end) = until_end {
                    until_end.assigned();
                }
            }
            Event::Revoked(partitions) => {
                self.roll()?;
                self.release(&partitions)?;
            }
            // Somebody else may have them already: what is collected of them would be refused.
            Event::Lost(partitions) => {
                self.release(&partitions)?;
                self.rewind()?;
            }
            Event::End(partition) => {
                if let (Some(until_end), Some(place)) = (until_end, self.places.get(&partition)) {
                    until_end.reached(partition, place.next);
                }
            }
        }
        let is_old = self.rows.len() > 0 && self.opened_at.elapsed() >= self.settings.roll_age;
        if is_old || self.bytes >= self.settings.roll_bytes {
            self.roll()?;
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<Event, LakeError> {
        let (places, rows, bytes) = (&mut self.places, &mut self.rows, &mut self.bytes);
        let was_empty = rows.len() == 0;
        let topic = &self.target.topic;
        let event = self.consumer.poll(POLL_WAIT, &mut |record| {
            let Some(place) = places.get_mut(&record.partition) else { return };
            // After a seek a client may still hand out what it had fetched before.
            if record.offset < place.next.get() {
                return;
            }
            place.next = NextOffset::after(record.offset);
            if rows.push(topic, record) {
                *bytes += record.value.map_or(0, <[u8]>::len) + record.key.map_or(0, <[u8]>::len);
            } else {
                let (partition, offset) = (record.partition.0, record.offset);
                tracing::error!(topic, partition, offset, "the record is not one of ours and is passed over");
            }
        });
        if was_empty {
            self.opened_at = clock::now();
        }
        match event {
            Err(error) if error.failure == Failure::Retriable => {
                tracing::warn!(topic, %error, "cannot read: trying again");
                Ok(Event::Idle)
            }
            event => Ok(event?),
        }
    }

    fn app_id(&self, partition: Partition) -> String {
        format!("{}/{partition}", self.target.topic)
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.runtime.block_on(self.table.refresh())?;
        let positions: Vec<_> =
            partitions.iter().map(|partition| (*partition, self.place(*partition))).collect();
        self.consumer.start(&positions)?;
        Ok(())
    }

    /// Sets a partition to where the table is.
    fn place(&mut self, partition: Partition) -> NextOffset {
        let covered = self.table.snapshot().transaction(&self.app_id(partition));
        let next = NextOffset::at(covered.and_then(|covered| u64::try_from(covered).ok()).unwrap_or(0));
        self.places.insert(partition, Place { covered, next });
        next
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.places.retain(|partition, _| !partitions.contains(partition));
        Ok(self.consumer.release(partitions)?)
    }

    /// Drops what is collected and reads again from where the table is.
    fn rewind(&mut self) -> Result<(), LakeError> {
        self.rows = R::default();
        self.bytes = 0;
        self.runtime.block_on(self.table.refresh())?;
        let partitions: Vec<_> = self.places.keys().copied().collect();
        let positions: Vec<_> =
            partitions.into_iter().map(|partition| (partition, self.place(partition))).collect();
        Ok(self.consumer.seek(&positions)?)
    }

    /// Writes what is collected: files and the offsets that they cover in one commit.
    fn roll(&mut self) -> Result<(), LakeError> {
        let transactions: Vec<_> = self
            .places
            .iter()
            .map(|(partition, place)| Transaction {
                app_id: self.app_id(*partition),
                from: place.covered,
                to: i64::try_from(place.next.get()).unwrap_or(i64::MAX),
            })
            .filter(|step| step.from.unwrap_or(0) != step.to)
            .collect();
        if transactions.is_empty() {
            return Ok(());
        }
        let rows = self.rows.len();
        let partition_columns: Vec<_> = self.target.partition_column.into_iter().collect();
        let schema = file_schema(&self.target.schema, &partition_columns);
        let mut adds = Vec::new();
        for (value, batch) in self.rows.finish()?.into_iter().filter(|(_, batch)| batch.num_rows() > 0) {
            let partition: Vec<_> = partition_columns.iter().map(|column| (*column, value.clone())).collect();
            adds.push(encode(&schema, &[batch], &self.encoding, &partition)?);
        }
        self.bytes = 0;
        let files = adds.len();
        let commit = Commit { adds, removes: Vec::new(), transactions };
        match self.runtime.block_on(self.table.commit(&commit, clock::unix_ms()))? {
            Outcome::Committed { version } => {
                let table = self.target.table;
                tracing::info!(table, version, rows, files, "committed {rows} rows to {table}");
                let mut positions = Vec::new();
                for (partition, place) in &mut self.places {
                    place.covered = i64::try_from(place.next.get()).ok();
                    positions.push((*partition, place.next));
                }
                // Only for those who watch the lag: the table itself says where to go on.
                if let Err(error) = self.consumer.commit(&positions) {
                    tracing::debug!(%error, "the group's offsets were not committed");
                }
                Ok(())
            }
            Outcome::Refused(decision) => {
                tracing::warn!(
                    ?decision,
                    "another sink has written these rows: reading again from where the table is"
                );
                self.rewind()
            }
        }
    }

    fn is_done(&mut self, log: &L, until_end: &mut UntilEnd<'_>) -> Result<bool, LakeError> {
        let positions: Vec<_> =
            self.places.iter().map(|(partition, place)| (*partition, place.next)).collect();
        Ok(until_end.is_done(log, &mut self.consumer, positions.into_iter())?)
    }
}
