//! The `processor` program.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::Topics;
use engine::WorkerSettings;
use engine::state::Stores;
use engine::state::disk::DiskStores;
use kafka::Kafka;
use kafka::options::{LogFlags, LogSettings};
use serde::{Deserialize, Serialize};
use service::exit::{Code, Exit};
use service::http::{self, Watched};
use service::settings::{self, CommonFlags, Invalid};
use service::{Health, Metrics, Settings, Shutdown, telemetry};

use crate::metrics::RowMetrics;
use crate::observed::{Observed, PARTS};
use crate::{ProcessorSettings, run_processor};

/// Cleans the sightings in the log and keeps their aggregates, exactly once. Start as many as there are partitions: they
/// share the work, and take over from one that dies.
#[derive(Debug, clap::Parser)]
#[command(name = "processor", version, max_term_width = 110)]
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
    /// A name that no other processor of this pipeline has; with it a restart takes its partitions back at once
    /// [default: kept in --data, else a new one at each start]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Folder of this process alone, where it keeps its name and its state
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where state is kept while it works: `memory`, or `disk` (in --data), which may be bigger than memory and need not be
    /// restored after a clean stop [default: disk with --data, else memory]
    #[arg(long, value_name = "PLACE")]
    state: Option<StatePlace>,
    /// Worker threads for each of the two stages [default: 1]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How often results are committed, in milliseconds [default: 100]
    #[arg(long, value_name = "MS")]
    commit_interval_ms: Option<u64>,
    /// Stop when everything is handled that was there at the start
    #[arg(long)]
    #[serde(skip)]
    until_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatePlace {
    Memory,
    Disk,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgramSettings {
    #[serde(flatten)]
    log: LogSettings,
    instance: Option<String>,
    data: Option<PathBuf>,
    state: Option<StatePlace>,
    threads: usize,
    commit_interval_ms: u64,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            log: LogSettings::default(),
            instance: None,
            data: None,
            state: None,
            threads: 1,
            commit_interval_ms: 100,
        }
    }
}

impl Settings for ProgramSettings {
    const TABLE: &'static str = "processor";

    fn check(&self) -> Result<(), Invalid> {
        if self.threads == 0 || self.threads > 256 {
            return Err(Invalid::new("threads", "must be between 1 and 256"));
        }
        if !(1..=60_000).contains(&self.commit_interval_ms) {
            return Err(Invalid::new("commit_interval_ms", "must be between 1 and 60000"));
        }
        if self.state == Some(StatePlace::Disk) && self.data.is_none() {
            return Err(Invalid::new("state", "disk needs a folder: set `data`"));
        }
        self.log.fault().map_or(Ok(()), |(key, reason)| Err(Invalid::new(key, reason)))
    }
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = given.load::<ProgramSettings>(&given.flags.common, &given.flags.options)?;
    telemetry::start(&loaded.process)?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let watched = Watched { health: Health::new(PARTS), metrics: Metrics::new(), shutdown };
    let _server = http::listen(&loaded.process, watched.clone())?;
    let program = &loaded.settings;
    let (instance, _lock) = match (&program.instance, &program.data) {
        (Some(instance), _) => (instance.clone(), None),
        (None, Some(data)) => kept_instance(data).map(|(instance, lock)| (instance, Some(lock)))?,
        (None, None) => (new_instance(), None),
    };
    let log = Kafka::new(program.log.kafka()).with_lag(&watched.metrics);
    let topics = Topics::new(&program.log.prefix, &program.log.generation);
    let processing = ProcessorSettings {
        stores: stores(program, &topics)?,
        is_static_member: program.instance.is_some(),
        threads: program.threads,
        worker: WorkerSettings {
            commit_interval: Duration::from_millis(program.commit_interval_ms),
            ..WorkerSettings::default()
        },
        metrics: RowMetrics::registered(&watched.metrics),
        ..ProcessorSettings::new(topics, program.log.partitions, instance)
    };
    let at_once = AtomicBool::new(true);
    let until_end = given.flags.options.until_end.then_some(&at_once);
    let observed = Observed::new(watched.health, &watched.metrics);
    run_processor(&log, &processing, until_end, &watched.shutdown, &observed)?;
    tracing::info!("stopped: everything handled is committed");
    Ok(())
}

fn stores(program: &ProgramSettings, topics: &Topics) -> Result<Stores, Exit> {
    match &program.data {
        Some(data) if program.state != Some(StatePlace::Memory) => {
            let folder = data.join("state").join(topics.application("processor"));
            let stores = DiskStores::open(&folder).map_err(|error| Exit::from_error(Code::Io, error))?;
            Ok(Stores::Disk(stores))
        }
        Some(_) | None => Ok(Stores::Memory),
    }
}

/// A name that no other process has.
fn new_instance() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The name that the folder keeps, and the lock that makes it one process's own.
fn kept_instance(data: &Path) -> Result<(String, File), Exit> {
    let failed = |error: io::Error| {
        let message = format!(
            "cannot keep the instance's name in {}: choose another folder with --data",
            data.display()
        );
        Exit::new(Code::Io, message).caused_by(&error)
    };
    fs::create_dir_all(data).map_err(failed)?;
    let path = data.join("instance");
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let message = format!("another processor uses {}: give each its own --data", data.display());
            return Err(Exit::new(Code::Config, message));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let mut instance = String::new();
    file.read_to_string(&mut instance).map_err(failed)?;
    if instance.trim().is_empty() {
        instance = new_instance();
        file.rewind().map_err(failed)?;
        file.write_all(instance.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
    }
    Ok((instance.trim().to_owned(), file))
}
