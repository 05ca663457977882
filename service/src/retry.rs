//! Tries again, a bounded number of times, after pauses that grow and differ from one process to the next.

use std::fmt::Display;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::clock;
use crate::shutdown::Shutdown;

/// How often and after which pauses something is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure; each next one is twice as long.
    pub first: Duration,
    /// No pause is longer than twice this: up to its own length is added to each, by chance, so that processes that failed
    /// together do not come back together.
    pub longest: Duration,
    /// Calls in all, the first one included.
    pub tries: usize,
}

impl Default for Backoff {
    /// Gives up after about half a minute.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(5), tries: 10 }
    }
}

impl Backoff {
    /// The pauses between the tries.
    pub fn pauses(self) -> impl Iterator<Item = Duration> {
        let pauses = ExponentialBuilder::new().with_factor(2.0).with_jitter();
        let pauses = pauses.with_min_delay(self.first).with_max_delay(self.longest);
        pauses.with_max_times(self.tries.saturating_sub(1)).build()
    }

    /// Calls until it goes well, the error is none that passes, the tries are used up or a stop is requested; the last error
    /// is returned. `what` is said in the log: `cannot write the lake`.
    pub fn retry<T, E: Display>(
        self,
        what: &str,
        shutdown: &Shutdown,
        is_passing: impl FnMut(&E) -> bool,
        call: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        retry_after(self.pauses(), what, |pause| shutdown.wait_timeout(pause), is_passing, call)
    }
}

/// `wait` pauses, and tells whether to stop.
fn retry_after<T, E: Display>(
    pauses: impl Iterator<Item = Duration>,
    what: &str,
    mut wait: impl FnMut(Duration) -> bool,
    mut is_passing: impl FnMut(&E) -> bool,
    mut call: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    for pause in pauses {
        match call() {
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, pause_ms = clock::millis(pause), "{what}: tried again after a pause");
                if wait(pause) {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
    call()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Fails with each error in turn, then goes well: the result, the pauses made, the calls.
    fn retried(backoff: Backoff, errors: &[io::ErrorKind], is_stopped: bool) -> (bool, Vec<Duration>, usize) {
        let (mut calls, mut pauses) = (0, Vec::new());
        let wait = |pause| {
            pauses.push(pause);
            is_stopped
        };
        let is_passing = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        let result = retry_after(backoff.pauses(), "cannot write", wait, is_passing, || {
            calls += 1;
            errors.get(calls - 1).map_or(Ok(()), |kind| Err(io::Error::from(*kind)))
        });
        (result.is_ok(), pauses, calls)
    }

    fn backoff(tries: usize) -> Backoff {
        Backoff { first: 10 * MS, longest: 40 * MS, tries }
    }

    #[test]
    fn pauses_double_up_to_the_longest_with_up_to_as_much_added() {
        let pauses: Vec<_> = backoff(6).pauses().collect();
        assert_eq!(pauses.len(), 5);
        for (pause, least) in pauses.iter().zip([10, 20, 40, 40, 40]) {
            assert!((least * MS..=2 * least * MS).contains(pause), "{pauses:?}");
        }
        assert_ne!(pauses, backoff(6).pauses().collect::<Vec<_>>(), "two processes are not in step");
        assert!(Backoff::default().pauses().sum::<Duration>() < Duration::from_secs(60));
    }

    #[test]
    fn what_passes_is_tried_again_what_does_not_is_not() {
        use io::ErrorKind::{PermissionDenied, TimedOut};
        let (is_ok, pauses, calls) = retried(backoff(6), &[TimedOut, TimedOut], false);
        assert!(is_ok && pauses.len() == 2 && calls == 3);
        let (is_ok, pauses, calls) = retried(backoff(6), &[TimedOut, PermissionDenied], false);
        assert!(!is_ok && pauses.len() == 1 && calls == 2);
    }

    #[test]
    fn tries_are_bounded() {
        for tries in [1, 3] {
            let (is_ok, pauses, calls) = retried(backoff(tries), &[io::ErrorKind::TimedOut; 9], false);
            assert!(!is_ok && pauses.len() == tries - 1 && calls == tries);
        }
    }

    #[test]
    fn a_stop_ends_the_pauses() {
        let (is_ok, pauses, calls) = retried(backoff(6), &[io::ErrorKind::TimedOut; 9], true);
        assert!(!is_ok && pauses.len() == 1 && calls == 1);
        let shutdown = Shutdown::new();
        shutdown.request();
        let hour = Duration::from_secs(3600);
        let backoff = Backoff { first: hour, longest: hour, tries: 2 };
        let failed: Result<(), &str> = backoff.retry("cannot wait", &shutdown, |_| true, || Err("no"));
        assert_eq!(failed, Err("no"));
    }
}
