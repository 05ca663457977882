//! The processor's metrics; docs/metrics.md says what they are for.

use std::collections::BTreeMap;

use domain::RejectCode;
use service::Metrics;
use service::metrics::{By, Counter, Gauge, Histogram};

use crate::seen::Counters;

/// What became of the rows, counted when it is committed: what was undone is not in it.
#[derive(Clone, Debug, Default)]
pub struct RowMetrics {
    sightings: Counter,
    rejects: Counter,
    duplicates: Counter,
    /// Empty where nobody looks.
    rejects_by_code: BTreeMap<RejectCode, Counter>,
}

impl RowMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let rows = metrics.counters("ufo_processor_rows_total", "Rows by what became of them", ["outcome"]);
        let rejects = metrics.counters("ufo_rejects_total", "Rejects by why", ["code"]);
        let by_code = |code: RejectCode| (code, rejects.of([code.name()]));
        Self {
            sightings: rows.of(["sighting"]),
            rejects: rows.of(["reject"]),
            duplicates: rows.of(["duplicate"]),
            rejects_by_code: RejectCode::ALL.into_iter().map(by_code).collect(),
        }
    }

    pub(crate) fn committed(&self, before: &Counters, now: &Counters, rejected: BTreeMap<RejectCode, u64>) {
        self.sightings.inc_by(now.sightings - before.sightings);
        self.rejects.inc_by(now.rejects - before.rejects);
        self.duplicates.inc_by(now.duplicates - before.duplicates);
        for (code, count) in rejected {
            if let Some(counter) = self.rejects_by_code.get(&code) {
                counter.inc_by(count);
            }
        }
    }
}

/// What the workers of the stages do.
#[derive(Debug)]
pub struct StageMetrics {
    pub records: By<Counter, 1>,
    pub commit: By<Histogram, 1>,
    pub partitions: By<Gauge, 1>,
    pub rebalances: By<Counter, 1>,
    pub restores: By<Counter, 1>,
    pub restored_records: By<Counter, 1>,
    pub late: By<Counter, 1>,
    pub failures: By<Counter, 3>,
}

impl StageMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let by = ["stage"];
        Self {
            records: metrics.counters("ufo_stage_records_total", "Input records committed", by),
            commit: metrics.seconds_by("ufo_stage_commit_seconds", "Transactions, from flush to commit", by),
            partitions: metrics.gauges("ufo_stage_partitions", "Partitions worked on", by),
            rebalances: metrics.counters("ufo_stage_rebalances_total", "Assignments taken", by),
            restores: metrics.counters("ufo_stage_restores_total", "States restored from changelogs", by),
            restored_records: metrics.counters(
                "ufo_stage_restored_records_total",
                "Changelog records that states were restored from",
                by,
            ),
            late: metrics.counters("ufo_stage_late_total", "Records that came too late for their window", by),
            failures: metrics.counters(
                "ufo_stage_failures_total",
                "Transactions that failed, by the step and what was done about it",
                ["stage", "step", "recovery"],
            ),
        }
    }
}
