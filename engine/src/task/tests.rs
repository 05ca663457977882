//! Restoring a task, on a log whose changelog has an open transaction.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::log::{Consumer, Event, Group, Kept, Producer};
use crate::observer::NoObserver;
use crate::record::NewRecord;

/// Two records: one committed, and one of a transaction that was open when the ends were asked for. Reading to the
/// high watermark waits for it; it is committed by then.
struct OpenTransaction;

impl Log for OpenTransaction {
    type Consumer = Nobody;
    type Producer = Nobody;

    fn ensure_topics(&self, _: &[TopicSpec]) -> Result<(), LogError> {
        unreachable!("restoring creates nothing")
    }

    fn consumer(&self, _: &Group, _: &str) -> Result<Nobody, LogError> {
        unreachable!("restoring joins no group")
    }

    fn producer(&self, _: &str) -> Result<Nobody, LogError> {
        unreachable!("restoring writes nothing")
    }

    fn ends(&self, _: &str) -> Result<Vec<NextOffset>, LogError> {
        Ok(vec![NextOffset::at(2)])
    }

    fn read(
        &self,
        _: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        for offset in from.get()..to.get().min(2) {
            let key = [b"settled", b"open..."][offset as usize].as_slice();
            let _ = each(Record { partition, offset, timestamp_ms: 0, key: Some(key), value: None });
        }
        Ok(to)
    }
}

struct Nobody;

impl Consumer for Nobody {
    fn poll(&mut self, _: Duration, _: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        unreachable!()
    }
    fn start(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        unreachable!()
    }
    fn release(&mut self, _: &[Partition]) -> Result<(), LogError> {
        unreachable!()
    }
    fn seek(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        unreachable!()
    }
    fn committed(&mut self, _: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        unreachable!()
    }
    fn commit(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        unreachable!()
    }
    fn stable_end(&mut self, _: Partition) -> Result<NextOffset, LogError> {
        unreachable!("the last stable offset is not where state ends")
    }
    fn close(self) {}
}

impl Producer for Nobody {
    type Consumer = Self;

    fn begin(&mut self) -> Result<(), LogError> {
        unreachable!()
    }
    fn send(&mut self, _: &str, _: NewRecord<'_>) -> Result<(), LogError> {
        unreachable!()
    }
    fn send_offsets(&mut self, _: &Self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        unreachable!()
    }
    fn commit(&mut self) -> Result<(), LogError> {
        unreachable!()
    }
    fn abort(&mut self) -> Result<(), LogError> {
        unreachable!()
    }
}

/// Keeps the keys that it was given back, unless the disk has them.
struct Restored {
    keys: Arc<Mutex<Vec<String>>>,
    is_on_disk: bool,
}

impl Stage for Restored {
    fn handle(&mut self, _: Record<'_>, _: &mut dyn Output) {}

    fn flush(&mut self, _: &mut dyn Output) -> Result<(), StateError> {
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        Ok(())
    }

    fn rolled_back(&mut self) {}

    fn restore(&mut self, changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let key = String::from_utf8_lossy(record.key.expect("a key")).into_owned();
        self.keys.lock().expect("one thread").push(format!("{changelog} {key}"));
        Ok(())
    }

    fn is_restored(&self) -> bool {
        self.is_on_disk
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}

fn restored(is_on_disk: bool) -> Vec<String> {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let topic = |name: &str| TopicSpec { name: name.into(), partitions: 1, kept: Kept::Compacted };
    let seen = keys.clone();
    let spec = StageSpec {
        name: "restored",
        input: topic("input"),
        outputs: Vec::new(),
        changelogs: vec![topic("first"), topic("second")],
        make: Box::new(move |_, _| Ok(Box::new(Restored { keys: seen.clone(), is_on_disk }))),
    };
    struct Still;
    impl Clock for Still {
        fn now(&self) -> Duration {
            Duration::ZERO
        }
        fn pause(&self, _: Duration) {}
    }
    let watcher = Watcher { clock: &Still, observer: &NoObserver };
    Task::restore(&OpenTransaction, &spec, Partition(0), NextOffset::START, watcher).expect("restores");
    keys.lock().expect("one thread").clone()
}

#[test]
fn restore_with_an_open_transaction() {
    assert_eq!(restored(false), ["0 settled", "0 open...", "1 settled", "1 open..."]);
}

#[test]
fn what_lies_whole_on_the_disk_is_not_restored() {
    assert_eq!(restored(true), [""; 0]);
}
