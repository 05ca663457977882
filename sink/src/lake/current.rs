//! Gold: the current aggregates of each view. The compacted topic is folded from its beginning; each of its partitions
//! owns one file in each view's table, which is replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use delta::encode::encode;
use delta::{Commit, Encoding, Outcome, Table, Transaction, file_schema};
use domain::{Aggregate, Key, View, wire};
use engine::UntilEnd;
use engine::log::{Consumer, Event, Failure, Log};
use engine::record::{NextOffset, Partition, Record};
use service::clock;
use tokio::runtime::Handle;

use super::rows::gold_batch;
use super::schema::{self, PARTITION};
use super::{LakeError, LakeSettings, group};

const POLL_WAIT: Duration = Duration::from_millis(100);
/// Another sink may be first now and then; not for ever.
const TRIES_MAX: usize = 20;

type Current = BTreeMap<(View, Vec<u8>), (Key, Aggregate)>;

#[derive(Default)]
struct Fold {
    current: Current,
    changed: BTreeSet<View>,
    next: NextOffset,
}

impl Fold {
    /// False for a record that none of our stages wrote.
    fn apply(&mut self, record: Record<'_>) -> bool {
        if record.offset < self.next.get() {
            return true;
        }
        self.next = NextOffset::after(record.offset);
        let Some(record_key) = record.key else { return false };
        let Some(view) = View::of_record_key(record_key) else { return false };
        match record.value {
            Some(value) => {
                let Ok((view, key, aggregate)) = wire::decode_aggregate(value) else { return false };
                self.current.insert((view, record_key.to_vec()), (key, aggregate));
            }
            None => {
                self.current.remove(&(view, record_key.to_vec()));
            }
        }
        self.changed.insert(view);
        true
    }
}

pub(super) struct GoldTask<'t, L: Log> {
    settings: &'t LakeSettings,
    topic: String,
    consumer: L::Consumer,
    runtime: Handle,
    tables: BTreeMap<View, Table>,
    folds: BTreeMap<Partition, Fold>,
    written_at: Instant,
}

impl<'t, L: Log> GoldTask<'t, L> {
    pub(super) fn run(
        log: &L,
        settings: &'t LakeSettings,
        runtime: &Handle,
        until_end: Option<&AtomicBool>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), LakeError> {
        let runtime = runtime.clone();
        let mut tables = BTreeMap::new();
        for view in View::ALL {
            let lake = &settings.lake;
            let table = runtime.block_on(Table::open_or_create(
                lake.store.clone(),
                lake.table(&schema::gold(view)),
                &schema::aggregates(view),
                &[PARTITION],
                clock::unix_ms(),
            ))?;
            tables.insert(view, table);
        }
        let topic = settings.topics.aggregates();
        let consumer = log.consumer(&group(&settings.topics, "gold"), &topic)?;
        let folds = BTreeMap::new();
        let mut task: Self = Self {
            settings,
            topic: topic.clone(),
            consumer,
            runtime,
            tables,
            folds,
            written_at: clock::now(),
        };
        let mut until_end = until_end.map(|is_due| UntilEnd::new(&topic, is_due));
        while !is_stopped() {
            task.turn(until_end.as_mut())?;
            if let Some(until_end) = &mut until_end {
                let positions: Vec<_> =
                    task.folds.iter().map(|(partition, fold)| (*partition, fold.next)).collect();
                if until_end.is_done(log, &mut task.consumer, positions.into_iter())? {
                    break;
                }
            }
        }
        task.write()?;
        task.consumer.close();
        Ok(())
    }

    fn turn(&mut self, until_end: Option<&mut UntilEnd<'_>>) -> Result<(), LakeError> {
        let (folds, topic) = (&mut self.folds, &self.topic);
        let event = self.consumer.poll(POLL_WAIT, &mut |record| {
            if let Some(fold) = folds.get_mut(&record.partition)
                && !fold.apply(record)
            {
                let (partition, offset) = (record.partition.0, record.offset);
                tracing::error!(topic, partition, offset, "the record is not one of ours and is passed over");
            }
        });
        let event = match event {
            Err(error) if error.failure == Failure::Retriable => {
                tracing::warn!(topic = self.topic, %error, "cannot read: trying again");
                Event::Idle
            }
            event => event?,
        };
        match (event, until_end) {
            (Event::Assigned(partitions), until_end) => {
                self.folds.extend(partitions.iter().map(|partition| (*partition, Fold::default())));
                let start = |partition: &Partition| (*partition, NextOffset::START);
                self.consumer.start(&partitions.iter().map(start).collect::<Vec<_>>())?;
                if let Some(until_end) = until_end {
                    until_end.assigned();
                }
            }
            (Event::Revoked(partitions), _) => {
                self.write()?;
                self.release(&partitions)?;
            }
            (Event::Lost(partitions), _) => self.release(&partitions)?,
            (Event::End(partition), Some(until_end)) => {
                if let Some(fold) = self.folds.get(&partition) {
                    until_end.reached(partition, fold.next);
                }
            }
            (Event::Records(_) | Event::End(_) | Event::Idle, _) => {}
        }
        if self.written_at.elapsed() >= self.settings.gold_interval {
            self.write()?;
        }
        Ok(())
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.folds.retain(|partition, _| !partitions.contains(partition));
        Ok(self.consumer.release(partitions)?)
    }

    /// Brings the tables of the views that have changed up to date.
    fn write(&mut self) -> Result<(), LakeError> {
        let mut folds = std::mem::take(&mut self.folds);
        let mut positions = Vec::new();
        for (partition, fold) in &mut folds {
            for view in std::mem::take(&mut fold.changed) {
                self.replace(*partition, view, fold)?;
            }
            positions.push((*partition, fold.next));
        }
        self.folds = folds;
        self.written_at = clock::now();
        if let Err(error) = self.consumer.commit(&positions) {
            tracing::debug!(%error, "the group's offsets were not committed");
        }
        Ok(())
    }

    /// Replaces the partition's file in the view's table, unless a later state is there already.
    fn replace(&mut self, partition: Partition, view: View, fold: &Fold) -> Result<(), LakeError> {
        let Some(table) = self.tables.get_mut(&view) else { return Ok(()) };
        let rows = fold
            .current
            .range((view, Vec::new())..)
            .take_while(|((of, _), _)| *of == view)
            .map(|((_, record_key), (key, aggregate))| (record_key.as_slice(), key, aggregate));
        let batch = gold_batch(view, rows)?;
        let schema = file_schema(&schema::aggregates(view), &[PARTITION]);
        let value = partition.to_string();
        let file =
            encode(&schema, &[batch], &Encoding::new(&["record_key"]), &[(PARTITION, Some(value.clone()))])?;
        let app_id = format!("{}/{partition}", self.topic);
        let to = i64::try_from(fold.next.get()).unwrap_or(i64::MAX);
        let mut commit = Commit { adds: vec![file], ..Commit::default() };
        for _ in 0..TRIES_MAX {
            let from = table.snapshot().transaction(&app_id);
            if from.is_some_and(|from| from >= to) {
                return Ok(());
            }
            let files = table.snapshot().files.iter();
            commit.removes = files
                .filter(|(_, file)| file.partition_values.get(PARTITION) == Some(&Some(value.clone())))
                .map(|(path, _)| path.clone())
                .collect();
            commit.transactions = vec![Transaction { app_id: app_id.clone(), from, to }];
            match self.runtime.block_on(table.commit(&commit, clock::unix_ms()))? {
                Outcome::Committed { .. } => return Ok(()),
                Outcome::Refused(decision) => {
                    tracing::info!(?decision, "another sink was first: trying again")
                }
            }
        }
        tracing::warn!(
            view = view.name(),
            "gold is written by too many sinks at once: it is brought up to date later"
        );
        Ok(())
    }
}
