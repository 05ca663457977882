//! The only place where time is read.

use std::time::{Duration, Instant, SystemTime};

/// A monotonic moment: for how long things take.
#[expect(clippy::disallowed_methods, reason = "time enters here")]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970 (UTC), as the timestamps of records: for when things happened.
#[expect(clippy::disallowed_methods, reason = "time enters here")]
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whole milliseconds, as settings and logs have them (a `u128` would be logged as text).
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Waits. Where a request to stop should end the wait: [`Shutdown::wait_timeout`](crate::Shutdown::wait_timeout).
pub fn pause(pause: Duration) {
    std::thread::sleep(pause);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_seen_by_the_monotonic_clock() {
        let before = now();
        pause(Duration::from_millis(2));
        assert!(before.elapsed() >= Duration::from_millis(2));
    }

    #[test]
    fn milliseconds_are_milliseconds() {
        let (in_2024, in_2100) = (1_704_067_200_000, 4_102_444_800_000);
        assert!((in_2024..in_2100).contains(&unix_ms()));
    }
}
