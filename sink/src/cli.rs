//! The `sink` program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use delta::Lake;
use domain::Topics;
use engine::log::{Kept, Log, TopicSpec};
use kafka::Kafka;
use kafka::options::{LogFlags, LogSettings};
use page::{Page, PageSettings};
use serde::{Deserialize, Serialize};
use service::exit::{Code, Exit};
use service::http::{self, Watched};
use service::settings::{self, CommonFlags, Invalid};
use service::{Health, Metrics, Settings, Shutdown, telemetry};

use crate::index::generation::Names;
use crate::index::options::{ElasticsearchFlags, ElasticsearchSettings};
use crate::index::{Index, IndexMetrics, IndexSettings, Kind, part_of, run_index};
use crate::lake::{self, LakeMetrics, LakeSettings, run_lake, set_up_lake};

/// What switches a destination off.
const OFF: &str = "none";

const LAKE_MEMORY_MIB_DEFAULT: usize = 576;
/// A file for each year of the sightings is open at the same time.
const LAKE_MEMORY_MIB_MIN: usize = 24;

/// Writes sightings, rejects and aggregates from the log into Elasticsearch and into the lake (Delta tables on S3 or in a
/// folder), each once in each. Start more of them and they share the work.
#[derive(Debug, clap::Parser)]
#[command(name = "sink", version, max_term_width = 110)]
struct Flags {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    common: CommonFlags,
}

#[derive(Clone, Debug, clap::Args, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    log: LogFlags,
    #[command(flatten)]
    #[serde(flatten)]
    elasticsearch: ElasticsearchFlags,
    /// Where the lake is: s3://bucket/prefix (credentials and endpoint by AWS_* variables), a folder, or `none`
    /// [default: data/lake]
    #[arg(long, value_name = "URL")]
    lake: Option<String>,
    /// Memory that the lake's open files may take together, in MiB; less of it makes more and smaller files
    /// [default: 576]
    #[arg(long, value_name = "MIB")]
    lake_memory_mib: Option<usize>,
    /// Folder for what Elasticsearch refuses [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Serve the live page there, as in 127.0.0.1:8080 [default: not served]
    #[arg(long, value_name = "ADDRESS:PORT")]
    page: Option<SocketAddr>,
    /// The country with a view of its own on the page, as ISO 3166 code [default: us]
    #[arg(long, value_name = "CODE")]
    home: Option<String>,
    /// Stop when everything is written that was there at the start
    #[arg(long)]
    #[serde(skip)]
    until_end: bool,
    /// Make what is missing (topics, bucket, indexes and their aliases), and exit; may be run again
    #[arg(long)]
    #[serde(skip)]
    setup: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgramSettings {
    #[serde(flatten)]
    log: LogSettings,
    #[serde(flatten)]
    elasticsearch: ElasticsearchSettings,
    lake: String,
    lake_memory_mib: usize,
    data: PathBuf,
    page: Option<SocketAddr>,
    home: String,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            log: LogSettings::default(),
            elasticsearch: ElasticsearchSettings::default(),
            lake: "data/lake".into(),
            lake_memory_mib: LAKE_MEMORY_MIB_DEFAULT,
            data: "data".into(),
            page: None,
            home: "us".into(),
        }
    }
}

impl Settings for ProgramSettings {
    const TABLE: &'static str = "sink";

    fn check(&self) -> Result<(), Invalid> {
        if self.elasticsearch.is_off() && self.lake == OFF {
            return Err(Invalid::new("lake", "is none and so is `elasticsearch`: there is nothing to do"));
        }
        if !(LAKE_MEMORY_MIB_MIN..=1 << 20).contains(&self.lake_memory_mib) {
            let reason = format!("must be between {LAKE_MEMORY_MIB_MIN} and {}", 1 << 20);
            return Err(Invalid::new("lake_memory_mib", reason));
        }
        self.log.fault().map_or(Ok(()), |(key, reason)| Err(Invalid::new(key, reason)))
    }
}

impl ProgramSettings {
    fn index(&self, until_end: bool) -> Option<IndexSettings> {
        let index = self.elasticsearch.index()?;
        Some(IndexSettings { refused_file: self.data.join("refused.ndjson"), until_end, ..index })
    }

    fn lake(&self, topics: &Topics) -> Result<Option<LakeSettings>, Exit> {
        if self.lake == OFF {
            return Ok(None);
        }
        let lake = Lake::open(&self.lake).map_err(|error| Exit::from_error(Code::Config, error))?;
        let mut settings = LakeSettings::new(topics.clone(), lake);
        settings.limit_memory(self.lake_memory_mib << 20);
        Ok(Some(settings))
    }
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = given.load::<ProgramSettings>(&given.flags.common, &given.flags.options)?;
    telemetry::start(&loaded.process)?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let program = &loaded.settings;
    let until_end = given.flags.options.until_end;
    let topics = Topics::new(&program.log.prefix, &program.log.generation);
    let metrics = Metrics::new();
    let log = Kafka::new(program.log.kafka()).with_lag(&metrics);
    log.ensure_topics(&read_topics(&topics, program.log.partitions))?;
    let index = program.index(until_end);
    let mut lake = program.lake(&topics)?;
    if given.flags.options.setup {
        return set_up(&topics, index.as_ref(), lake.as_ref(), &shutdown);
    }
    let watched = Watched { health: Health::default(), metrics, shutdown: shutdown.clone() };
    let index_metrics = Arc::new(watch(&watched, index.as_ref(), lake.as_mut()));
    let _page =
        program.page.map(|address| show_live(&log, program, address, &watched.metrics)).transpose()?;
    let _server = http::listen(&loaded.process, watched)?;

    // One that fails stops the other: whoever supervises the process starts both again, each where it was.
    let failing = |result: Result<(), Exit>| {
        if result.is_err() {
            shutdown.request();
        }
        result
    };
    let at_once = AtomicBool::new(true);
    let (indexed, written) = thread::scope(|scope| {
        let indexing = scope.spawn(|| {
            let work = |settings| run_index(&log, &topics, settings, &index_metrics, &shutdown);
            failing(index.as_ref().map(work).transpose().map(|_| ()).map_err(Exit::from))
        });
        let work = |settings| run_lake(&log, settings, until_end.then_some(&at_once), &shutdown);
        let written = failing(lake.as_ref().map(work).transpose().map(|_| ()).map_err(Exit::from));
        (indexing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), written)
    });
    indexed.and(written)?;
    tracing::info!("stopped: everything read is written");
    Ok(())
}

/// Sightings that the page keeps here, beside index and lake: 32 MB.
const PAGE_SIGHTINGS_MAX: usize = 2_000_000;

/// The live page of these topics.
fn show_live(
    log: &Kafka,
    program: &ProgramSettings,
    address: SocketAddr,
    metrics: &Metrics,
) -> Result<Page, Exit> {
    let topics = Topics::new(&program.log.prefix, &program.log.generation);
    let settings = PageSettings {
        home: program.home.clone(),
        facts_max: PAGE_SIGHTINGS_MAX,
        metrics: metrics.clone(),
        ..PageSettings::new(address, topics)
    };
    let page = Page::start(log, settings)?;
    tracing::info!(address = %page.address(), "the page is at http://{}", page.address());
    Ok(page)
}

/// Makes what the sink writes to. Only here is a bucket made: one that is missing later has been lost.
fn set_up(
    topics: &Topics,
    index: Option<&IndexSettings>,
    lake: Option<&LakeSettings>,
    shutdown: &Shutdown,
) -> Result<(), Exit> {
    if let Some(settings) = index {
        let names = Names::new(topics.prefix())?;
        Index::connect(settings, shutdown)?.prepare(&names, topics.generation())?;
    }
    if let Some(settings) = lake
        && set_up_lake(settings)?
    {
        tracing::info!("made the bucket of {}", settings.lake.url);
    }
    tracing::info!("set up: topics, indexes and lake are there");
    Ok(())
}

/// What is told about this process: parts that are not ready yet, and metrics.
fn watch(watched: &Watched, index: Option<&IndexSettings>, lake: Option<&mut LakeSettings>) -> IndexMetrics {
    let Watched { health, metrics, .. } = watched;
    if index.is_some() {
        Kind::ALL.into_iter().for_each(|kind| health.not_ready(part_of(kind), "starting"));
    }
    if let Some(settings) = lake {
        health.not_ready(lake::PART, "starting");
        settings.health = health.clone();
        settings.metrics = LakeMetrics::registered(metrics);
    }
    IndexMetrics::registered(metrics, health.clone())
}

/// What the sink reads, as the processor makes it: so that the order of starting does not matter.
fn read_topics(topics: &Topics, partitions: u32) -> Vec<TopicSpec> {
    let topic = |name, kept| TopicSpec { name, partitions, kept };
    vec![
        topic(topics.raw(), Kept::Forever),
        topic(topics.sightings(), Kept::Forever),
        topic(topics.rejects(), Kept::Forever),
        topic(topics.aggregates(), Kept::Compacted),
    ]
}
