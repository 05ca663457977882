//! One thread at a time: whoever calls the log hands the baton back, and gets it again with a verdict on the call.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::TaskError;
use engine::clock::Clock;
use engine::log::Failure;

/// Where a worker stands: about to make this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Consumer,
    Producer,
    Poll,
    Start,
    Release,
    Seek,
    Committed,
    StableEnd,
    Begin,
    Send,
    SendOffsets,
    Commit,
    Abort,
    Ends,
    Read,
    /// Waits so long, without a call.
    Pause(Duration),
}

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Succeed,
    Fail(Failure, Fate),
    /// The process is killed here.
    Die(Fate),
}

/// What becomes of a request that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Arrived,
    /// Still under way: a commit may arrive at any later time.
    Delayed,
}

/// What a worker's thread ends with when its process is killed.
pub(crate) struct Killed;

/// Why a worker handed the baton back.
#[derive(Debug)]
pub(crate) enum Turn {
    At(Call),
    Ended(Ending),
}

#[derive(Debug)]
pub(crate) enum Ending {
    Killed,
    Finished(#[expect(dead_code, reason = "told by its Debug")] Result<(), TaskError>),
    Panicked(String),
}

/// A worker's end of the baton.
pub(crate) struct Baton {
    number: usize,
    turns: Sender<(usize, Turn)>,
    verdicts: Mutex<Receiver<Verdict>>,
}

impl Baton {
    pub(crate) fn new(number: usize, turns: Sender<(usize, Turn)>, verdicts: Receiver<Verdict>) -> Self {
        Self { number, turns, verdicts: Mutex::new(verdicts) }
    }

    /// Waits for the verdict on a call.
    pub(crate) fn at(&self, call: Call) -> Verdict {
        self.hand_back(Turn::At(call));
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.recv().unwrap_or(Verdict::Die(Fate::Lost))
    }

    /// Waits for the verdict on a call of which nothing is left when it fails.
    pub(crate) fn simple(&self, call: Call) -> Option<Failure> {
        match self.at(call) {
            Verdict::Succeed => None,
            Verdict::Fail(failure, _) => Some(failure),
            Verdict::Die(_) => die(),
        }
    }

    pub(crate) fn hand_back(&self, turn: Turn) {
        // Nobody is there any more: the history has failed, and its threads are only taken down.
        let _ = self.turns.send((self.number, turn));
    }
}

pub(crate) fn die() -> ! {
    resume_unwind(Box::new(Killed))
}

/// The time of a history: it passes when the scheduler says so.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Time {
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_micros()).expect("a history is short"), Ordering::Release);
    }
}

pub(crate) struct WorkerClock {
    pub(crate) time: Time,
    pub(crate) baton: Arc<Baton>,
}

impl Clock for WorkerClock {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn pause(&self, pause: Duration) {
        self.baton.simple(Call::Pause(pause));
    }
}
