//! The processor: cleans `ufo.raw` and keeps the aggregates, exactly once, on any log of the engine.

mod aggregate_stage;
pub mod arrivals;
mod clean_stage;
#[cfg(feature = "kafka")]
pub mod cli;
pub mod combine;
#[cfg(feature = "failpoints")]
mod failpoint;
pub mod metrics;
pub mod observed;
pub mod seen;
mod topology;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use domain::Topics;
use engine::clock::Clock;
use engine::log::Log;
use engine::observer::Observer;
use engine::run::{RunSettings, run};
use engine::state::Stores;
use engine::{TaskError, WorkerSettings};
use service::{Shutdown, clock};

use metrics::RowMetrics;
pub use topology::{topology, topology_in};

/// How the processor works.
#[derive(Clone, Debug)]
pub struct ProcessorSettings {
    pub topics: Topics,
    pub partitions: u32,
    /// Unique among the processors of a pipeline and generation.
    pub instance: String,
    /// The instance has the same name after a restart: its partitions wait for it.
    pub is_static_member: bool,
    /// Worker threads for each of the two stages.
    pub threads: usize,
    pub worker: WorkerSettings,
    pub metrics: RowMetrics,
    /// Where state is kept while the processor works; what lasts is in the changelogs.
    pub stores: Stores,
}

impl ProcessorSettings {
    pub fn new(topics: Topics, partitions: u32, instance: impl Into<String>) -> Self {
        let instance = instance.into();
        Self {
            topics,
            partitions,
            instance,
            is_static_member: false,
            threads: 1,
            worker: WorkerSettings::default(),
            metrics: RowMetrics::default(),
            stores: Stores::Memory,
        }
    }
}

/// Works until told to stop; or, with `until_end`, until everything is handled that was there when it became true.
pub fn run_processor<L: Log>(
    log: &L,
    settings: &ProcessorSettings,
    until_end: Option<&AtomicBool>,
    shutdown: &Shutdown,
    observer: &dyn Observer,
) -> Result<(), TaskError> {
    let stages = topology::topology_with(
        &settings.topics,
        settings.partitions,
        &settings.stores,
        settings.metrics.clone(),
    );
    let settings = RunSettings {
        application: settings.topics.application("processor"),
        instance: settings.instance.clone(),
        is_static_member: settings.is_static_member,
        threads: settings.threads,
        worker: settings.worker.clone(),
    };
    let clock = MonotonicClock(clock::now());
    run(log, &stages, &settings, until_end, &clock, &|| shutdown.is_requested(), observer)
}

/// The machine's clock, from the start of the process on.
struct MonotonicClock(Instant);

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, pause: Duration) {
        clock::pause(pause);
    }
}
