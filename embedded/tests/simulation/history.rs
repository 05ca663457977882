//! One history: workers come, go, freeze and die, their calls fail, and the log must hold at the end what one pass over
//! the input gives.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::log::{Log, Producer};
use engine::observer::NoObserver;
use engine::run::{RunSettings, run_worker};
use engine::{Context, WorkerSettings};

use crate::draw::{Draw, Plan};
use crate::faulty::{Clients, FaultyLog, SharedClients, lock};
use crate::outcome::Input;
use crate::scheduler::{Baton, Call, Ending, Killed, Time, Turn, Verdict, WorkerClock};
use crate::topology::topology;

/// A group throws out who has said nothing for so long.
const SESSION: Duration = Duration::from_secs(6);
const FROZEN_MAX_MS: u64 = 20_000;
const RESTART_MAX_MS: u64 = 3_000;
/// Nothing new for so long: everything is through, or never will be.
const QUIET: Duration = Duration::from_secs(12);
/// Far more than any history takes.
const STEPS_MAX: u32 = 400_000;

/// One worker's thread.
struct Worker {
    process: usize,
    verdicts: Sender<Verdict>,
    at: Call,
    /// Goes on at this time.
    ready_at: Duration,
    thread: JoinHandle<()>,
}

/// A process: one worker for each stage.
#[derive(Default)]
struct Process {
    stop: Arc<AtomicBool>,
    starts: u32,
    /// When it is started (again), while none of its workers is there.
    starts_at: Duration,
}

pub(crate) struct History<L: Log> {
    log: L,
    plan: Plan,
    draw: Draw,
    time: Time,
    processes: Vec<Process>,
    workers: BTreeMap<usize, Worker>,
    started: usize,
    clients: SharedClients<L>,
    /// Who is thrown out of his group, and when.
    evictions: Vec<(Duration, usize)>,
    hand_backs: Sender<(usize, Turn)>,
    turns: Receiver<(usize, Turn)>,
    input: Input,
    last_news: Duration,
    /// What happened, a line each.
    pub(crate) told: Vec<String>,
}

impl<L: Log + Clone> History<L> {
    pub(crate) fn new(log: L, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let plan = Plan::drawn(&mut draw);
        let specs: Vec<_> = topology(plan.partitions)
            .iter()
            .flat_map(|stage| stage.topics().cloned().collect::<Vec<_>>())
            .collect();
        log.ensure_topics(&specs).expect("topics are made");
        let input = Input::drawn(&mut draw, plan.partitions);
        let (hand_backs, turns) = channel();
        Self {
            log,
            processes: (0..plan.processes).map(|_| Process::default()).collect(),
            plan,
            draw,
            time: Time::default(),
            workers: BTreeMap::new(),
            started: 0,
            clients: Arc::new(Mutex::new(Clients { seats: Vec::new(), delayed: Vec::new() })),
            evictions: Vec::new(),
            hand_backs,
            turns,
            input,
            last_news: Duration::ZERO,
            told: Vec::new(),
        }
    }

    /// Lives through it. What is wrong at the end is the error.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for _ in 0..self.plan.faulty_steps {
            self.happen();
            self.step(true)?;
        }
        self.tell("from here on nothing fails");
        self.input.feed(&self.log, usize::MAX);
        for worker in self.workers.values_mut() {
            worker.ready_at = self.time.now();
        }
        self.last_news = self.time.now();
        for _ in 0..STEPS_MAX {
            if self.time.now() > self.last_news + QUIET {
                return self.input.compare(&self.log);
            }
            self.step(false)?;
        }
        Err("it never came to rest".to_owned())
    }

    fn tell(&mut self, what: impl AsRef<str>) {
        self.told.push(format!("{:>9.3} s  {}", self.time.now().as_secs_f64(), what.as_ref()));
    }

    /// What the world does between two calls.
    fn happen(&mut self) {
        if self.draw.chance(self.plan.feeds) {
            let records = self.draw.below(12) as usize;
            self.input.feed(&self.log, records);
        }
        let process = self.draw.below(self.plan.processes) as usize;
        if self.draw.chance(self.plan.kills) {
            self.kill(process);
        }
        if self.draw.chance(self.plan.freezes) {
            self.freeze(process);
        }
        if self.draw.chance(self.plan.stops) {
            self.tell(format!("process {process} is asked to stop"));
            self.processes[process].stop.store(true, Ordering::Release);
        }
    }

    /// One call of one worker; or, where all of them wait, time passes.
    fn step(&mut self, is_faulty: bool) -> Result<(), String> {
        self.start_processes();
        self.deliver_one();
        self.throw_out();
        let now = self.time.now();
        let ready: Vec<usize> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.ready_at <= now)
            .map(|(number, _)| *number)
            .collect();
        if ready.is_empty() {
            let next = self.workers.values().map(|worker| worker.ready_at);
            let starts = self.processes.iter().enumerate().filter(|(process, _)| !self.is_there(*process));
            let next = next.chain(starts.map(|(_, process)| process.starts_at)).min().expect("a process");
            self.time.set(next.max(now + Duration::from_micros(1)));
            return Ok(());
        }
        let number = ready[self.draw.below(ready.len() as u64) as usize];
        self.time.set(now + Duration::from_micros(self.draw.below(self.plan.call_micros)));
        let call = self.workers[&number].at;
        let verdict = if is_faulty { self.plan.verdict(&mut self.draw, call) } else { Verdict::Succeed };
        if verdict != Verdict::Succeed {
            self.tell(format!("worker {number}: {call:?} → {verdict:?}"));
        }
        self.resume(number, verdict)
    }

    /// Lets a worker go on until its next call.
    fn resume(&mut self, number: usize, verdict: Verdict) -> Result<(), String> {
        self.workers[&number].verdicts.send(verdict).expect("a worker waits");
        self.take_turn(number)
    }

    fn take_turn(&mut self, number: usize) -> Result<(), String> {
        let (of, turn) = self.turns.recv().expect("the history holds a sender");
        assert_eq!(of, number, "one at a time");
        let ending = match turn {
            Turn::At(call) => {
                let pause = if let Call::Pause(pause) = call { pause } else { Duration::ZERO };
                if matches!(call, Call::Commit) {
                    self.last_news = self.time.now();
                }
                let worker = self.workers.get_mut(&number).expect("it is there");
                (worker.at, worker.ready_at) = (call, self.time.now() + pause);
                return Ok(());
            }
            Turn::Ended(ending) => ending,
        };
        let worker = self.workers.remove(&number).expect("it is there");
        worker.thread.join().expect("its panics are caught");
        let process = worker.process;
        self.tell(format!("worker {number} of process {process} ended: {ending:?}"));
        self.processes[process].stop.store(true, Ordering::Release);
        self.processes[process].starts_at = self.time.now() + self.draw.millis(RESTART_MAX_MS);
        self.evictions.push((self.time.now() + SESSION, number));
        match ending {
            Ending::Panicked(message) => Err(format!("worker {number} panicked: {message}")),
            Ending::Killed | Ending::Finished(_) => Ok(()),
        }
    }

    fn is_there(&self, process: usize) -> bool {
        self.workers.values().any(|worker| worker.process == process)
    }

    fn start_processes(&mut self) {
        for process in 0..self.processes.len() {
            if self.is_there(process) || self.processes[process].starts_at > self.time.now() {
                continue;
            }
            let starting = &mut self.processes[process];
            starting.starts += 1;
            starting.stop = Arc::default();
            let starts = starting.starts;
            // Supervisors give a process the same name again, or a new one.
            let name = if self.plan.has_names { format!("{process}") } else { format!("{process}-{starts}") };
            self.tell(format!("process {process} starts as {name}"));
            for stage in 0..2 {
                self.start_worker(process, stage, name.clone());
            }
        }
    }

    fn start_worker(&mut self, process: usize, stage: usize, instance: String) {
        self.started += 1;
        let number = self.started;
        let (verdicts, waiting) = channel();
        let baton = Arc::new(Baton::new(number, self.hand_backs.clone(), waiting));
        let log = FaultyLog {
            inner: self.log.clone(),
            worker: number,
            baton: Arc::clone(&baton),
            clients: Arc::clone(&self.clients),
        };
        let clock = WorkerClock { time: self.time.clone(), baton: Arc::clone(&baton) };
        let (stop, partitions) = (Arc::clone(&self.processes[process].stop), self.plan.partitions);
        let settings = RunSettings {
            application: "simulated".to_owned(),
            instance,
            is_static_member: false,
            threads: 1,
            worker: WorkerSettings {
                commit_interval: self.plan.commit_interval,
                commit_records_max: self.plan.commit_records_max,
                ..WorkerSettings::default()
            },
        };
        let last = Arc::clone(&baton);
        let work = move || {
            baton.simple(Call::Pause(Duration::ZERO));
            let context = Context {
                log: &log,
                spec: &topology(partitions)[stage],
                settings: &settings.worker,
                clock: &clock,
                stop: &|| stop.load(Ordering::Acquire),
                observer: &NoObserver,
            };
            run_worker(context, &settings, 0, None)
        };
        let thread = thread::spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(work));
            last.hand_back(Turn::Ended(ending(ended)));
        });
        let at = Call::Pause(Duration::ZERO);
        let ready_at = self.time.now();
        self.workers.insert(number, Worker { process, verdicts, at, ready_at, thread });
        self.take_turn(number).expect("it waits for its first verdict");
    }

    /// `kill -9`: each worker of the process ends where it stands.
    fn kill(&mut self, process: usize) {
        self.tell(format!("process {process} is killed"));
        for number in self.workers_of(process) {
            let fate = self.plan.fate(&mut self.draw, self.workers[&number].at);
            self.resume(number, Verdict::Die(fate)).expect("who is killed does not panic");
        }
    }

    /// The process stands still, and does not know it.
    fn freeze(&mut self, process: usize) {
        let until = self.time.now() + self.draw.millis(FROZEN_MAX_MS);
        self.tell(format!("process {process} is frozen until {:.3} s", until.as_secs_f64()));
        for number in self.workers_of(process) {
            if let Some(worker) = self.workers.get_mut(&number) {
                worker.ready_at = worker.ready_at.max(until);
            }
            if until > self.time.now() + SESSION {
                self.evictions.push((self.time.now() + SESSION, number));
            }
        }
    }

    fn workers_of(&self, process: usize) -> Vec<usize> {
        self.workers
            .iter()
            .filter(|(_, worker)| worker.process == process)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Takes the seats of those who have said nothing for too long.
    fn throw_out(&mut self) {
        let now = self.time.now();
        let due: Vec<usize> =
            self.evictions.extract_if(.., |(at, _)| *at <= now).map(|(_, number)| number).collect();
        for number in due {
            let seats: Vec<_> = lock(&self.clients).seats.extract_if(.., |(of, _)| *of == number).collect();
            for (of, seat) in seats {
                // A worker in the middle of a poll is not silent.
                let taken = seat.try_lock().map(|mut seat| seat.take().is_some()).map_err(drop);
                match taken {
                    Ok(true) => self.tell(format!("worker {of} is thrown out of its group")),
                    Ok(false) => {}
                    Err(_) => self.evictions.push((now + SESSION, of)),
                }
                if self.workers.contains_key(&of) {
                    lock(&self.clients).seats.push((of, seat));
                }
            }
        }
    }

    /// A commit that was under way arrives, maybe long after its producer.
    fn deliver_one(&mut self) {
        let waiting = lock(&self.clients).delayed.len() as u64;
        if waiting == 0 || !self.draw.chance(100) {
            return;
        }
        let mut late = lock(&self.clients).delayed.swap_remove(self.draw.below(waiting) as usize);
        let arrived = late.commit();
        self.tell(format!("a delayed commit arrives: {arrived:?}"));
    }
}

fn ending(ended: thread::Result<Result<(), engine::TaskError>>) -> Ending {
    match ended {
        Ok(result) => Ending::Finished(result),
        Err(payload) if payload.is::<Killed>() => Ending::Killed,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Ending::Panicked(text.unwrap_or_default())
        }
    }
}
