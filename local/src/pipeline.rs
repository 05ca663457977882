//! One run: producer, processor and lake side by side on the log, until the file is through all of them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use embedded::EmbeddedLog;
use engine::WorkerSettings;
use processor::ProcessorSettings;
use processor::metrics::RowMetrics;
use processor::observed::Observed;
use producer::progress::Screen;
use producer::publish::{Progress, PublishSettings, publish};
use service::{Exit, Health, Metrics, Shutdown, clock};
use sink::lake::{LakeMetrics, LakeSettings, run_lake};

use crate::settings::{Flags, PARTITIONS};
use crate::topics;

/// What a run has done.
pub(crate) struct Summary {
    pub(crate) progress: Progress,
    pub(crate) took: Duration,
    pub(crate) is_interrupted: bool,
}

pub(crate) fn run(
    log: &EmbeddedLog,
    flags: &Flags,
    input: &Path,
    metrics: &Metrics,
    shutdown: &Shutdown,
    screen: &Screen,
) -> Result<Summary, Exit> {
    let begun = clock::now();
    let mut publishing = PublishSettings::new(topics(), PARTITIONS);
    publishing.limit = flags.limit;
    producer::publish::ensure_topics(log, &publishing)?;
    let processing = ProcessorSettings {
        // Nobody waits for single rows here: larger transactions cost less.
        worker: WorkerSettings { commit_interval: Duration::from_millis(250), ..WorkerSettings::default() },
        metrics: RowMetrics::registered(metrics),
        ..ProcessorSettings::new(topics(), PARTITIONS, "local")
    };
    let stages = processor::topology(&processing.topics, PARTITIONS);
    let specs: Vec<_> = stages.iter().flat_map(engine::stage::StageSpec::topics).cloned().collect();
    engine::log::Log::ensure_topics(log, &specs)?;
    let mut lake = LakeSettings::new(topics(), flags.lake()?);
    lake.metrics = LakeMetrics::registered(metrics);
    let observed = Observed::new(Health::default(), metrics);

    let (is_sent, is_processed) = (AtomicBool::new(false), AtomicBool::new(false));
    // A part that fails stops the others; what they have committed stays.
    let stop = shutdown.clone();
    let is_interrupted = || shutdown.is_requested();
    let (sent, processed, written) = thread::scope(|scope| {
        let processor = scope.spawn(|| {
            let result = processor::run_processor(log, &processing, Some(&is_sent), &stop, &observed);
            is_processed.store(true, Ordering::Release);
            if result.is_err() {
                stop.request();
            }
            result.map_err(Exit::from)
        });
        let sink = scope.spawn(|| {
            let result = run_lake(log, &lake, Some(&is_processed), &stop);
            if result.is_err() {
                stop.request();
            }
            result.map_err(Exit::from)
        });
        let mut shown = screen.show(&input.display().to_string());
        let each = &mut |progress: &_| shown.show(progress, begun.elapsed());
        let sent = publish(log, input, &publishing, shutdown, each);
        drop(shown);
        // Also after a failure: the rows before it are sent, and go all the way.
        is_sent.store(true, Ordering::Release);
        (sent, joined(processor), joined(sink))
    });
    let was_interrupted = is_interrupted();
    processed?;
    written?;
    let progress = sent?;
    Ok(Summary { progress, took: begun.elapsed(), is_interrupted: was_interrupted })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
