//! What the lake's tables got. Nothing is decided by these numbers. docs/metrics.md says what they are for.

use service::Metrics;
use service::metrics::{By, Counter, Histogram};

/// By table; nothing is counted where nobody looks.
#[derive(Clone, Debug)]
pub struct LakeMetrics {
    rows: By<Counter, 1>,
    files: By<Counter, 1>,
    commits: By<Counter, 2>,
    commit: By<Histogram, 1>,
}

/// Those of one table.
#[derive(Clone, Debug)]
pub(super) struct TableMetrics {
    pub(super) rows: Counter,
    pub(super) files: Counter,
    pub(super) committed: Counter,
    pub(super) refused: Counter,
    pub(super) commit: Histogram,
}

impl Default for LakeMetrics {
    fn default() -> Self {
        Self::registered(&Metrics::new())
    }
}

impl LakeMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let by = ["table"];
        Self {
            rows: metrics.counters("ufo_lake_rows_total", "Rows committed", by),
            files: metrics.counters("ufo_lake_files_total", "Files committed", by),
            commits: metrics.counters(
                "ufo_lake_commits_total",
                "Commits by what became of them",
                ["table", "outcome"],
            ),
            commit: metrics.seconds_by("ufo_lake_commit_seconds", "Commits, once their files are up", by),
        }
    }

    pub(super) fn of(&self, table: &str) -> TableMetrics {
        TableMetrics {
            rows: self.rows.of([table]),
            files: self.files.of([table]),
            committed: self.commits.of([table, "committed"]),
            refused: self.commits.of([table, "refused"]),
            commit: self.commit.of([table]),
        }
    }
}
