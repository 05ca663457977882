//! What the index has done, counted. Nothing is decided by these numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by the threads; read by whoever publishes metrics.
#[derive(Debug, Default)]
pub struct IndexMetrics {
    /// Documents written or deleted.
    pub done: Counter,
    /// The index had this version or a newer one.
    pub already_there: Counter,
    /// In the file of refused documents.
    pub refused: Counter,
    /// Documents sent again.
    pub retried: Counter,
    /// Whole requests sent again: no answer, or the server had no room.
    pub requests_retried: Counter,
    /// Bodies sent, before compression.
    pub sent_bytes: Counter,
    pub batches: Counter,
}

/// Only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
