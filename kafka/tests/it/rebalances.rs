//! The engine's workers while members come and go: every number is copied exactly once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use engine::clock::Clock;
use engine::log::{Kept, TopicSpec};
use engine::observer::{Moment, Observer};
use engine::record::{NewRecord, Partition, Record};
use engine::run::{RunSettings, run};
use engine::stage::{Output, Stage, StageSpec};
use engine::state::StateError;
use kafka::Kafka;

use crate::broker::{self, unique};

const PARTITIONS: u32 = 6;

struct Wall(Instant);

impl Wall {
    #[expect(clippy::disallowed_methods, reason = "this test is the edge that hands time in")]
    fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Wall {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, pause: Duration) {
        thread::sleep(pause);
    }
}

/// Copies each record to the same partition of the output.
struct Copy(Partition);

impl Stage for Copy {
    fn handle(&mut self, record: Record<'_>, output: &mut dyn Output) {
        let Record { timestamp_ms, key, value, .. } = record;
        output.send(0, NewRecord { partition: self.0, timestamp_ms, key, value });
    }

    fn flush(&mut self, _: &mut dyn Output) -> Result<(), StateError> {
        Ok(())
    }

    fn committed(&mut self) -> Result<(), StateError> {
        Ok(())
    }

    fn rolled_back(&mut self) {}

    fn restore(&mut self, _: usize, _: Record<'_>) -> Result<(), StateError> {
        Ok(())
    }

    fn pending_bytes(&self) -> usize {
        0
    }
}

#[derive(Default)]
struct Counts {
    committed: AtomicU64,
    assigned: AtomicU64,
    failed: AtomicU64,
}

impl Observer for Counts {
    fn observe(&self, _: &'static str, moment: &Moment) {
        match moment {
            Moment::Committed { records, .. } => drop(self.committed.fetch_add(*records, Ordering::Relaxed)),
            Moment::Assigned { .. } => drop(self.assigned.fetch_add(1, Ordering::Relaxed)),
            Moment::Failed { .. } => drop(self.failed.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
    }
}

#[test]
fn rebalance_1_up_3_down_copies_each_record_once() {
    if let Some(settings) = broker::settings("eager rebalances while data flows") {
        copies_each_record_once(&Kafka::new(settings));
    }
}

#[test]
fn cooperative_rebalance_1_up_3_down_copies_each_record_once() {
    if let Some(settings) = broker::settings("cooperative rebalances while data flows") {
        copies_each_record_once(&Kafka::new(broker::cooperative(settings)));
    }
}

fn copies_each_record_once(kafka: &Kafka) {
    let (input, output) = (broker::topic(kafka, PARTITIONS), broker::topic(kafka, PARTITIONS));
    let spec = |name: &str| TopicSpec { name: name.to_owned(), partitions: PARTITIONS, kept: Kept::Forever };
    let stages = [StageSpec {
        name: "copy",
        input: spec(&input),
        outputs: vec![spec(&output)],
        changelogs: Vec::new(),
        make: Box::new(|partition, _| Ok(Box::new(Copy(partition)))),
    }];
    let application = unique("copy");
    let is_fed = AtomicBool::new(false);
    let counts = Counts::default();
    let member = |number: usize, stop: &AtomicBool| {
        let settings = RunSettings {
            application: application.clone(),
            instance: number.to_string(),
            is_static_member: false,
            threads: 1,
            worker: engine::WorkerSettings::default(),
        };
        run(kafka, &stages, &settings, None, &Wall::new(), &|| stop.load(Ordering::Relaxed), &counts)
            .expect("a member works until it is stopped");
    };

    let stops: Vec<AtomicBool> = (0..3).map(|_| AtomicBool::new(false)).collect();
    let fed = thread::scope(|scope| {
        let feed = scope.spawn(|| feed(kafka, &input, &is_fed));
        for (number, stop) in stops.iter().enumerate() {
            let member = &member;
            scope.spawn(move || member(number, stop));
            thread::sleep(Duration::from_secs(6));
        }
        for stop in &stops[1..] {
            stop.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_secs(6));
        }
        is_fed.store(true, Ordering::Relaxed);
        let fed = feed.join().expect("fed");
        for _ in 0..600 {
            if counts.committed.load(Ordering::Relaxed) >= fed {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        stops[0].store(true, Ordering::Relaxed);
        fed
    });

    let mut copied = BTreeMap::<u64, u32>::new();
    for partition in 0..PARTITIONS {
        let numbers = broker::read(kafka, &output, partition).expect("read");
        assert!(numbers.is_sorted(), "partition {partition} keeps its order");
        for number in numbers {
            *copied.entry(number).or_default() += 1;
        }
    }
    let twice = copied.values().filter(|count| **count > 1).count();
    let missing = (0..fed).filter(|number| !copied.contains_key(number)).count();
    eprintln!(
        "{fed} records, {} assignments, {} failed steps",
        counts.assigned.load(Ordering::Relaxed),
        counts.failed.load(Ordering::Relaxed)
    );
    assert_eq!((missing, twice), (0, 0), "of {fed}");
    assert!(counts.assigned.load(Ordering::Relaxed) >= 5, "members came and went");
}

/// Writes numbers, in small transactions, until told to stop. Returns how many.
fn feed(kafka: &Kafka, topic: &str, is_fed: &AtomicBool) -> u64 {
    let mut producer = broker::producer(kafka, &unique("feed"));
    let mut next = 0;
    while !is_fed.load(Ordering::Relaxed) {
        let partition = u32::try_from(next / 100 % u64::from(PARTITIONS)).expect("small");
        broker::write(&mut producer, topic, partition, next..next + 100);
        next += 100;
        thread::sleep(Duration::from_millis(5));
    }
    next
}
