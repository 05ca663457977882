//! The topology against the plain recomputation, however it is cut into transactions, aborted and restarted.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Aggregate, Atlas, Header, Outcome, RawRecord, SightingId, Topics, Totals, arrivals_key, arrivals_minute,
    judge, wire,
};
use engine::driver::TopologyDriver;
use engine::partition::partition_of;
use engine::record::Partition;
use engine::state::Stores;
use processor::seen::{Counters, decode_seen};
use processor::topology_in;
use proptest::prelude::*;

const PARTITIONS: u32 = 3;
const START_MS: i64 = 1_700_000_000_000;

fn row(day: u8, city: u8, shape: u8) -> Vec<u8> {
    let cities = ["seattle", "phoenix (west side)", "london (uk/england)", "toronto (canada)", ""];
    let shapes = ["light", "changed", "", "circle"];
    let header = Header::parse(domain::COLUMNS.iter().map(|name| name.as_bytes())).expect("all columns");
    let date = if day == 0 { "soon".to_owned() } else { format!("7/{day}/2010 24:00") };
    let city = cities[usize::from(city) % cities.len()];
    let shape = shapes[usize::from(shape) % shapes.len()];
    let fields = [
        date.as_str(),
        city,
        "wa",
        "us",
        shape,
        "8`",
        "8 seconds",
        "it hovered",
        "8/1/2010",
        "47.6063889",
        "-122.3308333",
    ];
    let mut value = Vec::new();
    wire::encode_row(&header, fields.iter().map(|field| field.as_bytes()), &mut value);
    value
}

fn key_of(value: &[u8]) -> Vec<u8> {
    wire::decode_raw(value).expect("a row").id().to_hex().to_vec()
}

/// What the view `arrivals` has to be: each partition of `ufo.raw` by itself, in its order, with nothing but maps.
#[derive(Default)]
struct ArrivalsModel {
    newest: BTreeMap<Partition, i64>,
    ids: BTreeSet<SightingId>,
    minutes: BTreeMap<Vec<u8>, Aggregate>,
    late: u64,
}

impl ArrivalsModel {
    fn add(&mut self, record: RawRecord<'_>, timestamp_ms: i64, atlas: &Atlas) {
        let partition = partition_of(record.key.expect("a key"), PARTITIONS);
        let newest = self.newest.entry(partition).or_insert(timestamp_ms);
        *newest = (*newest).max(timestamp_ms);
        let verdict = judge(record, atlas);
        let Outcome::Sighting(sighting) = verdict.outcome else { return };
        if !self.ids.insert(verdict.id) {
            return;
        }
        let minute_end = timestamp_ms.div_euclid(60_000) * 60_000 + 60_000;
        if minute_end + 600_000 <= *newest {
            self.late += 1;
            return;
        }
        let mut key = Vec::new();
        arrivals_key(sighting.country, timestamp_ms, &mut key);
        self.minutes.entry(key).or_default().merge(&Aggregate::of(&sighting));
    }
}

/// The last value of each key of `ufo.aggregates`; a final one is never followed by another.
fn published(driver: &TopologyDriver, topics: &Topics) -> (BTreeMap<Vec<u8>, Aggregate>, BTreeSet<Vec<u8>>) {
    let (mut aggregates, mut closed) = (BTreeMap::new(), BTreeSet::new());
    for (_, _, record) in driver.read_out(&topics.aggregates()) {
        let value = record.value.as_deref().expect("a value");
        let (_, _, aggregate) = wire::decode_aggregate(value).expect("an aggregate");
        let key = record.key.clone().expect("a key");
        assert!(!closed.contains(&key), "a closed minute is never published again");
        if wire::is_final_aggregate(value) {
            closed.insert(key.clone());
        }
        aggregates.insert(key, aggregate);
    }
    (aggregates, closed)
}

type Row = (u8, u8, u8, i64);

/// How a run is cut: records in a transaction, and what happens before.
type Step = (usize, u8);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..28_u8, 0..5_u8, 0..4_u8, 0..2_400_000_i64), 1..120)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((1..40_usize, 0..5_u8), 1..8)
}

/// Where the state of the processes of a run lies.
trait Processes {
    fn stores(&self) -> Stores;

    /// The process is killed; what it left is found by the next.
    fn kill(&mut self) {}

    /// Every partition goes to another process.
    fn move_on(&mut self) {}
}

struct InMemory;

impl Processes for InMemory {
    fn stores(&self) -> Stores {
        Stores::Memory
    }
}

/// Runs the rows, cut by the steps, and compares everything with the plain recomputation.
fn restored_equals_recomputed(rows: &[Row], steps: &[Step], mut processes: impl Processes) {
    let atlas = Atlas::new();
    let topics = Topics::new("ufo", "v1");
    let mut driver = TopologyDriver::new(topology_in(&topics, PARTITIONS, &processes.stores()));
    let (mut totals, mut arrivals) = (Totals::new(), ArrivalsModel::default());
    let chunk = rows.len().div_ceil(steps.len());
    for (rows, (records_max, fault)) in rows.chunks(chunk).zip(steps) {
        for (day, city, shape, time_ms) in rows {
            let value = row(*day, *city, *shape);
            let key = key_of(&value);
            let record = RawRecord { key: Some(&key), value: Some(&value) };
            totals.add(record, &atlas);
            arrivals.add(record, START_MS + time_ms, &atlas);
            driver.pipe_in(&topics.raw(), &key, &value, START_MS + time_ms);
        }
        match fault {
            2 => driver.restart(),
            3 => {
                // Stopped and started, or moved: each with a clean end.
                driver.close().expect("closes");
                if rows.len() % 2 == 0 {
                    processes.move_on();
                }
                driver.with_stages(topology_in(&topics, PARTITIONS, &processes.stores()));
            }
            4 => {
                processes.kill();
                driver.with_stages(topology_in(&topics, PARTITIONS, &processes.stores()));
            }
            _ => {}
        }
        let is_aborting = *fault == 1;
        let result =
            if is_aborting { driver.run_with_aborts(*records_max) } else { driver.run(*records_max) };
        result.expect("state");
    }

    let sightings = driver.read_out(&topics.sightings()).count() as u64;
    let rejects = driver.read_out(&topics.rejects()).count() as u64;
    assert_eq!(sightings, totals.sightings);
    assert_eq!(rejects, totals.rejected());

    let mut last = BTreeMap::new();
    for (partition, _, record) in driver.read_out(&topics.seen_changelog()) {
        let block = decode_seen(record.value.as_deref().expect("a value")).expect("a block");
        last.insert(partition, block.counters);
    }
    let sum = |count: fn(&Counters) -> u64| last.values().map(count).sum::<u64>();
    assert_eq!(sum(|counters| counters.rows), totals.rows);
    assert_eq!(sum(|counters| counters.duplicates), totals.duplicates);
    assert_eq!(sum(|counters| counters.arrivals.late), arrivals.late);

    let (mut aggregates, closed) = published(&driver, &topics);
    let minutes = aggregates.extract_if(.., |key, _| arrivals_minute(key).is_some()).collect();
    assert_eq!(aggregates, totals.aggregates);
    assert_eq!(&arrivals.minutes, &minutes);
    assert_eq!(minutes.values().map(|minute| minute.count).sum::<u64>() + arrivals.late, sightings);

    // Final is what every partition has passed, restarts or not.
    let passed = (0..PARTITIONS).map(|partition| arrivals.newest.get(&Partition(partition)).copied());
    let passed = passed.min().flatten().unwrap_or(i64::MIN);
    let over = |key: &&Vec<u8>| arrivals_minute(key).expect("a minute") + 60_000 + 600_000 <= passed;
    assert_eq!(closed, minutes.keys().filter(over).cloned().collect::<BTreeSet<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn restore_equals_recompute(rows in rows(), steps in steps()) {
        restored_equals_recomputed(&rows, &steps, InMemory);
    }
}

#[cfg(feature = "disk")]
mod on_disk {
    use std::fs;
    use std::path::Path;

    use engine::record::NextOffset;
    use engine::state::disk::DiskStores;
    use tempfile::TempDir;

    use super::*;

    /// Two processes, each with a folder of its own; the partitions are with one of them.
    struct OnDisk {
        folders: [TempDir; 2],
        open: [Stores; 2],
        working: usize,
    }

    impl OnDisk {
        fn new() -> Self {
            let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
            let open = [0, 1].map(|process| stores(&folders[process]));
            Self { folders, open, working: 0 }
        }
    }

    fn stores(folder: &TempDir) -> Stores {
        Stores::Disk(DiskStores::open(folder.path()).expect("opens"))
    }

    impl Processes for OnDisk {
        fn stores(&self) -> Stores {
            self.open[self.working].clone()
        }

        fn kill(&mut self) {
            let left = tempfile::tempdir().expect("a folder");
            copy(self.folders[self.working].path(), left.path());
            self.open[self.working] = stores(&left);
            self.folders[self.working] = left;
        }

        fn move_on(&mut self) {
            self.working = 1 - self.working;
        }
    }

    /// A journal is mostly zeros that were never written.
    fn copy_sparse(from: &Path, to: &Path) {
        let bytes = fs::read(from).expect("reads");
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        fs::write(to, &bytes[..end]).expect("writes");
        fs::File::options()
            .write(true)
            .open(to)
            .and_then(|file| file.set_len(bytes.len() as u64))
            .expect("as long");
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("lists") {
            let entry = entry.expect("an entry");
            let to = to.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                copy(&entry.path(), &to);
            } else {
                copy_sparse(&entry.path(), &to);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn restore_equals_recompute_on_disk(rows in rows(), steps in steps()) {
            restored_equals_recomputed(&rows, &steps, OnDisk::new());
        }
    }

    /// The changelogs are not read again: what somebody else writes to them meanwhile is not seen.
    #[test]
    fn a_clean_stop_needs_no_changelog() {
        let topics = Topics::new("ufo", "v1");
        let folder = tempfile::tempdir().expect("a folder");
        let read = |stage: usize, stores: &Stores| {
            let spec = &topology_in(&topics, PARTITIONS, stores)[stage];
            let stage = (spec.make)(Partition(0), NextOffset::at(9)).expect("opens");
            stage.is_restored()
        };
        let first = stores(&folder);
        for stage in [0, 1] {
            let spec = &topology_in(&topics, PARTITIONS, &first)[stage];
            let mut task = (spec.make)(Partition(0), NextOffset::START).expect("opens");
            assert!(!task.is_restored());
            task.restored().expect("an empty changelog");
            task.close(NextOffset::at(9)).expect("closes");
        }
        drop(first);
        let second = stores(&folder);
        assert!(read(0, &second) && read(1, &second));
        assert!(!read(0, &second), "opened, and not closed");
    }
}
