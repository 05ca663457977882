//! What the index has done, counted. Nothing is decided by these numbers. docs/metrics.md says what they are for.

use service::metrics::Counter;
use service::{Health, Metrics};

use super::document::Kind;

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
    /// Has a part for each kind of document, see [`part_of`].
    pub health: Health,
}

impl IndexMetrics {
    pub fn registered(metrics: &Metrics, health: Health) -> Self {
        let documents =
            metrics.counters("ufo_index_documents_total", "Documents by what became of them", ["outcome"]);
        Self {
            done: documents.of(["written"]),
            already_there: documents.of(["already_there"]),
            refused: documents.of(["refused"]),
            retried: documents.of(["sent_again"]),
            requests_retried: metrics
                .counter("ufo_index_requests_retried_total", "Whole requests sent again"),
            sent_bytes: metrics.counter("ufo_index_sent_bytes_total", "Bodies sent, before compression"),
            batches: metrics.counter("ufo_index_batches_total", "Batches settled"),
            health,
        }
    }
}

/// The part of the process that is not ready while these documents find no place.
pub fn part_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Sightings => "index of sightings",
        Kind::Aggregates => "index of aggregates",
        Kind::Rejects => "index of rejects",
    }
}
