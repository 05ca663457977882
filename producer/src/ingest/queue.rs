//! What waits for the log: requests, each with its rows, bounded in number and bytes from the moment they are taken to the
//! moment they are answered.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use service::clock;
use tokio::sync::oneshot;

use crate::batch::Batch;

/// Where one transaction takes longer than this, the log is as good as away: what comes now would wait too long.
const STALLED_AFTER: Duration = Duration::from_secs(3);

/// What became of a request's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of them are in the log.
    Committed,
    /// None of them was sent.
    NotSent,
    /// They were sent, and nobody has told whether they are in.
    NotKnown,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Away,
    Closed,
}

/// What there is to do.
pub(super) enum Next {
    /// These go into one transaction.
    Requests(Vec<Waiting>),
    /// Nothing came for a while.
    Idle,
    /// The queue is closed, and empty.
    Over,
}

/// How much may wait, and how much goes into one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) requests: usize,
    pub(super) bytes: usize,
    pub(super) transaction_rows: usize,
    pub(super) transaction_bytes: usize,
}

/// A request that waits.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    answer: oneshot::Sender<Outcome>,
}

impl Waiting {
    /// Whoever sent it has gone, or was told that it took too long.
    pub(super) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

pub(super) struct Queue {
    bounds: Bounds,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Waiting>,
    /// Of those that wait and those under way.
    requests: usize,
    bytes: usize,
    under_way_since: Option<Instant>,
    is_away: bool,
    is_closed: bool,
}

impl Queue {
    /// The log counts as away until [`Self::log_is`] says otherwise.
    pub(super) fn new(bounds: Bounds) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            requests: 0,
            bytes: 0,
            under_way_since: None,
            is_away: true,
            is_closed: false,
        };
        Self { bounds, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Whether a request would be taken now: asked before its body is read.
    pub(super) fn check(&self) -> Result<(), Refused> {
        let state = self.state();
        let is_stalled = state.under_way_since.is_some_and(|since| since.elapsed() > STALLED_AFTER);
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.is_away || is_stalled {
            return Err(Refused::Away);
        }
        if state.requests >= self.bounds.requests || state.bytes >= self.bounds.bytes {
            return Err(Refused::Full);
        }
        Ok(())
    }

    /// Takes a request. A large one may go beyond the bounds, but only by itself.
    pub(super) fn push(&self, batch: Batch) -> Result<oneshot::Receiver<Outcome>, Refused> {
        self.check()?;
        let (answer, outcome) = oneshot::channel();
        let mut state = self.state();
        let bytes = batch.bytes();
        if state.requests > 0 && state.bytes.saturating_add(bytes) > self.bounds.bytes {
            return Err(Refused::Full);
        }
        state.requests += 1;
        state.bytes += bytes;
        state.waiting.push_back(Waiting { batch, answer });
        drop(state);
        self.changed.notify_one();
        Ok(outcome)
    }

    /// What goes into the next transaction, as soon as there is something; what else there is to do after `patience`.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let waited = self.changed.wait_timeout_while(self.state(), patience, is_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return if state.is_closed { Next::Over } else { Next::Idle };
        }
        let (mut rows, mut bytes, mut count) = (0, 0, 0);
        for waiting in &state.waiting {
            rows += waiting.batch.len();
            bytes += waiting.batch.bytes();
            let fits = rows <= self.bounds.transaction_rows && bytes <= self.bounds.transaction_bytes;
            if count > 0 && !fits {
                break;
            }
            count += 1;
        }
        state.under_way_since = Some(clock::now());
        Next::Requests(state.waiting.drain(..count).collect())
    }

    /// Answers requests that [`Self::next`] gave.
    pub(super) fn answer(&self, requests: Vec<Waiting>, outcome: Outcome) {
        let mut state = self.state();
        state.under_way_since = None;
        state.settle(&requests);
        drop(state);
        for waiting in requests {
            // Nobody may be there any more to hear it.
            let _ = waiting.answer.send(outcome);
        }
    }

    /// While the log is away nothing is taken, and nothing waits.
    pub(super) fn log_is_away(&self) {
        let mut state = self.state();
        state.is_away = true;
        refuse(state);
    }

    pub(super) fn log_is_there(&self) {
        self.state().is_away = false;
    }

    /// From now on nothing is taken; what waits is still sent.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Nothing is taken, and nothing waits any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.is_closed = true;
        refuse(state);
        self.changed.notify_all();
    }

    /// Requests and bytes that wait or are under way.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.state();
        (state.requests, state.bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn settle(&mut self, requests: &[Waiting]) {
        self.requests -= requests.len();
        self.bytes -= requests.iter().map(|waiting| waiting.batch.bytes()).sum::<usize>();
    }
}

fn refuse(mut state: MutexGuard<'_, State>) {
    let requests: Vec<_> = state.waiting.drain(..).collect();
    state.settle(&requests);
    drop(state);
    for waiting in requests {
        let _ = waiting.answer.send(Outcome::NotSent);
    }
}

#[cfg(test)]
mod tests;
