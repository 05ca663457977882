//! A log between a worker and the real one: each call waits for its verdict, and fails, gets lost or arrives late.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::log::{Cause, Consumer, Event, Failure, Group, Log, LogError, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition, Record};

use crate::scheduler::{Baton, Call, Fate, Verdict, die};

/// A member of a group: emptied when its group throws it out.
pub(crate) type Seat<C> = Arc<Mutex<Option<C>>>;

/// What the world holds of the workers' clients.
pub(crate) struct Clients<L: Log> {
    /// The seats of each worker.
    pub(crate) seats: Vec<(usize, Seat<L::Consumer>)>,
    /// Commits that are still under way.
    pub(crate) delayed: Vec<L::Producer>,
}

pub(crate) type SharedClients<L> = Arc<Mutex<Clients<L>>>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever is killed with a lock in his hands leaves nothing half done behind it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The log as one worker sees it.
pub(crate) struct FaultyLog<L: Log> {
    pub(crate) inner: L,
    pub(crate) worker: usize,
    pub(crate) baton: Arc<Baton>,
    pub(crate) clients: SharedClients<L>,
}

fn failed(call: Call, failure: Failure) -> LogError {
    LogError::new(failure, Cause::Other, format!("drawn for {call:?}"))
}

impl<L: Log> FaultyLog<L> {
    fn simple(&self, call: Call) -> Result<(), LogError> {
        self.baton.simple(call).map_or(Ok(()), |failure| Err(failed(call, failure)))
    }
}

impl<L: Log + Clone> Log for FaultyLog<L> {
    type Consumer = FaultyConsumer<L>;
    type Producer = FaultyProducer<L>;

    fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        self.inner.ensure_topics(topics)
    }

    fn consumer(&self, group: &Group, topic: &str) -> Result<Self::Consumer, LogError> {
        self.simple(Call::Consumer)?;
        let consumer = self.inner.consumer(group, topic)?;
        let seat = Arc::new(Mutex::new(Some(consumer)));
        lock(&self.clients).seats.push((self.worker, Arc::clone(&seat)));
        Ok(FaultyConsumer {
            log: self.inner.clone(),
            baton: Arc::clone(&self.baton),
            group: group.clone(),
            topic: topic.to_owned(),
            seat,
            held: BTreeSet::new(),
        })
    }

    fn producer(&self, transactional_id: &str) -> Result<Self::Producer, LogError> {
        let made = || self.inner.producer(transactional_id);
        let inner = match self.baton.at(Call::Producer) {
            Verdict::Succeed => made()?,
            Verdict::Fail(failure, Fate::Arrived) => {
                drop(made()?);
                return Err(failed(Call::Producer, failure));
            }
            Verdict::Fail(failure, Fate::Lost | Fate::Delayed) => {
                return Err(failed(Call::Producer, failure));
            }
            Verdict::Die(_) => die(),
        };
        let clients = Arc::clone(&self.clients);
        Ok(FaultyProducer { inner: Some(inner), baton: Arc::clone(&self.baton), clients, must_abort: false })
    }

    fn ends(&self, topic: &str) -> Result<Vec<NextOffset>, LogError> {
        self.simple(Call::Ends)?;
        self.inner.ends(topic)
    }

    fn read(
        &self,
        topic: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        let is_broken_off = match self.baton.at(Call::Read) {
            Verdict::Succeed => false,
            Verdict::Fail(_, Fate::Arrived) => true,
            Verdict::Fail(failure, Fate::Lost | Fate::Delayed) => return Err(failed(Call::Read, failure)),
            Verdict::Die(_) => die(),
        };
        let mut records = 0;
        let read = self.inner.read(topic, partition, from, to, &mut |record| {
            records += 1;
            if is_broken_off && records == 2 { ControlFlow::Break(()) } else { each(record) }
        });
        if is_broken_off { Err(failed(Call::Read, Failure::Retriable)) } else { read }
    }
}

pub(crate) struct FaultyConsumer<L: Log> {
    log: L,
    baton: Arc<Baton>,
    group: Group,
    topic: String,
    seat: Seat<L::Consumer>,
    held: BTreeSet<Partition>,
}

impl<L: Log> FaultyConsumer<L> {
    fn simple(&self, call: Call) -> Result<(), LogError> {
        self.baton.simple(call).map_or(Ok(()), |failure| Err(failed(call, failure)))
    }

    /// A call that does nothing for a member that was thrown out: its next poll tells it.
    fn seated(
        &self,
        call: Call,
        act: impl FnOnce(&mut L::Consumer) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        self.simple(call)?;
        lock(&self.seat).as_mut().map_or(Ok(()), act)
    }
}

impl<L: Log + Clone> Consumer for FaultyConsumer<L> {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        self.simple(Call::Poll)?;
        let mut seat = lock(&self.seat);
        let event = match seat.as_mut() {
            Some(consumer) => consumer.poll(Duration::ZERO, each)?,
            None if self.held.is_empty() => {
                *seat = Some(self.log.consumer(&self.group, &self.topic)?);
                Event::Idle
            }
            None => Event::Lost(std::mem::take(&mut self.held).into_iter().collect()),
        };
        drop(seat);
        match &event {
            Event::Assigned(partitions) => self.held.extend(partitions),
            Event::Idle => drop(self.baton.simple(Call::Pause(wait))),
            Event::Records(_) | Event::Revoked(_) | Event::Lost(_) | Event::End(_) => {}
        }
        Ok(event)
    }

    fn start(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.seated(Call::Start, |consumer| consumer.start(positions))
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.held.retain(|partition| !partitions.contains(partition));
        self.seated(Call::Release, |consumer| consumer.release(partitions))
    }

    fn seek(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.seated(Call::Seek, |consumer| consumer.seek(positions))
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        self.simple(Call::Committed)?;
        match lock(&self.seat).as_mut() {
            Some(consumer) => consumer.committed(partitions),
            // Anybody may ask. To come and go between two polls moves no partition.
            None => self.log.consumer(&self.group, &self.topic)?.committed(partitions),
        }
    }

    fn commit(&mut self, positions: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        self.seated(Call::Commit, |consumer| consumer.commit(positions))
    }

    fn stable_end(&mut self, partition: Partition) -> Result<NextOffset, LogError> {
        self.simple(Call::StableEnd)?;
        match lock(&self.seat).as_mut() {
            Some(consumer) => consumer.stable_end(partition),
            None => self.log.consumer(&self.group, &self.topic)?.stable_end(partition),
        }
    }

    fn close(self) {}
}

impl<L: Log> Drop for FaultyConsumer<L> {
    fn drop(&mut self) {
        // Who is killed does not say goodbye: his group waits for him.
        if !std::thread::panicking() {
            lock(&self.seat).take();
        }
    }
}

pub(crate) struct FaultyProducer<L: Log> {
    /// Gone with a commit that is under way.
    inner: Option<L::Producer>,
    baton: Arc<Baton>,
    clients: SharedClients<L>,
    /// A part of the transaction has failed: nothing but an abort is taken.
    must_abort: bool,
}

impl<L: Log> FaultyProducer<L> {
    fn call(
        &mut self,
        call: Call,
        act: impl FnOnce(&mut L::Producer) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let verdict = self.baton.at(call);
        if self.must_abort && call != Call::Abort {
            return Err(failed(call, Failure::Abortable));
        }
        let Some(inner) = &mut self.inner else { return Err(failed(call, Failure::Retriable)) };
        let fate = match verdict {
            Verdict::Succeed => {
                let done = act(inner);
                self.must_abort &= call != Call::Abort || done.is_err();
                return done;
            }
            Verdict::Fail(Failure::Abortable, _) => {
                self.must_abort = true;
                return Err(failed(call, Failure::Abortable));
            }
            Verdict::Fail(_, fate) | Verdict::Die(fate) => fate,
        };
        match fate {
            Fate::Arrived => act(inner)?,
            Fate::Lost => {}
            Fate::Delayed => lock(&self.clients).delayed.extend(self.inner.take()),
        }
        match verdict {
            Verdict::Fail(failure, _) => Err(failed(call, failure)),
            Verdict::Succeed | Verdict::Die(_) => die(),
        }
    }
}

impl<L: Log + Clone> Producer for FaultyProducer<L> {
    type Consumer = FaultyConsumer<L>;

    fn begin(&mut self) -> Result<(), LogError> {
        self.call(Call::Begin, Producer::begin)
    }

    fn send(&mut self, topic: &str, record: NewRecord<'_>) -> Result<(), LogError> {
        self.call(Call::Send, |producer| producer.send(topic, record))
    }

    fn send_offsets(
        &mut self,
        consumer: &Self::Consumer,
        positions: &[(Partition, NextOffset)],
    ) -> Result<(), LogError> {
        let seat = Arc::clone(&consumer.seat);
        self.call(Call::SendOffsets, |producer| match lock(&seat).as_ref() {
            Some(consumer) => producer.send_offsets(consumer, positions),
            None => Err(failed(Call::SendOffsets, Failure::Abortable)),
        })
    }

    fn commit(&mut self) -> Result<(), LogError> {
        self.call(Call::Commit, Producer::commit)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.call(Call::Abort, Producer::abort)
    }
}
