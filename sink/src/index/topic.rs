//! One topic into one index: poll, batch, send, commit what is confirmed. Runs on a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use engine::UntilEnd;
use engine::log::{Consumer, Event, Failure, Log, LogError};
use engine::record::{NextOffset, Partition};
use service::{Shutdown, clock};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::{debug, error, warn};

use super::bulk::{Batches, Sealed};
use super::deliver::Delivery;
use super::document::Kind;
use super::error::IndexError;
use super::pipeline::{Pipeline, Sequence};
use super::refused::{Refusal, RefusedFile};
use super::settings::IndexSettings;

/// How long a poll may keep answers of the server waiting.
const POLL_WAIT: Duration = Duration::from_millis(50);
/// A member of a group that does not poll for minutes is taken for dead: this often it polls while it cannot send.
const MEMBERSHIP_EVERY: Duration = Duration::from_secs(5);
/// How long partitions that are asked back may wait for what is in flight; then the next owner sends it again.
const REVOKE_PATIENCE: Duration = Duration::from_secs(20);
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// When the threads end: a request from outside, or one of them has failed.
pub(super) struct Stop<'a> {
    pub(super) shutdown: &'a Shutdown,
    pub(super) has_failed: AtomicBool,
}

impl Stop<'_> {
    fn is_requested(&self) -> bool {
        self.shutdown.is_requested() || self.has_failed()
    }

    fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }
}

/// What a topic's thread is given.
pub(super) struct Way<'a> {
    pub(super) topic: String,
    pub(super) kind: Kind,
    pub(super) delivery: Arc<Delivery>,
    pub(super) runtime: Handle,
    pub(super) refused: &'a RefusedFile,
    pub(super) settings: &'a IndexSettings,
    pub(super) stop: &'a Stop<'a>,
}

struct Delivered {
    sequence: Sequence,
    sealed: Sealed,
    result: Result<Vec<Refusal>, IndexError>,
}

struct Topic<'a, L: Log> {
    way: Way<'a>,
    log: &'a L,
    consumer: L::Consumer,
    batches: Batches,
    pipeline: Pipeline,
    positions: BTreeMap<Partition, NextOffset>,
    until_end: Option<UntilEnd<'static>>,
    /// The last poll met nothing.
    is_idle: bool,
    /// When the oldest record that is not sent was read.
    waiting_since: Option<Instant>,
    sender: Sender<Delivered>,
    delivered: Receiver<Delivered>,
    tasks: Vec<(Sequence, AbortHandle)>,
}

/// Runs until stopped, or, where the settings say so, until everything is indexed that was there at the start.
pub(super) fn run<L: Log>(log: &L, consumer: L::Consumer, way: Way<'_>) -> Result<(), IndexError> {
    let (sender, delivered) = channel();
    let mut topic = Topic {
        batches: Batches::new(way.kind, way.settings.bounds),
        until_end: way.settings.until_end.then(|| UntilEnd::at_once(way.topic.as_str())),
        is_idle: false,
        way,
        log,
        consumer,
        pipeline: Pipeline::default(),
        positions: BTreeMap::new(),
        waiting_since: None,
        sender,
        delivered,
        tasks: Vec::new(),
    };
    let result = topic.work();
    topic.tasks.iter().for_each(|(_, task)| task.abort());
    topic.consumer.close();
    result
}

impl<L: Log> Topic<'_, L> {
    fn work(&mut self) -> Result<(), IndexError> {
        while !self.way.stop.is_requested() {
            self.settle_all()?;
            let is_read = self.is_read()?;
            self.send(is_read || self.has_lingered());
            let is_indexed = self.batches.is_empty() && self.pipeline.is_empty();
            if is_read && is_indexed && self.is_rest_committed()? {
                break;
            }
            if self.batches.has_full() || is_read && !is_indexed {
                self.wait_for_room()?;
            } else {
                self.poll()?;
            }
        }
        if self.way.stop.has_failed() {
            return Ok(());
        }
        self.finish(self.way.settings.shutdown_grace)
    }

    fn poll(&mut self) -> Result<(), IndexError> {
        let (batches, positions) = (&mut self.batches, &mut self.positions);
        let result = self.consumer.poll(POLL_WAIT, &mut |record| {
            positions.insert(record.partition, NextOffset::after(record.offset));
            batches.push(&record);
        });
        if !self.batches.is_empty() && self.waiting_since.is_none() {
            self.waiting_since = Some(clock::now());
        }
        self.is_idle = matches!(result, Ok(Event::Idle));
        match result {
            Ok(event) => self.handle(event),
            Err(error) => tolerate(error),
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), IndexError> {
        match event {
            Event::Records(_) | Event::End(_) | Event::Idle => {}
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked(partitions) => {
                match self.finish(REVOKE_PATIENCE) {
                    Ok(()) | Err(IndexError::NotDrained { .. }) => {}
                    Err(error) => return Err(error),
                }
                self.give_back(&partitions)?;
            }
            Event::Lost(partitions) => self.give_back(&partitions)?,
        }
        Ok(())
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), IndexError> {
        let committed = self.consumer.committed(partitions)?;
        let positions: Vec<_> = partitions
            .iter()
            .zip(committed)
            .map(|(partition, next)| (*partition, next.unwrap_or(NextOffset::START)))
            .collect();
        debug!(topic = self.way.topic, partitions = positions.len(), "partitions assigned");
        self.positions.extend(positions.iter().copied());
        Ok(self.consumer.start(&positions)?)
    }

    fn give_back(&mut self, partitions: &[Partition]) -> Result<(), IndexError> {
        self.batches.forget(partitions);
        self.pipeline.forget(partitions);
        self.positions.retain(|partition, _| !partitions.contains(partition));
        Ok(self.consumer.release(partitions)?)
    }

    fn has_lingered(&self) -> bool {
        self.waiting_since.is_some_and(|since| since.elapsed() >= self.way.settings.linger)
    }

    /// Sends what is full, or everything, while there is room.
    fn send(&mut self, also_open: bool) {
        while self.pipeline.len() < self.way.settings.in_flight_max {
            let Some(mut batch) = self.batches.next(also_open) else { break };
            self.waiting_since = None;
            let unreadable = batch.take_unreadable();
            let sequence = self.pipeline.sent(batch.take_positions());
            let sealed = batch.seal();
            let (delivery, sender) = (Arc::clone(&self.way.delivery), self.sender.clone());
            let task = self.way.runtime.spawn(async move {
                let mut result = delivery.deliver(&sealed).await;
                if let Ok(refused) = &mut result {
                    refused.extend(unreadable);
                }
                // The receiver is gone only when nobody waits for the answer any more.
                let _ = sender.send(Delivered { sequence, sealed, result });
            });
            self.tasks.push((sequence, task.abort_handle()));
        }
        if !self.batches.is_empty() && self.waiting_since.is_none() {
            self.waiting_since = Some(clock::now());
        }
    }

    fn settle_all(&mut self) -> Result<(), IndexError> {
        while let Ok(delivered) = self.delivered.try_recv() {
            self.settle(delivered)?;
        }
        self.commit()
    }

    /// What is refused is on disk before the batch counts as confirmed.
    fn settle(&mut self, delivered: Delivered) -> Result<(), IndexError> {
        let Delivered { sequence, sealed, result } = delivered;
        let refused = result?;
        if let Some(first) = refused.first() {
            self.way.refused.append(self.way.delivery.index(), &self.way.topic, &refused)?;
            self.way.delivery.refused(refused.len());
            error!(
                topic = self.way.topic,
                documents = refused.len(),
                file = %self.way.refused.path().display(),
                kind = first.kind,
                "{} documents are not in the index: see {}", refused.len(), self.way.refused.path().display()
            );
        }
        self.tasks.retain(|(task, _)| *task != sequence);
        self.pipeline.confirmed(sequence);
        self.batches.recycle(sealed);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), IndexError> {
        let positions = self.pipeline.to_commit();
        if positions.is_empty() {
            return Ok(());
        }
        match self.consumer.commit(&positions) {
            Ok(()) => self.pipeline.committed(),
            Err(error) if error.failure == Failure::Retriable => {
                warn!(topic = self.way.topic, %error, "offsets could not be committed; trying again");
            }
            // The group has moved on: whoever has the partitions now writes the same documents again.
            Err(error) if matches!(error.failure, Failure::Fenced | Failure::Abortable) => {
                warn!(topic = self.way.topic, %error, "offsets could not be committed; the next owner reads again");
                self.pipeline.committed();
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Waits for the server, and stays in the group meanwhile.
    fn wait_for_room(&mut self) -> Result<(), IndexError> {
        let mut last_poll = clock::now();
        while self.pipeline.len() >= self.way.settings.in_flight_max && !self.way.stop.is_requested() {
            self.wait_for_answer()?;
            if last_poll.elapsed() >= MEMBERSHIP_EVERY {
                self.keep_membership()?;
                last_poll = clock::now();
            }
        }
        // At the end of everything there is room, and still an answer to wait for.
        if self.pipeline.is_empty() { Ok(()) } else { self.wait_for_answer() }
    }

    fn wait_for_answer(&mut self) -> Result<(), IndexError> {
        match self.delivered.recv_timeout(POLL_WAIT) {
            Ok(delivered) => self.settle(delivered)?,
            // The topic holds a sender itself.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        self.commit()
    }

    /// Polls, and goes back to where it was: there is no room for what comes.
    fn keep_membership(&mut self) -> Result<(), IndexError> {
        let mut first = BTreeMap::new();
        let result = self.consumer.poll(Duration::ZERO, &mut |record| {
            first.entry(record.partition).or_insert(NextOffset::at(record.offset));
        });
        if !first.is_empty() {
            self.consumer.seek(&first.into_iter().collect::<Vec<_>>())?;
        }
        match result {
            Ok(event) => self.handle(event),
            Err(error) => tolerate(error),
        }
    }

    /// Sends everything that was read and waits until it is confirmed and committed.
    fn finish(&mut self, patience: Duration) -> Result<(), IndexError> {
        let begin = clock::now();
        loop {
            self.send(true);
            self.settle_all()?;
            if self.batches.is_empty() && self.pipeline.is_empty() && self.pipeline.to_commit().is_empty() {
                return Ok(());
            }
            if begin.elapsed() >= patience || self.way.stop.has_failed() {
                return Err(IndexError::NotDrained { batches: self.pipeline.len().max(1) });
            }
            self.wait_for_answer()?;
        }
    }

    /// True once everything is read that this sink's partitions held at the start.
    fn is_read(&mut self) -> Result<bool, IndexError> {
        let own = self.own();
        let Some(until_end) = &mut self.until_end else { return Ok(false) };
        Ok(until_end.is_read(self.log, &mut self.consumer, &own, self.is_idle)?)
    }

    /// True once the other partitions are indexed too, by whomever.
    fn is_rest_committed(&mut self) -> Result<bool, IndexError> {
        let own = self.own();
        let Some(until_end) = &mut self.until_end else { return Ok(false) };
        Ok(until_end.is_rest_committed(self.log, &mut self.consumer, &own)?)
    }

    fn own(&self) -> Vec<(Partition, NextOffset)> {
        self.positions.iter().map(|(partition, next)| (*partition, *next)).collect()
    }
}

/// The log's own trouble passes or is an error of the run.
fn tolerate(error: LogError) -> Result<(), IndexError> {
    match error.failure {
        Failure::Retriable => {
            warn!(%error, "reading failed; trying again");
            clock::pause(RETRY_PAUSE);
            Ok(())
        }
        Failure::Abortable | Failure::Fenced | Failure::Unknown => Err(error.into()),
    }
}
