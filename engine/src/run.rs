//! Runs a topology: some worker threads for each stage, until they are told to stop or one of them fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::clock::Clock;
use crate::log::{Group, Log, TopicSpec};
use crate::observer::Observer;
use crate::stage::StageSpec;
use crate::task::TaskError;
use crate::worker::{Context, UntilEnd, Worker, WorkerSettings};

/// How a topology is run.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Begins the name of every group and transactional id: one application is one name.
    pub application: String,
    /// Unique among the processes of the application: transactional ids are made of it.
    pub instance: String,
    /// Keep the group's membership over a restart (the instance must have the same name again).
    pub is_static_member: bool,
    /// Worker threads of each stage.
    pub threads: usize,
    pub worker: WorkerSettings,
}

/// Creates or checks the topology's topics, then works. Stages come in the order of the flow.
///
/// `until_end`: stop when everything is handled that was there when this became true.
pub fn run<L: Log>(
    log: &L,
    stages: &[StageSpec],
    settings: &RunSettings,
    until_end: Option<&AtomicBool>,
    clock: &dyn Clock,
    stop: &(dyn Fn() -> bool + Sync),
    observer: &dyn Observer,
) -> Result<(), TaskError> {
    let topics: Vec<TopicSpec> = stages.iter().flat_map(StageSpec::topics).cloned().collect();
    log.ensure_topics(&topics)?;

    let has_failed = AtomicBool::new(false);
    let is_stopped = || stop() || has_failed.load(Ordering::Acquire);
    // A stage takes its ends when the one before it is through.
    let is_through: Vec<AtomicBool> = stages.iter().map(|_| AtomicBool::new(false)).collect();

    thread::scope(|scope| {
        let mut running = Vec::new();
        for (index, spec) in stages.iter().enumerate() {
            let mut workers = Vec::new();
            for number in 0..settings.threads {
                let (is_stopped, has_failed) = (&is_stopped, &has_failed);
                let upstream = index.checked_sub(1).map_or(until_end, |before| Some(&is_through[before]));
                let until_end = until_end.and(upstream);
                let work = move || {
                    let context =
                        Context { log, spec, settings: &settings.worker, clock, stop: is_stopped, observer };
                    let until_end =
                        until_end.map(|upstream| UntilEnd::new(spec.input.name.as_str(), upstream));
                    let result = run_worker(context, settings, number, until_end);
                    if result.is_err() {
                        has_failed.store(true, Ordering::Release);
                    }
                    result
                };
                let name = format!("{}-{number}", spec.name);
                let worker = thread::Builder::new().name(name).spawn_scoped(scope, work);
                workers.push(worker.expect("a thread can be started"));
            }
            running.push(workers);
        }
        let mut result = Ok(());
        for (index, workers) in running.into_iter().enumerate() {
            for worker in workers {
                let ended = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                if result.is_ok() {
                    result = ended;
                }
            }
            is_through[index].store(true, Ordering::Release);
        }
        result
    })
}

/// The work of one of [`run`]'s threads, for those who schedule threads themselves: the `number`th of the context's stage.
/// The topics must be there.
pub fn run_worker<'w, L: Log>(
    context: Context<'w, L>,
    settings: &RunSettings,
    number: usize,
    until_end: Option<UntilEnd<'w>>,
) -> Result<(), TaskError> {
    let stage = context.spec.name;
    let member = format!("{}-{number}", settings.instance);
    let group = Group {
        id: format!("{}-{stage}", settings.application),
        instance: settings.is_static_member.then(|| member.clone()),
    };
    let transactional_id = format!("{}-{stage}-{member}", settings.application);
    Worker::new(context, &group, transactional_id, until_end)?.run()
}
