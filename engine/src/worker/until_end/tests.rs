//! A partition is through when its records are read, not when an end was told that has moved since.

use std::ops::ControlFlow;
use std::time::Duration;

use super::*;
use crate::log::{Event, Group, Producer, TopicSpec};
use crate::record::{NewRecord, Record};

const ONE: Partition = Partition(0);

/// A log whose high watermark is 10.
struct TenOffsets;

struct Reader {
    stable: u64,
    seeks: usize,
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
        self.seeks += 1;
        Ok(())
    }
    fn committed(&mut self, _: &[Partition]) -> Result<Vec<Option<NextOffset>>, LogError> {
        Ok(vec![None])
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
        Ok(Reader { stable: 0, seeks: 0 })
    }
    fn producer(&self, _: &str) -> Result<NoProducer, LogError> {
        Ok(NoProducer)
    }
    fn ends(&self, _: &str) -> Result<Vec<NextOffset>, LogError> {
        Ok(vec![NextOffset::at(10)])
    }
    fn read(
        &self,
        _: &str,
        _: Partition,
        from: NextOffset,
        _: NextOffset,
        _: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<NextOffset, LogError> {
        Ok(from)
    }
}

fn is_done(until_end: &mut UntilEnd<'_>, reader: &mut Reader, position: u64) -> bool {
    let positions = std::iter::once((ONE, NextOffset::at(position)));
    until_end.is_done(&TenOffsets, reader, positions).expect("the log answers")
}

#[test]
fn an_end_told_before_a_transaction_was_committed_is_no_end() {
    let at_once = AtomicBool::new(true);
    let mut until_end = UntilEnd::new("topic", &at_once);
    let mut reader = Reader { stable: 4, seeks: 0 };
    until_end.assigned();
    // Offsets 4 to 9 belong to an open transaction: the end is told at 4.
    until_end.reached(ONE, NextOffset::at(4));
    assert!(!is_done(&mut until_end, &mut reader, 4));
    // It is committed, and its records have not been handed out yet.
    reader.stable = 10;
    assert!(!is_done(&mut until_end, &mut reader, 4), "offsets 4 to 8 would be lost");
    assert_eq!(reader.seeks, 1, "the end is asked for again, once");
    assert!(!is_done(&mut until_end, &mut reader, 9));
    // Offset 9 is the marker, which is never handed out.
    until_end.reached(ONE, NextOffset::at(9));
    assert!(is_done(&mut until_end, &mut reader, 9));
    assert_eq!(reader.seeks, 1);
}

#[test]
fn what_is_read_to_the_end_needs_no_end_to_be_told() {
    let at_once = AtomicBool::new(true);
    let mut until_end = UntilEnd::new("topic", &at_once);
    let mut reader = Reader { stable: 10, seeks: 0 };
    assert!(!is_done(&mut until_end, &mut reader, 10), "nothing is assigned yet");
    until_end.assigned();
    assert!(is_done(&mut until_end, &mut reader, 10));
    assert_eq!(reader.seeks, 0);
}
