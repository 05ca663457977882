//! Gold: the current aggregates of each view. The compacted topic is folded from its beginning; each of its partitions
//! owns one file in each view's table, which is replaced as a whole.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use delta::encode::encode;
use delta::{Encoding, Transaction, file_schema};
use domain::View;
use engine::UntilEnd;
use engine::log::{Consumer, Event, Failure, Log};
use engine::record::{NextOffset, Partition};
use service::clock;

use super::fold::Fold;
use super::path::{PARTITION, app_id};
use super::rows::gold_batch;
use super::seek::stable_end;
use super::store::{Landed, TableStore};
use super::{LakeError, Task, group, schema};

const POLL_WAIT: Duration = Duration::from_millis(100);
/// Another sink may be first now and then; not for ever.
const TRIES_MAX: usize = 20;
/// Writing takes no more than one part in so many of the time, however large the state is.
const WRITING_SHARE: u32 = 20;

/// A view's partitions that have changed.
type Changed = BTreeMap<View, Vec<Partition>>;

pub(super) struct GoldTask<L: Log> {
    topic: String,
    consumer: L::Consumer,
    stores: BTreeMap<View, TableStore>,
    folds: BTreeMap<Partition, Fold>,
    interval: Duration,
    next_at: Instant,
}

impl<L: Log> GoldTask<L> {
    pub(super) fn run(task: &Task<'_, L>) -> Result<(), LakeError> {
        let settings = task.settings;
        let mut stores = BTreeMap::new();
        for view in View::ALL {
            let name = task.tables.gold(view);
            let (schema, uploads_max) = (schema::aggregates(view), settings.bounds.memory_bytes);
            let store = TableStore::open(&task.io, settings, name, &schema, &[PARTITION], uploads_max)?;
            stores.insert(view, store);
        }
        let topic = settings.topics.aggregates();
        let id = format!("{}-gold", settings.topics.application("sink-lake"));
        let consumer = task.log.consumer(&group(&id), &topic)?;
        let mut until_end = task.until_end.map(|is_due| UntilEnd::new(topic.as_str(), is_due));
        let mut this: Self = Self {
            topic: topic.clone(),
            consumer,
            stores,
            folds: BTreeMap::new(),
            interval: settings.gold_interval,
            next_at: clock::now() + settings.gold_interval,
        };
        while !task.is_stopped() {
            let is_idle = this.turn()?;
            if let Some(until_end) = &mut until_end
                && this.is_done(task.log, until_end, is_idle)?
            {
                break;
            }
        }
        this.write()?;
        this.consumer.close();
        Ok(())
    }

    /// True where there was nothing to do.
    fn turn(&mut self) -> Result<bool, LakeError> {
        let event = self.poll()?;
        let is_idle = event == Event::Idle;
        match event {
            Event::Records(_) | Event::Idle => {}
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked(partitions) => {
                self.write()?;
                self.release(&partitions)?;
            }
            Event::Lost(partitions) => self.release(&partitions)?,
            Event::End(partition) => {
                if let Some(fold) = self.folds.get_mut(&partition) {
                    fold.reached_end();
                }
            }
        }
        if clock::now() >= self.next_at {
            self.write()?;
        }
        Ok(is_idle)
    }

    fn poll(&mut self) -> Result<Event, LakeError> {
        let (folds, topic) = (&mut self.folds, &self.topic);
        let event = self.consumer.poll(POLL_WAIT, &mut |record| {
            if let Some(fold) = folds.get_mut(&record.partition)
                && !fold.apply(record)
            {
                let (partition, offset) = (record.partition.0, record.offset);
                tracing::error!(topic, partition, offset, "the record is not one of ours and is passed over");
            }
        });
        match event {
            Err(error) if error.failure == Failure::Retriable => {
                tracing::warn!(topic, %error, "cannot read: trying again");
                Ok(Event::Idle)
            }
            event => Ok(event?),
        }
    }

    /// The topic holds all that the tables hold, so that every reader begins at its beginning.
    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        for partition in partitions {
            let end = stable_end(&mut self.consumer, *partition)?;
            self.folds.insert(*partition, Fold::new(end));
        }
        let start = |partition: &Partition| (*partition, NextOffset::START);
        Ok(self.consumer.start(&partitions.iter().map(start).collect::<Vec<_>>())?)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LakeError> {
        self.folds.retain(|partition, _| !partitions.contains(partition));
        Ok(self.consumer.release(partitions)?)
    }

    /// Brings the tables of the views that have changed up to date.
    fn write(&mut self) -> Result<(), LakeError> {
        let started = clock::now();
        let mut changed = Changed::new();
        let mut positions = Vec::new();
        for (partition, fold) in self.folds.iter_mut().filter(|(_, fold)| fold.is_whole()) {
            for view in fold.take_changed() {
                changed.entry(view).or_default().push(*partition);
            }
            positions.push((*partition, fold.next()));
        }
        for _ in 0..TRIES_MAX {
            if changed.is_empty() {
                break;
            }
            changed = self.replace(changed)?;
        }
        for (view, partitions) in changed {
            let name = view.name();
            tracing::warn!(view = name, "too many sinks write {name}: it is brought up to date later");
            for partition in partitions {
                positions.retain(|(written, _)| *written != partition);
                if let Some(fold) = self.folds.get_mut(&partition) {
                    fold.mark_changed(view);
                }
            }
        }
        let written = clock::now();
        let pause = self.interval.max(written.saturating_duration_since(started) * WRITING_SHARE);
        self.next_at = written + pause;
        // For those who watch the lag, and for a sink that ends when the group is through.
        if let Err(error) = self.consumer.commit(&positions) {
            tracing::debug!(%error, "the group's offsets were not committed");
        }
        Ok(())
    }

    /// One commit for each view, all on their way together. What another sink got in the way of comes back.
    fn replace(&mut self, changed: Changed) -> Result<Changed, LakeError> {
        let (folds, topic) = (&self.folds, &self.topic);
        for (view, partitions) in &changed {
            if let Some(store) = self.stores.get_mut(view) {
                start_replacing(store, *view, partitions, folds, topic)?;
            }
        }
        let mut again = Changed::new();
        for (view, partitions) in changed {
            let Some(store) = self.stores.get_mut(&view) else { continue };
            match store.wait()? {
                None | Some(Landed::Committed { .. }) => {}
                Some(Landed::Moved) => {
                    store.refresh()?;
                    again.insert(view, partitions);
                }
            }
        }
        Ok(again)
    }

    /// Writes when this sink's partitions are read; of the others the group's offsets tell.
    fn is_done(&mut self, log: &L, until_end: &mut UntilEnd<'_>, is_idle: bool) -> Result<bool, LakeError> {
        let own: Vec<_> = self.folds.iter().map(|(partition, fold)| (*partition, fold.next())).collect();
        if !until_end.is_read(log, &mut self.consumer, &own, is_idle)? {
            return Ok(false);
        }
        // Everything that was there is in: no later record is missing.
        self.folds.values_mut().for_each(Fold::reached_end);
        if self.folds.values().any(Fold::has_changed) {
            self.write()?;
        }
        Ok(until_end.is_rest_committed(log, &mut self.consumer, &own)?)
    }
}

/// Replaces the partitions' files in the view's table, unless a later state is there already.
fn start_replacing(
    store: &mut TableStore,
    view: View,
    partitions: &[Partition],
    folds: &BTreeMap<Partition, Fold>,
    topic: &str,
) -> Result<(), LakeError> {
    let schema = file_schema(&schema::aggregates(view), &[PARTITION]);
    let encoding = Encoding::new(schema::AGGREGATES_DISTINCT);
    let (mut removes, mut steps) = (Vec::new(), Vec::new());
    for (partition, fold) in
        partitions.iter().filter_map(|partition| Some((partition, folds.get(partition)?)))
    {
        let app_id = app_id(topic, *partition);
        let from = store.transaction(&app_id);
        let to = i64::try_from(fold.next().get()).unwrap_or(i64::MAX);
        if from.is_some_and(|from| from >= to) {
            continue;
        }
        let value = Some(partition.to_string());
        store.look(|table| {
            let files = table.snapshot().files.iter();
            let ours = files.filter(|(_, file)| file.partition_values.get(PARTITION) == Some(&value));
            removes.extend(ours.map(|(path, _)| path.clone()));
        });
        steps.push(Transaction { app_id, from, to });
        let batch = gold_batch(view, fold.rows(view))?;
        if batch.num_rows() > 0 {
            store.upload(encode(&schema, &[batch], &encoding, &[(PARTITION, value)])?);
        }
    }
    if !steps.is_empty() {
        store.commit(removes, steps);
    }
    Ok(())
}
