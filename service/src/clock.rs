//! The only place where time is read.

use std::time::{Duration, Instant, SystemTime};

/// A monotonic moment.
#[expect(clippy::disallowed_methods, reason = "time enters here")]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970 (UTC).
#[expect(clippy::disallowed_methods, reason = "time enters here")]
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits.
pub fn pause(pause: Duration) {
    std::thread::sleep(pause);
}
