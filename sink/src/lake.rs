//! The lake: `ufo.raw` → bronze, sightings and rejects → silver, the current aggregates → gold, as Delta tables. A
//! table's commit holds the files and the offsets that they cover, so a restart or a second sink neither loses nor doubles.

mod append;
mod current;
mod facts;
mod rows;
pub mod schema;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use arrow_schema::ArrowError;
use delta::{DeltaError, Lake, Trouble};
use domain::Topics;
use engine::log::{Group, Log, LogError};
use service::Shutdown;
use service::exit::{Code, Exit};

use append::{AppendTask, Target};
use current::GoldTask;
pub use facts::{LakeFacts, lake_facts};
use rows::{RawRows, RejectRows, SightingRows};

/// They only wait for the store.
const RUNTIME_THREADS: usize = 2;

/// How the lake is written.
#[derive(Clone, Debug)]
pub struct LakeSettings {
    pub topics: Topics,
    pub lake: Lake,
    /// Files are closed when the records collected have this many bytes…
    pub roll_bytes: usize,
    /// …or the oldest of them is so old.
    pub roll_age: Duration,
    /// How often gold is brought up to date while aggregates change.
    pub gold_interval: Duration,
}

impl LakeSettings {
    pub fn new(topics: Topics, lake: Lake) -> Self {
        Self {
            topics,
            lake,
            roll_bytes: 128 * 1024 * 1024,
            roll_age: Duration::from_secs(30),
            gold_interval: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Delta(#[from] DeltaError),
    #[error("rows cannot be put into columns")]
    Rows(#[from] ArrowError),
    #[error("no runtime for the lake's requests can be started")]
    Runtime(#[source] std::io::Error),
}

impl From<LakeError> for Exit {
    fn from(error: LakeError) -> Self {
        let code = match error {
            LakeError::Log(error) => return error.into(),
            LakeError::Delta(ref error) => match error.trouble() {
                Trouble::Unreachable => Code::Unavailable,
                Trouble::Denied => Code::Denied,
                Trouble::Misfit => Code::Config,
                Trouble::Storage => Code::Io,
            },
            LakeError::Rows(_) | LakeError::Runtime(_) => Code::Software,
        };
        Self::from_error(code, error)
    }
}

/// Writes until told to stop; or, with `until_end`, until everything is in that was there when it became true.
pub fn run_lake<L: Log>(
    log: &L,
    settings: &LakeSettings,
    until_end: Option<&AtomicBool>,
    shutdown: &Shutdown,
) -> Result<(), LakeError> {
    let topics = &settings.topics;
    let bronze = Target {
        topic: topics.raw(),
        table: schema::BRONZE_RAW,
        schema: schema::raw(),
        partition_column: None,
        distinct: &["offset", "key", "value"],
    };
    let sightings = Target {
        topic: topics.sightings(),
        table: schema::SILVER_SIGHTINGS,
        schema: schema::sightings(),
        partition_column: Some(schema::YEAR),
        distinct: &["id", "comments"],
    };
    let rejects = Target {
        topic: topics.rejects(),
        table: schema::SILVER_REJECTS,
        schema: schema::rejects(),
        partition_column: None,
        distinct: &["id", "bytes"],
    };
    let runtime = runtime()?;
    let runtime = runtime.handle();
    let has_failed = AtomicBool::new(false);
    let is_stopped = || shutdown.is_requested() || has_failed.load(Ordering::Acquire);
    let failing = |result: Result<(), LakeError>| {
        has_failed.fetch_or(result.is_err(), Ordering::AcqRel);
        result
    };
    thread::scope(|scope| {
        let threads = [
            scope.spawn(|| {
                failing(AppendTask::<L, RawRows>::run(log, settings, runtime, bronze, until_end, &is_stopped))
            }),
            scope.spawn(|| {
                failing(AppendTask::<L, SightingRows>::run(
                    log,
                    settings,
                    runtime,
                    sightings,
                    until_end,
                    &is_stopped,
                ))
            }),
            scope.spawn(|| {
                failing(AppendTask::<L, RejectRows>::run(
                    log,
                    settings,
                    runtime,
                    rejects,
                    until_end,
                    &is_stopped,
                ))
            }),
            scope.spawn(|| failing(GoldTask::run(log, settings, runtime, until_end, &is_stopped))),
        ];
        let ended =
            threads.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.into_iter().collect()
    })
}

/// The group of one of the lake's readers. Its committed offsets only show how far it is: where it begins is told by
/// the table.
fn group(topics: &Topics, table: &str) -> Group {
    Group { id: format!("{}-{}", topics.application("sink-lake"), table.replace('/', "-")), instance: None }
}

/// One for all tables: connections are pooled, and belong to the runtime that opened them.
fn runtime() -> Result<tokio::runtime::Runtime, LakeError> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime
        .worker_threads(RUNTIME_THREADS)
        .thread_name("lake")
        .enable_all()
        .build()
        .map_err(LakeError::Runtime)
}
