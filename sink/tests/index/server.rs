//! A pipeline of its own for each test: an embedded log with the three topics, and indexes under a name of their own.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use domain::view::Part;
use domain::{
    Aggregate, Atlas, COLUMNS, Header, Key, Outcome, RawRecord, SightingId, Topics, View, judge, wire,
};
use embedded::EmbeddedLog;
use engine::log::{Consumer, Group, Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition};
use service::{Secret, Shutdown, clock};
use sink::index::generation::Names;
use sink::index::{Index, IndexError, IndexMetrics, IndexReport, IndexSettings, Kind, group_of, run_index};

pub(crate) const PARTITIONS: u32 = 2;
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The server's address; without one the test says so, once, and passes.
pub(crate) fn address() -> Option<String> {
    static TOLD: Once = Once::new();
    let address = std::env::var("UFO_ELASTICSEARCH").ok().filter(|address| !address.is_empty());
    if address.is_none() {
        assert!(std::env::var_os("UFO_REQUIRE_SERVERS").is_none(), "UFO_ELASTICSEARCH names no server");
        // Past the capture of the test harness: what was not run is told also where everything passes.
        TOLD.call_once(|| {
            let _ = writeln!(io::stderr(), "SKIPPED sink's index: UFO_ELASTICSEARCH names no server");
        });
    }
    address
}

/// One pipeline. Its indexes are deleted when it is dropped.
pub(crate) struct Pipeline {
    pub(crate) log: EmbeddedLog,
    pub(crate) topics: Topics,
    pub(crate) settings: IndexSettings,
    pub(crate) metrics: Arc<IndexMetrics>,
    folder: tempfile::TempDir,
    server: String,
}

/// Partition, key, value.
type Written = (u32, Vec<u8>, Option<Vec<u8>>);

impl Pipeline {
    pub(crate) fn start(server: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(server, &format!("test-{}-{number}", std::process::id()))
    }

    /// With a fresh log, on the indexes of another one.
    pub(crate) fn again(other: &Self) -> Self {
        Self::named(&other.server, other.topics.prefix())
    }

    fn named(server: &str, prefix: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(&folder.path().join("log")).unwrap();
        let topics = Topics::new(prefix, "v1");
        let specs = Kind::ALL.map(|kind| TopicSpec {
            name: kind.topic(&topics),
            partitions: PARTITIONS,
            kept: Kept::Forever,
        });
        log.ensure_topics(&specs).unwrap();
        let settings = IndexSettings {
            url: Secret::new(server),
            linger: Duration::from_millis(200),
            connect_patience: Duration::from_secs(1),
            refused_file: folder.path().join("refused.ndjson"),
            ..IndexSettings::default()
        };
        let metrics = Arc::new(IndexMetrics::default());
        Self { log, topics, settings, metrics, folder, server: server.to_owned() }
    }

    /// Writes records in one transaction; a value of `None` is a tombstone.
    pub(crate) fn write(&self, kind: Kind, records: &[Written]) {
        let mut producer = self.log.producer("test").unwrap();
        producer.begin().unwrap();
        for (partition, key, value) in records {
            let record = NewRecord {
                partition: Partition(*partition),
                timestamp_ms: 0,
                key: Some(key),
                value: value.as_deref(),
            };
            producer.send(&kind.topic(&self.topics), record).unwrap();
        }
        producer.commit().unwrap();
    }

    pub(crate) fn write_sightings(&self, numbers: std::ops::Range<u32>) {
        let records: Vec<_> = numbers.map(sighting).collect();
        self.write(Kind::Sightings, &records);
    }

    pub(crate) fn run(&self, shutdown: &Shutdown) -> Result<IndexReport, IndexError> {
        run_index(&self.log, &self.topics, &self.settings, &self.metrics, shutdown)
    }

    /// Runs the sink beside `test`, and stops it afterwards, also when the test fails.
    pub(crate) fn run_beside(&self, test: impl FnOnce(&Shutdown)) -> Result<IndexReport, IndexError> {
        let shutdown = Shutdown::new();
        thread::scope(|scope| {
            let sink = scope.spawn(|| self.run(&shutdown));
            let guard = StopOnDrop(&shutdown);
            wait_for("the aliases", LIMIT, || {
                sink.is_finished() || self.index().active(&self.names()).unwrap().is_some()
            });
            test(&shutdown);
            drop(guard);
            sink.join().unwrap()
        })
    }

    pub(crate) fn run_until_end(&mut self) -> IndexReport {
        self.settings.until_end = true;
        self.metrics = Arc::new(IndexMetrics::default());
        self.run(&Shutdown::new()).unwrap()
    }

    /// Straight to the server, whatever stands in front of it for the sink.
    pub(crate) fn index(&self) -> Index {
        let settings = IndexSettings { url: Secret::new(&*self.server), ..self.settings.clone() };
        Index::connect(&settings, &Shutdown::new()).unwrap()
    }

    pub(crate) fn names(&self) -> Names {
        Names::new(self.topics.prefix()).unwrap()
    }

    pub(crate) fn name(&self, kind: Kind) -> String {
        self.names().index(kind, "v1").unwrap()
    }

    pub(crate) fn refused_file(&self) -> PathBuf {
        self.folder.path().join("refused.ndjson")
    }

    /// Ids and versions, in the order of the ids.
    pub(crate) fn found(&self, kind: Kind) -> Vec<(String, u64)> {
        let documents = self.index().ids(&self.name(kind)).unwrap();
        let mut found: Vec<_> =
            documents.map(|found| found.unwrap()).map(|found| (found.id, found.version)).collect();
        found.sort_unstable();
        found
    }

    /// What the sink's group has committed, by partition. Joins the group: ask when no sink runs.
    pub(crate) fn committed(&self, kind: Kind) -> Vec<NextOffset> {
        let group = Group { id: group_of(&self.topics, kind), instance: None };
        let mut consumer = self.log.consumer(&group, &kind.topic(&self.topics)).unwrap();
        let partitions: Vec<_> = (0..PARTITIONS).map(Partition).collect();
        let committed = consumer.committed(&partitions).unwrap();
        consumer.close();
        committed.into_iter().map(Option::unwrap_or_default).collect()
    }

    pub(crate) fn ends(&self, kind: Kind) -> Vec<NextOffset> {
        self.log.ends(&kind.topic(&self.topics)).unwrap()
    }
}

/// Ends a sink whose test has failed: its thread would wait for ever.
pub(crate) struct StopOnDrop<'s>(pub(crate) &'s Shutdown);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let settings = IndexSettings { url: Secret::new(&*self.server), ..self.settings.clone() };
        if let Ok(index) = Index::connect(&settings, &Shutdown::new()) {
            let _ = index.remove(&self.names());
        }
    }
}

/// Waits until something is true, or fails.
pub(crate) fn wait_for(what: &str, limit: Duration, mut is_true: impl FnMut() -> bool) {
    let begin = clock::now();
    while !is_true() {
        assert!(begin.elapsed() < limit, "{what}: not after {limit:?}");
        clock::pause(Duration::from_millis(50));
    }
}

/// A cleaned sighting as its topic has it. Each number is a sighting of its own.
pub(crate) fn sighting(number: u32) -> (u32, Vec<u8>, Option<Vec<u8>>) {
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    let comment = format!("number {number}: \"a light\"\nover the lake &#44 \u{e9}");
    let fields = [
        "7/4/1999 24:00",
        "seattle",
        "wa",
        "us",
        "light",
        "120",
        "2 min",
        &comment,
        "7/5/1999",
        "47.6",
        "-122.3",
    ];
    let mut raw = Vec::new();
    let id = wire::encode_row(&header, fields.map(str::as_bytes), &mut raw);
    let key = id.to_string().into_bytes();
    let verdict = judge(RawRecord { key: Some(&key), value: Some(&raw) }, atlas());
    let Outcome::Sighting(sighting) = verdict.outcome else { panic!("{verdict:?}") };
    let mut value = Vec::new();
    wire::encode_sighting(&sighting, &mut value);
    (partition_of(id), key, Some(value))
}

fn partition_of(id: SightingId) -> u32 {
    u32::from(id.to_bytes()[0]) % PARTITIONS
}

fn atlas() -> &'static Atlas {
    static ATLAS: std::sync::OnceLock<Atlas> = std::sync::OnceLock::new();
    ATLAS.get_or_init(Atlas::new)
}

/// An aggregate by country as its topic has it.
pub(crate) fn aggregate(country: &str, count: u64) -> (u32, Vec<u8>, Option<Vec<u8>>) {
    aggregate_of(View::Country, vec![Part::Text(country.into())], Aggregate { count, ..Aggregate::default() })
}

pub(crate) fn aggregate_of(
    view: View,
    parts: Vec<Part>,
    aggregate: Aggregate,
) -> (u32, Vec<u8>, Option<Vec<u8>>) {
    let key = Key(parts).record_key(view);
    let mut value = Vec::new();
    wire::encode_aggregate(view, &key, &aggregate, &mut value);
    (0, key, Some(value))
}
