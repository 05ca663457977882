//! The lake: `ufo.raw` → bronze, sightings and rejects → silver, the current aggregates → gold, as Delta tables. A
//! table's commit holds the files and the offsets that they cover, so a restart or a second sink neither loses nor doubles.
//!
//! ```text
//! record ─Rows─▶ RecordBatch ─Encoder (one a year)─▶ DataFile ─upload─▶ object ┐
//!    └─ offset ─▶ Place ─────────────────────────────▶ Transaction ────────────┴─commit─▶ visible
//! ```

mod append;
mod error;
mod facts;
mod fold;
mod gold;
mod metrics;
pub mod path;
pub mod roller;
mod rows;
pub mod schema;
mod seek;
mod store;
mod upkeep;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use delta::Lake;
use domain::Topics;
use engine::log::{Group, Log};
use service::{Health, Shutdown};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use append::{AppendTask, Target};
pub use error::LakeError;
pub use facts::{BronzeFacts, LakeFacts, lake_facts, lake_facts_of};
use gold::GoldTask;
pub use metrics::LakeMetrics;
use path::Tables;
use roller::Bounds;
use rows::{RawRows, RejectRows, SightingRows};
pub use upkeep::{compact, vacuum};

/// The lake, in the process's health.
pub const PART: &str = "lake";

const MIB: usize = 1024 * 1024;

/// How the lake is written.
#[derive(Clone, Debug)]
pub struct LakeSettings {
    pub topics: Topics,
    pub lake: Lake,
    /// When files are closed and committed, and what they may take in memory: for each of the three tables that grow.
    pub bounds: Bounds,
    /// How often gold is brought up to date while aggregates change.
    pub gold_interval: Duration,
    pub metrics: LakeMetrics,
    /// Has the part `lake`.
    pub health: Health,
}

impl LakeSettings {
    pub fn new(topics: Topics, lake: Lake) -> Self {
        let bounds = Bounds {
            file_bytes: 64 * MIB,
            memory_bytes: 192 * MIB,
            commit_bytes: 256 * MIB,
            age: Duration::from_secs(60),
            idle: Duration::from_secs(10),
        };
        Self {
            topics,
            lake,
            bounds,
            gold_interval: Duration::from_secs(10),
            metrics: LakeMetrics::default(),
            health: Health::default(),
        }
    }
}

impl LakeSettings {
    /// Shares memory out among the three tables that grow. A file is no larger than what may be open.
    pub fn limit_memory(&mut self, bytes: usize) {
        self.bounds.memory_bytes = bytes / 3;
        self.bounds.file_bytes = self.bounds.file_bytes.min(self.bounds.memory_bytes);
        self.bounds.commit_bytes = self.bounds.commit_bytes.min(2 * self.bounds.memory_bytes);
    }
}

/// What each of the lake's readers works with.
struct Task<'t, L> {
    log: &'t L,
    settings: &'t LakeSettings,
    tables: Tables,
    until_end: Option<&'t AtomicBool>,
    io: Handle,
    shutdown: &'t Shutdown,
    has_failed: AtomicBool,
}

impl<L> Task<'_, L> {
    fn is_stopped(&self) -> bool {
        self.shutdown.is_requested() || self.has_failed.load(Ordering::Acquire)
    }

    /// One that fails stops the others, each of which commits what it has.
    fn failing(&self, result: Result<(), LakeError>) -> Result<(), LakeError> {
        self.has_failed.fetch_or(result.is_err(), Ordering::AcqRel);
        result
    }
}

/// Writes until told to stop; or, with `until_end`, until everything is in that was there when it became true.
pub fn run_lake<L: Log>(
    log: &L,
    settings: &LakeSettings,
    until_end: Option<&AtomicBool>,
    shutdown: &Shutdown,
) -> Result<(), LakeError> {
    let runtime = runtime()?;
    runtime.block_on(settings.lake.check())?;
    settings.health.ready(PART);
    let task = Task {
        log,
        settings,
        tables: Tables::new(&settings.topics),
        until_end,
        io: runtime.handle().clone(),
        shutdown,
        has_failed: AtomicBool::new(false),
    };
    let [bronze, sightings, rejects] = targets(&settings.topics, &task.tables);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = &task;
    thread::scope(|scope| {
        // The readers' requests make progress here. It ends when `stop` is gone, also when one of them panics.
        let stop = stop;
        scope.spawn(move || runtime.block_on(stopped).ok());
        let threads = [
            scope.spawn(|| task.failing(AppendTask::<L, RawRows>::run(task, bronze))),
            scope.spawn(|| task.failing(AppendTask::<L, SightingRows>::run(task, sightings))),
            scope.spawn(|| task.failing(AppendTask::<L, RejectRows>::run(task, rejects))),
            scope.spawn(|| task.failing(GoldTask::run(task))),
        ];
        let ended =
            threads.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        drop(stop);
        ended.into_iter().collect()
    })
}

/// Makes the bucket where it is missing: whether it was.
pub fn set_up_lake(settings: &LakeSettings) -> Result<bool, LakeError> {
    let runtime = runtime()?;
    let is_new = runtime.block_on(settings.lake.create_missing_bucket())?;
    runtime.block_on(settings.lake.check_writable())?;
    Ok(is_new)
}

fn targets(topics: &Topics, tables: &Tables) -> [Target; 3] {
    let application = topics.application("sink-lake");
    let bronze = Target {
        topic: topics.raw(),
        table: tables.raw(),
        // One table and one group for all generations: their sinks share the work instead of racing for it.
        group: format!("{}-sink-lake-bronze", topics.prefix()),
        schema: schema::raw(),
        partition_column: None,
        distinct: schema::RAW_DISTINCT,
    };
    let sightings = Target {
        topic: topics.sightings(),
        table: tables.sightings(),
        group: format!("{application}-sightings"),
        schema: schema::sightings(),
        partition_column: Some(path::YEAR),
        distinct: schema::SIGHTINGS_DISTINCT,
    };
    let rejects = Target {
        topic: topics.rejects(),
        table: tables.rejects(),
        group: format!("{application}-rejects"),
        schema: schema::rejects(),
        partition_column: None,
        distinct: schema::REJECTS_DISTINCT,
    };
    [bronze, sightings, rejects]
}

/// The group of one of the lake's readers. Its committed offsets only show how far it is: where it begins is told by
/// the table.
fn group(id: &str) -> Group {
    Group { id: id.to_owned(), instance: None }
}

fn runtime() -> Result<tokio::runtime::Runtime, LakeError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LakeError::Runtime)
}
