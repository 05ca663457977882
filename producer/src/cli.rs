//! The `producer` program: settings, and what it shows of its progress.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use domain::Topics;
use kafka::Kafka;
use kafka::options::{LogFlags, LogSettings};
use serde::{Deserialize, Serialize};
use service::exit::{Code, Exit};
use service::http::{self, Watched};
use service::settings::{self, CommonFlags, Invalid};
use service::{Health, Metrics, Settings, Shutdown, clock, telemetry};

use crate::files::{Synthetic, files};
use crate::metrics::ProducerMetrics;
use crate::progress::{Manner, Screen};
use crate::publish::{Progress, PublishSettings, ensure_topics, publish};

/// Streams UFO sightings from CSV files into the log, each row once: run it again on the same file and nothing is added,
/// kill it and it goes on behind the last committed row.
#[derive(Debug, clap::Parser)]
#[command(name = "producer", version, max_term_width = 110)]
struct Flags {
    /// CSV files, or folders with .csv and .csv.gz files; .gz is unpacked, - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// Send at most this many rows per second [default: as fast as the log takes them]
    #[arg(long, value_name = "ROWS")]
    rate: Option<u32>,
    /// Send at most this many rows in this run [default: all]
    #[arg(long, value_name = "ROWS")]
    limit: Option<u64>,
    /// Where there is no file, send this many synthetic rows [default: none]
    #[arg(long, value_name = "ROWS")]
    synthetic: Option<u64>,
    /// Seed of the synthetic rows: the same seed gives the same rows [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Folder where the synthetic file is kept [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProducerSettings {
    #[serde(flatten)]
    log: LogSettings,
    rate: Option<u32>,
    limit: Option<u64>,
    synthetic: Option<u64>,
    seed: u64,
    data: PathBuf,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        let log = LogSettings::default();
        Self { log, rate: None, limit: None, synthetic: None, seed: 1, data: "data".into() }
    }
}

impl Settings for ProducerSettings {
    const TABLE: &'static str = "producer";

    fn check(&self) -> Result<(), Invalid> {
        self.log.fault().map_or(Ok(()), |(key, reason)| Err(Invalid::new(key, reason)))
    }
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = given.load::<ProducerSettings>(&given.flags.common, &given.flags.options)?;
    let screen = Screen::new(Manner::of(loaded.process.quiet, io::stderr().is_terminal()));
    let beside = screen.clone();
    telemetry::start_with(&loaded.process, move || beside.log_writer())?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let settings = &loaded.settings;
    let synthetic = settings.synthetic.map(|rows| {
        let folder = settings.data.clone();
        Synthetic { rows, seed: settings.seed, folder }
    });
    let watched = Watched { health: Health::new(["log"]), metrics: Metrics::new(), shutdown };
    let _server = http::listen(&loaded.process, watched.clone())?;
    let files = files(&given.flags.files, synthetic.as_ref())?;
    if files.is_empty() {
        let message = "name at least one CSV file, a folder with some, or - for standard input";
        return Err(Exit::new(Code::Usage, message));
    }
    let log_settings = &settings.log;
    let log = Kafka::new(log_settings.kafka());
    let topics = Topics::new(&log_settings.prefix, &log_settings.generation);
    let mut publishing = PublishSettings::new(topics, log_settings.partitions);
    publishing.rate = settings.rate;
    publishing.limit = settings.limit;
    ensure_topics(&log, &publishing)?;
    watched.health.ready("log");
    let metrics = ProducerMetrics::registered(&watched.metrics);
    for file in &files {
        let mut shown = screen.show(&file.display().to_string());
        let begun = clock::now();
        let mut before = Progress::default();
        let result = publish(&log, file, &publishing, &watched.shutdown, &mut |progress| {
            metrics.committed(&std::mem::replace(&mut before, *progress), progress);
            shown.show(progress, begun.elapsed());
        });
        drop(shown);
        let progress = result?;
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(
            rows = progress.sent,
            passed_over = progress.passed_over,
            "sent {} rows of {} in {seconds:.1} s; {} were in already",
            progress.sent,
            file.display(),
            progress.passed_over
        );
        if let Some(limit) = &mut publishing.limit {
            *limit = limit.saturating_sub(progress.sent);
        }
        if watched.shutdown.is_requested() {
            break;
        }
    }
    Ok(())
}
