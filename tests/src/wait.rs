//! Waits for facts, with a deadline: how long something took is told, never how long it should be slept.

use std::time::Duration;

use service::clock;

const LOOK: Duration = Duration::from_millis(20);

/// Waits until it is so, and gives the time that it took.
///
/// # Panics
/// If it is not so within `limit`.
pub fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = clock::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        clock::pause(LOOK);
    }
    begun.elapsed()
}
