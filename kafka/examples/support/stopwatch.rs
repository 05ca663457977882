//! Wall time, processor time and one line of output for the examples that measure.

use std::fs;
use std::io::{self, Write};
use std::time::Instant;

/// The kernel's unit in /proc/self/stat.
const TICKS_PER_SECOND: f64 = 100.0;

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this is")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Of all threads of this process, user and system.
pub(crate) fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

pub(crate) fn say(line: &str) {
    // Whoever closed the output does not want to know.
    let _ = io::stdout().write_all(line.as_bytes());
}
