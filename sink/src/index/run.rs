//! Indexes all three topics until it is told to stop: one thread and one consumer group for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use domain::Topics;
use engine::log::{Group, Log};
use service::Shutdown;
use tracing::info;

use super::client::Index;
use super::deliver::Delivery;
use super::document::Kind;
use super::error::IndexError;
use super::generation::Names;
use super::metrics::IndexMetrics;
use super::refused::RefusedFile;
use super::settings::IndexSettings;
use super::topic::{self, Stop, Way};

/// What a run has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Documents written or deleted.
    pub done: u64,
    /// The index had them already.
    pub already_there: u64,
    /// In the file of refused documents.
    pub refused: u64,
}

/// The consumer group of a generation's index, for `lag` and for whoever resets it.
pub fn group_of(topics: &Topics, kind: Kind) -> String {
    topics.application(&format!("{}-index", kind.name()))
}

/// Fills the indexes of the topics' generation. Ends at a shutdown (everything read is indexed and committed), at the
/// end of the topics where the settings say so, or with an error that a restart may mend.
pub fn run_index<L: Log>(
    log: &L,
    topics: &Topics,
    settings: &IndexSettings,
    metrics: &Arc<IndexMetrics>,
    shutdown: &Shutdown,
) -> Result<IndexReport, IndexError> {
    let names = Names::new(topics.prefix())?;
    let index = match Index::connect(settings, shutdown) {
        Err(IndexError::Stopped) => return Ok(IndexReport::default()),
        result => result?,
    };
    index.prepare(&names, topics.generation())?;
    let refused = RefusedFile::at(&settings.refused_file);
    let stop = Stop { shutdown, has_failed: AtomicBool::new(false) };
    let mut ways = Vec::new();
    for kind in Kind::ALL {
        let name = names.index(kind, topics.generation())?;
        let topic = kind.topic(topics);
        let group = Group { id: group_of(topics, kind), instance: None };
        let consumer = log.consumer(&group, &topic)?;
        let way = Way {
            topic,
            kind,
            delivery: Arc::new(Delivery::new(index.client.clone(), kind, name, Arc::clone(metrics))),
            runtime: index.runtime.handle().clone(),
            refused: &refused,
            settings,
            stop: &stop,
        };
        ways.push((consumer, way));
    }
    run_all(log, ways, &stop)?;
    let report = IndexReport {
        done: metrics.done.get(),
        already_there: metrics.already_there.get(),
        refused: metrics.refused.get(),
    };
    info!(
        documents = report.done,
        already_there = report.already_there,
        refused = report.refused,
        "indexed {} documents",
        report.done
    );
    Ok(report)
}

/// The first error counts: the others only follow it.
fn run_all<L: Log>(log: &L, ways: Vec<(L::Consumer, Way<'_>)>, stop: &Stop<'_>) -> Result<(), IndexError> {
    thread::scope(|scope| {
        let threads: Vec<_> = ways
            .into_iter()
            .map(|(consumer, way)| {
                scope.spawn(move || {
                    let result = topic::run(log, consumer, way);
                    if result.is_err() {
                        stop.has_failed.store(true, Ordering::Release);
                    }
                    result
                })
            })
            .collect();
        let mut first = Ok(());
        for thread in threads {
            let result = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            first = first.and(result);
        }
        first
    })
}
