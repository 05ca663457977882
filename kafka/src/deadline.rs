//! Limits of waits: the one place of this crate that looks at a clock.

use std::time::{Duration, Instant};

/// A moment until which something is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    begun: Instant,
    limit: Duration,
}

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "only for how long to wait: nothing read or written depends on it"
    )]
    pub(crate) fn after(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn remaining(self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    pub(crate) fn is_past(self) -> bool {
        self.remaining().is_zero()
    }
}
