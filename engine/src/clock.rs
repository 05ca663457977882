//! Time as the engine sees it: handed in, so that a simulation can move it.

use std::time::Duration;

/// A monotonic clock.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Waits before a retry.
    fn pause(&self, pause: Duration);
}
