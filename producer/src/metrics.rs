//! The producer's metrics; docs/metrics.md says what they are for.

use service::Metrics;
use service::metrics::{Counter, Gauge};

use crate::publish::Progress;

#[derive(Clone, Debug)]
pub struct ProducerMetrics {
    sent: Counter,
    passed_over: Counter,
    bytes: Gauge,
    bytes_total: Gauge,
}

impl ProducerMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let rows = metrics.counters("ufo_producer_rows_total", "Rows handled, by what was done", ["outcome"]);
        Self {
            sent: rows.of(["sent"]),
            passed_over: rows.of(["passed_over"]),
            bytes: metrics.gauge("ufo_producer_file_read_bytes", "How far the open file is read"),
            bytes_total: metrics.gauge("ufo_producer_file_bytes", "Size of the open file, where known"),
        }
    }

    /// From one commit to the next of a file.
    pub fn committed(&self, before: &Progress, now: &Progress) {
        self.sent.inc_by(now.sent.saturating_sub(before.sent));
        self.passed_over.inc_by(now.passed_over.saturating_sub(before.passed_over));
        self.bytes.set(now.bytes.cast_signed());
        self.bytes_total.set(now.bytes_total.unwrap_or_default().cast_signed());
    }
}
