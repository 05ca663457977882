//! A topic is through when its records are committed, by whomever: not when an end was told that has moved since, and not
//! when only this member's partitions are.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::log::{Event, Group, Producer, TopicSpec};
use crate::record::{NewRecord, Record};

const ONE: Partition = Partition(0);
const TWO: Partition = Partition(1);

/// Two partitions that end at 10. Their last offset is a marker, which is never handed out.
#[derive(Default)]
struct TenOffsets {
    reads: AtomicUsize,
}

struct Reader {
    stable: u64,
    committed: Option<u64>,
}

struct NoProducer;

impl Producer for NoProducer {
    type Consumer = Reader;
    fn begin(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn send(&mut self, _: &str, _: NewRecord<'_>) -> Result<(), LogError> {
        Ok(())
    }
    fn send_offsets(&mut self, _: &Reader, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        Ok(())
    }
    fn commit(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn abort(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

impl Consumer for Reader {
    fn poll(&mut self, _: Duration, _: &mut dyn FnMut(Record<'_>)) -> Result<Event, LogError> {
        Ok(Event::Idle)
    }
    fn start(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        Ok(())
    }
    fn release(&mut self, _: &[Partition]) -> Result<(), LogError> {
        Ok(())
    }
    fn seek(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        Ok(())
    }
    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        Ok(vec![self.committed.map(NextOffset::at); partitions.len()])
    }
    fn commit(&mut self, _: &[(Partition, NextOffset)]) -> Result<(), LogError> {
        Ok(())
    }
    fn stable_end(&mut self, _: Partition) -> Result<NextOffset, LogError> {
        Ok(NextOffset::at(self.stable))
    }
    fn close(self) {}
}

impl Log for TenOffsets {
    type Consumer = Reader;
    type Producer = NoProducer;
    fn ensure_topics(&self, _: &[TopicSpec]) -> Result<(), LogError> {
        Ok(())
    }
    fn consumer(&self, _: &Group, _: &str) -> Result<Reader, LogError> {
        unreachable!("the tests have theirs")
    }
    fn producer(&self, _: &str) -> Result<NoProducer, LogError> {
        Ok(NoProducer)
    }
    fn ends(&self, _: &str) -> Result<Vec<NextOffset>, LogError> {
        Ok(vec![NextOffset::at(10); 2])
    }
    fn read(
        &self,
        _: &str,
        partition: Partition,
        from: NextOffset,
        to: NextOffset,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if from < NextOffset::at(9) {
            let record = Record { partition, offset: from.get(), timestamp_ms: 0, key: None, value: None };
            assert!(each(record).is_break(), "one record is enough");
            return Ok(NextOffset::after(from.get()));
        }
        Ok(to)
    }
}

struct Case {
    log: TenOffsets,
    reader: Reader,
    until_end: UntilEnd<'static>,
}

impl Case {
    fn new(stable: u64, committed: Option<u64>) -> Self {
        let reader = Reader { stable, committed };
        Self { log: TenOffsets::default(), reader, until_end: UntilEnd::at_once("topic") }
    }

    fn is_done(&mut self, own: &[(Partition, u64)], is_idle: bool) -> bool {
        let own: Vec<_> =
            own.iter().map(|(partition, position)| (*partition, NextOffset::at(*position))).collect();
        self.until_end.is_done(&self.log, &mut self.reader, &own, is_idle).expect("the log answers")
    }

    fn reads(&self) -> usize {
        self.log.reads.load(Ordering::Relaxed)
    }
}

#[test]
fn what_an_open_transaction_holds_is_waited_for() {
    // Offsets 4 to 9 belong to an open transaction: a reader of committed records is told an end at 4.
    let mut case = Case::new(4, None);
    assert!(!case.is_done(&[(ONE, 4), (TWO, 10)], true));
    // It is committed, and its records have not been handed out yet.
    case.reader.stable = 10;
    assert!(!case.is_done(&[(ONE, 4), (TWO, 10)], true), "offsets 4 to 8 would be lost");
    assert!(case.is_done(&[(ONE, 9), (TWO, 10)], true), "only the marker is left");
}

#[test]
fn it_is_not_looked_while_records_come_and_once_for_each_position() {
    let mut case = Case::new(10, None);
    assert!(!case.is_done(&[(ONE, 5), (TWO, 10)], false));
    assert_eq!(case.reads(), 0);
    for _ in 0..3 {
        assert!(!case.is_done(&[(ONE, 5), (TWO, 10)], true));
    }
    assert_eq!(case.reads(), 1);
    assert!(!case.is_done(&[(ONE, 6), (TWO, 10)], true));
    assert_eq!(case.reads(), 2);
    assert!(case.is_done(&[(ONE, 10), (TWO, 10)], false), "at the end there is nothing to look for");
    assert_eq!(case.reads(), 2);
}

#[test]
fn partitions_of_other_members_count() {
    let mut case = Case::new(10, None);
    assert!(!case.is_done(&[(ONE, 10)], true), "nobody has committed anything of the other partition");
    case.reader.committed = Some(8);
    assert!(!case.is_done(&[(ONE, 10)], true), "a member died there");
    case.reader.committed = Some(9);
    assert!(case.is_done(&[(ONE, 10)], true));
    assert!(case.is_done(&[], true), "what the others have done needs no partition of one's own");
}

#[test]
fn the_ends_are_taken_when_the_stages_before_are_through() {
    let upstream_is_done = AtomicBool::new(false);
    let mut case = Case::new(10, Some(10));
    let mut until_end = UntilEnd::new("topic", &upstream_is_done);
    assert!(!until_end.is_done(&case.log, &mut case.reader, &[], true).expect("the log answers"));
    assert_eq!(until_end.rest(&[]), []);
    upstream_is_done.store(true, Ordering::Release);
    assert!(until_end.is_done(&case.log, &mut case.reader, &[], true).expect("the log answers"));
    assert_eq!(until_end.rest(&[(ONE, NextOffset::START)]), [TWO]);
}
