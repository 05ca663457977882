//! A topology that counts records by key and window of event time, publishes final results only, and forgets windows
//! when they are closed: `readings` → admit → `admitted` → count → `results`.

use std::time::Duration;

use engine::log::{Kept, TopicSpec};
use engine::record::{NewRecord, Partition, Record};
use engine::stage::{Output, Stage, StageSpec};
use engine::state::{Codec, KeyedStore, StateError, Store};
use engine::window::{Intake, OpenWindows, StreamTime, TimeOf, Window, Windows};

pub(crate) const PARTITIONS: u32 = 3;
pub(crate) const GRACE_MS: i64 = 25;
pub(crate) const WINDOWS: Windows = Windows::tumbling(Duration::from_millis(10), Duration::from_millis(25));

/// The time that a reading tells.
const TIME: TimeOf = TimeOf::Event(|record| std::str::from_utf8(record.value?).ok()?.parse().ok());

pub(crate) fn topology() -> Vec<StageSpec> {
    let topic = |name: &str, kept| TopicSpec { name: name.to_owned(), partitions: PARTITIONS, kept };
    let admit = StageSpec {
        name: "admit",
        input: topic("readings", Kept::Forever),
        outputs: vec![topic("admitted", Kept::Forever), topic("intakes", Kept::Compacted)],
        changelogs: vec![topic("intakes", Kept::Compacted)],
        make: Box::new(|partition, _| Ok(Box::new(Admit { partition, ..Admit::default() }))),
    };
    let count = StageSpec {
        name: "count",
        input: topic("admitted", Kept::Forever),
        outputs: ["results", "counts", "times"].map(|name| topic(name, Kept::Compacted)).to_vec(),
        changelogs: ["times", "counts"].map(|name| topic(name, Kept::Compacted)).to_vec(),
        make: Box::new(|partition, _| Ok(Box::new(Count::new(partition)))),
    };
    vec![admit, count]
}

#[derive(Debug)]
struct Admit {
    partition: Partition,
    committed: Intake,
    intake: Intake,
}

impl Default for Admit {
    fn default() -> Self {
        Self { partition: Partition(0), committed: Intake::default(), intake: Intake::default() }
    }
}

fn numbers<const N: usize>(numbers: [i64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn number(bytes: &[u8], index: usize) -> i64 {
    i64::from_be_bytes(bytes[index * 8..][..8].try_into().expect("eight bytes"))
}

impl Stage for Admit {
    fn handle(&mut self, record: Record<'_>, output: &mut dyn Output) {
        let time_ms = TIME.record(&record).expect("a reading tells its time");
        let Some(window) = self.intake.admit(&WINDOWS, time_ms) else { return };
        let key = record.key.expect("a reading has a key");
        let partition = engine::partition::partition_of(key, PARTITIONS);
        let value = numbers([window.start_ms()]);
        output.send(0, NewRecord { partition, timestamp_ms: 0, key: Some(key), value: Some(&value) });
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        let time =
            numbers([i64::from(self.partition.0), self.intake.time.get().expect("a record was handled")]);
        for partition in (0..PARTITIONS).map(Partition) {
            output.send(0, NewRecord { partition, timestamp_ms: 0, key: None, value: Some(&time) });
        }
        let value = numbers([self.intake.time.get().expect("as above"), self.intake.late.cast_signed()]);
        let record = NewRecord {
            partition: self.partition,
            timestamp_ms: 0,
            key: Some(b"intake"),
            value: Some(&value),
        };
        output.send(1, record);
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.committed = self.intake;
        Ok(())
    }

    fn rolled_back(&mut self) {
        self.intake = self.committed;
    }

    fn restore(&mut self, _changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let value = record.value.expect("an intake");
        self.intake =
            Intake { time: StreamTime::at(number(value, 0)), late: number(value, 1).cast_unsigned() };
        self.committed = self.intake;
        Ok(())
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}

const CODEC: Codec<i64> = Codec {
    write: |count, out| out.extend_from_slice(&count.to_be_bytes()),
    read: |bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)),
};

struct Count {
    partition: Partition,
    counts: KeyedStore<i64>,
    open: OpenWindows,
}

impl Count {
    fn new(partition: Partition) -> Self {
        Self {
            partition,
            counts: KeyedStore::new(&Store::Memory, CODEC),
            open: OpenWindows::new(WINDOWS, PARTITIONS),
        }
    }
}

/// Window and key, as the key of the store, the changelog and the results.
fn window_key(window: Window, key: &[u8]) -> Vec<u8> {
    [&numbers([window.start_ms()]), key].concat()
}

impl Stage for Count {
    fn handle(&mut self, record: Record<'_>, _output: &mut dyn Output) {
        let value = record.value.expect("a window or a time");
        let Some(key) = record.key else {
            let source = u32::try_from(number(value, 0)).expect("a partition");
            assert!(self.open.advance(source, StreamTime::at(number(value, 1))), "the source exists");
            return;
        };
        let window = WINDOWS.of(number(value, 0));
        let key = window_key(window, key);
        assert!(self.open.open(window, &key), "what was admitted is never late");
        *self.counts.change(&key) += 1;
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError> {
        let mut send = |topic: usize, key: &[u8], value: Option<&[u8]>| {
            output
                .send(topic, NewRecord { partition: self.partition, timestamp_ms: 0, key: Some(key), value });
        };
        for (key, count) in self.counts.pending() {
            send(1, key, Some(&numbers([*count])));
        }
        let closing: Vec<_> = self.open.closing().map(|(_, key)| key.to_vec()).collect();
        for key in closing {
            let count = self.counts.get(&key)?.expect("an open window has a count");
            send(0, &key, Some(&numbers([count])));
            send(1, &key, None);
            self.counts.leave(&key);
        }
        for (source, time) in (0..).zip(self.open.times()) {
            if let Some(time_ms) = time.get() {
                send(2, &numbers([source]), Some(&numbers([time_ms])));
            }
        }
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        self.counts.committed()?;
        self.open.committed();
        let mut kept = 0;
        self.counts.each(&[], |_, _| kept += 1)?;
        assert_eq!(kept, self.open.len(), "what is closed is not kept");
        Ok(())
    }

    fn rolled_back(&mut self) {
        self.counts.rolled_back();
        self.open.rolled_back();
    }

    fn restore(&mut self, changelog: usize, record: Record<'_>) -> Result<(), StateError> {
        let key = record.key.expect("a key");
        if changelog == 0 {
            let source = u32::try_from(number(key, 0)).expect("a partition");
            assert!(
                self.open.restore_source(source, StreamTime::at(number(record.value.expect("a time"), 0)))
            );
            return Ok(());
        }
        let window = WINDOWS.of(number(key, 0));
        match record.value {
            Some(_) => self.open.restore_open(window, key),
            None => self.open.restore_closed(window, key),
        }
        self.counts.restore(key, record.value.map(|value| number(value, 0)))
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}
