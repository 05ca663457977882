//! What is drawn: the plan of a history, and the fate of each call.

use std::time::Duration;

use engine::log::Failure;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::scheduler::{Call, Fate, Verdict};

/// All chance of a history: the same seed draws the same.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end.max(1)
    }

    /// So many times in ten thousand.
    pub(crate) fn chance(&mut self, times: u64) -> bool {
        self.below(10_000) < times
    }

    pub(crate) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// What a history is like. Each has faults of its own: those that all have everything find less.
pub(crate) struct Plan {
    pub(crate) partitions: u32,
    pub(crate) processes: u64,
    /// Processes are started again under the same name, and with it the same transactional ids.
    pub(crate) has_names: bool,
    pub(crate) commit_interval: Duration,
    pub(crate) commit_records_max: u64,
    pub(crate) call_micros: u64,
    pub(crate) faulty_steps: u32,
    /// In ten thousand steps.
    pub(crate) feeds: u64,
    pub(crate) kills: u64,
    pub(crate) freezes: u64,
    pub(crate) stops: u64,
    /// In ten thousand calls: of transactions, and of everything else.
    transaction_faults: u64,
    other_faults: u64,
}

impl Plan {
    pub(crate) fn drawn(draw: &mut Draw) -> Self {
        Self {
            partitions: u32::try_from(1 + draw.below(4)).expect("few"),
            processes: 1 + draw.below(3),
            has_names: draw.below(2) == 0,
            commit_interval: Duration::from_millis(10 + draw.below(300)),
            commit_records_max: 1 + draw.below(40),
            call_micros: draw.one_of(&[200, 2_000, 20_000]),
            faulty_steps: u32::try_from(200 + draw.below(1_200)).expect("few"),
            feeds: draw.one_of(&[200, 800]),
            kills: draw.one_of(&[0, 20, 100]),
            freezes: draw.one_of(&[0, 20, 60]),
            stops: draw.one_of(&[0, 20, 60]),
            transaction_faults: draw.one_of(&[0, 100, 500, 1_500]),
            other_faults: draw.one_of(&[0, 50, 300]),
        }
    }

    /// What becomes of a call.
    pub(crate) fn verdict(&self, draw: &mut Draw, call: Call) -> Verdict {
        let times = match call {
            Call::Begin | Call::Send | Call::SendOffsets | Call::Commit | Call::Abort => {
                self.transaction_faults
            }
            Call::Pause(_) => 0,
            _ => self.other_faults,
        };
        if !draw.chance(times) {
            return Verdict::Succeed;
        }
        let failures: &[Failure] = match call {
            Call::Begin | Call::Send | Call::SendOffsets => {
                &[Failure::Retriable, Failure::Abortable, Failure::Abortable, Failure::Unknown]
            }
            Call::Commit | Call::Abort => {
                &[Failure::Retriable, Failure::Retriable, Failure::Abortable, Failure::Unknown]
            }
            _ => &[Failure::Retriable],
        };
        let failure = draw.one_of(failures);
        // A broker that says that a transaction must be aborted has not committed it.
        let fate = if failure == Failure::Abortable { Fate::Lost } else { self.fate(draw, call) };
        Verdict::Fail(failure, fate)
    }

    /// What becomes of a call whose answer never comes.
    pub(crate) fn fate(&self, draw: &mut Draw, call: Call) -> Fate {
        match call {
            Call::Commit => draw.one_of(&[Fate::Lost, Fate::Arrived, Fate::Delayed]),
            Call::Producer | Call::Read => draw.one_of(&[Fate::Lost, Fate::Arrived]),
            _ => Fate::Lost,
        }
    }
}
