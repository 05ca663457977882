//! When to stop: SIGINT and SIGTERM, or a call. The first asks for an orderly end within the grace time, a second signal ends
//! the process at once.

mod requested;

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

pub use self::requested::Requested;
use self::requested::Wakers;
use crate::clock;
use crate::exit::Code;

/// The exit code of a process that a second signal ended.
const ENDED_BY_SIGNAL: i32 = 130;
/// Shorter than the 30 s after which supervisors kill.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(25);
/// What a process may take beyond its grace time to say what it left undone, before it is ended from inside.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A request to stop, shared by every thread; clones are the same request.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    grace: Duration,
    /// Set once, while `wakers` is locked; read without the lock, since loops ask for each record.
    requested_at: OnceLock<Instant>,
    wakers: Mutex<Wakers>,
    changed: Condvar,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Requested by a call only: for tests, and for parts that are stopped by their whole.
    pub fn new() -> Self {
        Self::with_grace(GRACE_DEFAULT)
    }

    pub fn with_grace(grace: Duration) -> Self {
        Self(Arc::new(Shared {
            grace,
            requested_at: OnceLock::new(),
            wakers: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// Requested by SIGINT or SIGTERM too. A second signal ends the process with 130; a process that is still there some
    /// seconds after its grace time (in a call that never returns) ends with 75. Once per process.
    pub fn on_signals(grace: Duration) -> io::Result<Self> {
        let shutdown = Self::with_grace(grace);
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset and sets it, the second finds it set.
            flag::register_conditional_shutdown(signal, ENDED_BY_SIGNAL, Arc::clone(&signalled))?;
            flag::register(signal, Arc::clone(&signalled))?;
        }
        let signals = Signals::new([SIGINT, SIGTERM])?;
        let requested = shutdown.clone();
        thread::Builder::new().name("signals".into()).spawn(move || requested.watch(signals))?;
        Ok(shutdown)
    }

    /// Asks everything to stop. Asking again changes nothing.
    pub fn request(&self) {
        let mut wakers = self.wakers();
        if self.0.requested_at.set(clock::now()).is_ok() {
            self.0.changed.notify_all();
            let waiting = wakers.take();
            // A waker may run its future here and now, which asks for the lock.
            drop(wakers);
            waiting.for_each(Waker::wake);
        }
    }

    pub fn is_requested(&self) -> bool {
        self.0.requested_at.get().is_some()
    }

    /// Waits for the request.
    pub fn wait(&self) {
        let waited = self.0.changed.wait_while(self.wakers(), |_| !self.is_requested());
        drop(waited);
    }

    /// Waits for the request, no longer than `timeout`: whether it is there. A pause that ends early where it should.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.wakers(), timeout, |_| !self.is_requested());
        drop(waited);
        self.is_requested()
    }

    /// Waits for the request, in any async runtime.
    pub fn requested(&self) -> Requested {
        Requested::new(self.clone())
    }

    /// What is left of the grace time: all of it before the request, nothing after the deadline.
    pub fn time_left(&self) -> Duration {
        match self.0.requested_at.get() {
            Some(at) => self.0.grace.saturating_sub(at.elapsed()),
            None => self.0.grace,
        }
    }

    /// The grace time is over: what is not finished is left, and said ([`Code::NotDrained`]).
    pub fn is_overdue(&self) -> bool {
        self.time_left().is_zero()
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signals' thread: it ends with the process.
    fn watch(&self, mut signals: Signals) {
        let Some(signal) = signals.forever().next() else { return };
        tracing::info!(
            signal,
            grace_ms = clock::millis(self.0.grace),
            "stopping: a second signal ends at once"
        );
        self.request();
        clock::pause(self.0.grace + LAST_WORDS);
        let _ = writeln!(
            io::stderr(),
            "error: not stopped within {} ms: what was open is left to the next start",
            clock::millis(self.0.grace)
        );
        low_level::exit(Code::NotDrained as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_request_is_seen_by_every_clone() {
        let shutdown = Shutdown::new();
        let clone = shutdown.clone();
        assert!(!clone.is_requested() && !clone.wait_timeout(Duration::from_millis(1)));
        shutdown.request();
        assert!(clone.is_requested() && clone.wait_timeout(Duration::ZERO));
    }

    #[test]
    fn a_wait_ends_with_the_request() {
        let shutdown = Shutdown::new();
        let began = clock::now();
        let waiting =
            [shutdown.clone(), shutdown.clone()].map(|other| thread::spawn(move || other.wait_timeout(LONG)));
        let for_ever = shutdown.clone();
        let for_ever = thread::spawn(move || for_ever.wait());
        clock::pause(Duration::from_millis(5));
        shutdown.request();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap()));
        for_ever.join().unwrap();
        assert!(began.elapsed() < LONG);
    }

    #[test]
    fn the_grace_time_runs_from_the_first_request() {
        let shutdown = Shutdown::with_grace(Duration::from_millis(20));
        clock::pause(Duration::from_millis(21));
        assert!(!shutdown.is_overdue(), "it does not run before");
        shutdown.request();
        assert!(!shutdown.is_overdue());
        clock::pause(Duration::from_millis(21));
        shutdown.request();
        assert!(shutdown.is_overdue());
        assert!(!Shutdown::with_grace(LONG).is_overdue());
    }
}
