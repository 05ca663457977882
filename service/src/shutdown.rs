//! When to stop: SIGINT and SIGTERM, or a call. A second signal ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a process that a signal ended.
const ENDED_BY_SIGNAL: i32 = 130;

/// A request to stop, shared by every thread.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    pub fn new() -> Self {
        Self::default()
    }

    /// Requested by SIGINT or SIGTERM.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset and sets it, the second finds it set.
            flag::register_conditional_shutdown(signal, ENDED_BY_SIGNAL, Arc::clone(&shutdown.0))?;
            flag::register(signal, Arc::clone(&shutdown.0))?;
        }
        Ok(shutdown)
    }

    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
