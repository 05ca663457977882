//! Logs: text for people on a terminal, JSON for machines elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `UFO_LOG` sets what is logged (`info`, `engine=debug`, …).
pub fn start(is_quiet: bool) {
    let default = if is_quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_env("UFO_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second start (tests, several parts in one process) changes nothing.
    let _ = if io::stderr().is_terminal() {
        logs.with_target(false).try_init()
    } else {
        logs.json().flatten_event(true).try_init()
    };
}
