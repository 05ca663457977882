//! The metrics of the rows by HTTP; docs/metrics.md says what they are for.

use std::time::Duration;

use domain::{Rejection, SightingId};
use engine::recovery::{Recovery, Step};
use service::Metrics;
use service::metrics::{By, Counter, Gauge, Histogram};

#[derive(Clone, Debug)]
pub(super) struct IngestMetrics {
    requests: By<Counter, 1>,
    request_seconds: Histogram,
    accepted: Counter,
    rows: By<Counter, 1>,
    body_bytes: Counter,
    queue_requests: Gauge,
    queue_bytes: Gauge,
    commit_seconds: Histogram,
    commit_requests: Histogram,
    commit_rows: Histogram,
    failures: By<Counter, 2>,
}

impl IngestMetrics {
    pub(super) fn registered(metrics: &Metrics) -> Self {
        let rows =
            metrics.counters("ufo_ingest_rows_total", "Rows answered, by what became of them", ["outcome"]);
        Self {
            requests: metrics.counters("ufo_ingest_requests_total", "Requests, by status", ["status"]),
            request_seconds: metrics
                .seconds("ufo_ingest_request_seconds", "A request, from its head to its answer"),
            accepted: rows.of(["accepted"]),
            rows,
            body_bytes: metrics.counter("ufo_ingest_body_bytes_total", "Bodies read, as they came"),
            queue_requests: metrics.gauge("ufo_ingest_queue_requests", "Requests that wait for their commit"),
            queue_bytes: metrics.gauge("ufo_ingest_queue_bytes", "Rows that wait for their commit"),
            commit_seconds: metrics.seconds("ufo_ingest_commit_seconds", "A transaction that was committed"),
            commit_requests: metrics.sizes("ufo_ingest_commit_requests", "Requests in one transaction"),
            commit_rows: metrics.sizes("ufo_ingest_commit_rows", "Rows in one transaction"),
            failures: metrics.counters(
                "ufo_ingest_failures_total",
                "Transactions that failed: at which step, and what was done",
                ["step", "recovery"],
            ),
        }
    }

    pub(super) fn answered(&self, status: u16, took: Duration) {
        self.requests.of([&status.to_string()]).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn body(&self, bytes: usize) {
        self.body_bytes.inc_by(bytes as u64);
    }

    /// Rows of a request that is answered with 200.
    pub(super) fn rows(&self, verdicts: &[Result<SightingId, Rejection>]) {
        let mut accepted = 0;
        for verdict in verdicts {
            match verdict {
                Ok(_) => accepted += 1,
                Err(rejection) => {
                    self.rows.of([rejection.code.name()]).inc();
                }
            }
        }
        self.accepted.inc_by(accepted);
    }

    pub(super) fn queue(&self, (requests, bytes): (usize, usize)) {
        self.queue_requests.set(i64::try_from(requests).unwrap_or(i64::MAX));
        self.queue_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) fn committed(&self, requests: usize, rows: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.commit_requests.observe(requests as f64);
        self.commit_rows.observe(rows as f64);
    }

    pub(super) fn failed(&self, step: Step, recovery: Recovery) {
        self.failures.of([step_name(step), recovery_name(recovery)]).inc();
    }
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Begin => "begin",
        Step::Send => "send",
        Step::SendOffsets => "send_offsets",
        Step::Commit => "commit",
        Step::Abort => "abort",
    }
}

fn recovery_name(recovery: Recovery) -> &'static str {
    match recovery {
        Recovery::RetryCall => "retry_call",
        Recovery::AbortAndRewind => "abort_and_rewind",
        Recovery::RecreateAndRewind => "recreate_and_rewind",
        Recovery::Exit => "exit",
    }
}
