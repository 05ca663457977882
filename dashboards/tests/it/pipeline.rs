//! Indexes of a test's own on a real Elasticsearch, filled by the sink from topics with something of everything.

use std::io::Write;
use std::sync::{Arc, Once};
use std::{env, io};

use dashboards::server::{Credentials, Server};
use domain::{
    Aggregate, Atlas, COLUMNS, Country, Header, Origin, Outcome, RawRecord, Reject, Topics, Totals, View,
    arrivals_key, judge, wire,
};
use embedded::EmbeddedLog;
use engine::log::{Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, Partition};
use service::{Secret, Shutdown, clock};
use sink::index::generation::Names;
use sink::index::{Index, IndexMetrics, IndexSettings, Kind, run_index};

/// The server's address; without one the test says so and passes, unless servers have to be there.
pub(crate) fn address(group: &str) -> Option<String> {
    let address = env::var("UFO_ELASTICSEARCH").ok().filter(|address| !address.is_empty());
    if address.is_none() {
        let missing = "UFO_ELASTICSEARCH names no server";
        assert!(env::var_os("UFO_REQUIRE_SERVERS").is_none(), "{group}: {missing}");
        // Past the capture of the test harness: what was not run is told also where everything passes.
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            let _ = writeln!(io::stderr(), "SKIPPED {group}: {missing}");
        });
    }
    address
}

/// Its indexes are deleted when it is dropped.
pub(crate) struct Indexes {
    pub(crate) prefix: String,
    address: String,
}

impl Indexes {
    /// The indexes without a document in them.
    pub(crate) fn empty(address: &str, name: &str) -> Self {
        let indexes = Self {
            prefix: format!("test-dashboards-{name}-{}", std::process::id()),
            address: address.to_owned(),
        };
        indexes.index().prepare(&Names::new(&indexes.prefix).unwrap(), "v1").unwrap();
        indexes
    }

    pub(crate) fn filled(address: &str, name: &str) -> Self {
        let indexes = Self::empty(address, name);
        let topics = Topics::new(&indexes.prefix, "v1");
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(&folder.path().join("log")).unwrap();
        let spec = |kind: Kind| TopicSpec { name: kind.topic(&topics), partitions: 1, kept: Kept::Forever };
        log.ensure_topics(&Kind::ALL.map(spec)).unwrap();
        write(&log, &topics);
        let refused_file = folder.path().join("refused.ndjson");
        let settings = IndexSettings { refused_file, until_end: true, ..indexes.settings() };
        let metrics = Arc::new(IndexMetrics::default());
        let report = run_index(&log, &topics, &settings, &metrics, &Shutdown::new()).unwrap();
        assert!(report.done > 0 && report.refused == 0, "{report:?}");
        for kind in Kind::ALL {
            indexes.index().refresh(&Names::new(&indexes.prefix).unwrap().alias(kind)).unwrap();
        }
        indexes
    }

    pub(crate) fn server(&self) -> Server {
        Server::new("Elasticsearch", &self.address, Credentials::default()).unwrap()
    }

    pub(crate) fn index(&self) -> Index {
        Index::connect(&self.settings(), &Shutdown::new()).unwrap()
    }

    fn settings(&self) -> IndexSettings {
        IndexSettings { url: Secret::new(&*self.address), ..IndexSettings::default() }
    }
}

impl Drop for Indexes {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.index().remove(&Names::new(&self.prefix).unwrap()).unwrap();
        }
    }
}

/// Rows as people send them: several countries, good and bad, with what has to be repaired.
fn write(log: &EmbeddedLog, topics: &Topics) {
    let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
    let (atlas, now) = (Atlas::new(), clock::unix_ms());
    let mut totals = Totals::new();
    let mut producer = log.producer("test").unwrap();
    producer.begin().unwrap();
    let mut send = |kind: Kind, key: &[u8], value: &[u8]| {
        let topic = kind.topic(topics);
        let record =
            NewRecord { partition: Partition(0), timestamp_ms: now, key: Some(key), value: Some(value) };
        producer.send(&topic, record).unwrap();
    };
    for number in 0..600_u32 {
        let fields = row(number);
        let mut raw = Vec::new();
        let id = wire::encode_row(&header, fields.iter().map(|field| field.as_bytes()), &mut raw);
        let key = id.to_string().into_bytes();
        let record = RawRecord { key: Some(&key), value: Some(&raw) };
        totals.add(record, &atlas);
        let mut value = Vec::new();
        let kind = match judge(record, &atlas).outcome {
            Outcome::Sighting(sighting) => {
                wire::encode_sighting(&sighting, &mut value);
                Kind::Sightings
            }
            Outcome::Reject(rejection) => {
                let origin = Origin {
                    topic: "test.raw",
                    partition: 0,
                    offset: i64::from(number),
                    timestamp_ms: now,
                    key: Some(&key),
                    value: Some(&raw),
                };
                wire::encode_reject(&Reject::new(id, rejection, origin), &mut value);
                Kind::Rejects
            }
        };
        send(kind, &key, &value);
    }
    for minute in 0..30 {
        let mut key = Vec::new();
        arrivals_key(Country::new(*b"us"), now - 60_000 * minute, &mut key);
        totals.aggregates.insert(key, Aggregate { count: 20, ..Aggregate::default() });
    }
    for (key, aggregate) in &totals.aggregates {
        let mut value = Vec::new();
        wire::encode_aggregate(View::of_record_key(key).unwrap(), key, aggregate, &mut value);
        send(Kind::Aggregates, key, &value);
    }
    producer.commit().unwrap();
}

/// In the order of the columns; each number is a row of its own.
fn row(number: u32) -> [String; 11] {
    let places = [
        ("seattle", "wa", "us", "47.6", "-122.3"),
        ("phoenix", "az", "us", "33.4", "-112.1"),
        ("toronto", "on", "ca", "43.7", "-79.4"),
        ("london (uk/england)", "", "gb", "51.5", "-0.1"),
        ("sydney (australia)", "", "", "-33.9", "151.2"),
        ("seoul (south korea)", "", "", "37.5", "127"),
    ];
    let pick = |count: u32| number as usize % count as usize;
    let (city, state, country, latitude, longitude) = places[pick(6)];
    let date = match number % 50 {
        49 => "soon".to_owned(),
        hour => format!("{}/{}/{} {}:30", number % 12 + 1, number % 28 + 1, 1949 + number % 65, hour % 24),
    };
    let seconds = ["120", "2`", "97836000", "", "0.5"][pick(5)];
    let shape = ["light", "triangle", "circle", "", "changed", "disk", "cigar"][pick(7)];
    let comment = format!("number {number}");
    let fields =
        [&date, city, state, country, shape, seconds, "2 min", &comment, "5/1/2014", latitude, longitude];
    fields.map(str::to_owned)
}
