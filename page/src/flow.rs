//! The pipeline at work: rows handled, rows per second, what is left to do, and the figures of this process.

use std::collections::{BTreeMap, VecDeque};

use domain::wire::RowCounts;
use engine::record::Partition;
use serde::Serialize;

/// Two minutes, by a sample every half second.
const SAMPLES_MAX: usize = 240;
/// Over so many samples a rate is taken: calm enough to read.
const RATE_SAMPLES: usize = 6;
/// More series than a process has.
const METRICS_MAX: usize = 200;

/// What is told about the pipeline. Pure: times are handed in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    counts: BTreeMap<Partition, RowCounts>,
    /// Transactions of stage *clean* that were seen since the page began to read.
    commits: u64,
    /// Records of `ufo.raw`, where offsets are records.
    raw: Option<u64>,
    samples: VecDeque<Sample>,
    metrics: Vec<Metric>,
}

/// At a moment: milliseconds since 1970, rows, commits.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    at_ms: i64,
    rows: u64,
    commits: u64,
}

/// Name, labels as they are written, value as it is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Metric(String, String, String);

/// What the page shows of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Shown {
    rows: u64,
    sightings: u64,
    rejects: u64,
    duplicates: u64,
    late: u64,
    /// Rows that no transaction has taken yet; not known beside a broker.
    lag: Option<u64>,
    rows_per_second: u64,
    commits_per_second: f64,
    commits: u64,
    /// Ids that are remembered, 16 bytes each, and keys of the aggregates.
    ids: u64,
    keys: usize,
    /// When the last sample was taken.
    at_ms: i64,
    rejects_by_code: Vec<(&'static str, u64)>,
}

impl Flow {
    /// A transaction's counters of its partition. They only grow.
    pub(crate) fn committed(&mut self, partition: Partition, counts: RowCounts) {
        self.commits += 1;
        self.counts.insert(partition, counts);
    }

    pub(crate) fn sample(&mut self, at_ms: i64, raw: Option<u64>, metrics: &str) {
        self.raw = raw;
        let sample = Sample { at_ms, rows: self.sum(|counts| counts.rows), commits: self.commits };
        // The first is what was there before the page.
        if self.samples.is_empty() && self.counts.is_empty() && raw.is_none_or(|raw| raw > 0) {
            return;
        }
        self.samples.push_back(sample);
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.metrics = parsed(metrics);
    }

    fn sum(&self, of: impl Fn(&RowCounts) -> u64) -> u64 {
        self.counts.values().map(of).sum()
    }

    pub(crate) fn shown(&self, keys: usize, rejects_by_code: Vec<(&'static str, u64)>) -> Shown {
        let rows = self.sum(|counts| counts.rows);
        let (sightings, rejects) = (self.sum(|counts| counts.sightings), self.sum(|counts| counts.rejects));
        let last = self.samples.len().checked_sub(1);
        let before = last.map(|last| last.saturating_sub(RATE_SAMPLES));
        let recent = last.zip(before).map(|(last, before)| (self.samples[before], self.samples[last]));
        Shown {
            rows,
            sightings,
            rejects,
            duplicates: self.sum(|counts| counts.duplicates),
            late: self.sum(|counts| counts.late),
            lag: self.raw.map(|raw| raw.saturating_sub(rows)),
            rows_per_second: recent.map_or(0, |(from, to)| rate(from, to, |sample| sample.rows)),
            commits_per_second: recent
                .map_or(0.0, |(from, to)| rate(from, to, |sample| sample.commits * 10) as f64 / 10.0),
            commits: self.commits,
            ids: sightings + rejects,
            keys,
            at_ms: self.samples.back().map_or(0, |last| last.at_ms),
            rejects_by_code,
        }
    }

    /// Figures of the process that serves the page.
    pub(crate) fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Rows per second of each sample, oldest first: when, how many.
    pub(crate) fn history(&self) -> Vec<(i64, u64)> {
        let rate_at = |(at, to): (usize, &Sample)| {
            let from = self.samples[at.saturating_sub(RATE_SAMPLES)];
            (to.at_ms, rate(from, *to, |sample| sample.rows))
        };
        self.samples.iter().enumerate().skip(1).map(rate_at).collect()
    }
}

fn rate(from: Sample, to: Sample, of: impl Fn(Sample) -> u64) -> u64 {
    let ms = u64::try_from(to.at_ms - from.at_ms).unwrap_or(0);
    (of(to).saturating_sub(of(from)) * 1000).checked_div(ms).unwrap_or(0)
}

/// Our own series of the text format, without histograms' buckets.
fn parsed(text: &str) -> Vec<Metric> {
    let lines = text.lines().filter(|line| line.starts_with("ufo_") || line.starts_with("process_"));
    let series = lines.filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        (!name.ends_with("_bucket"))
            .then(|| Metric(name.to_owned(), labels.trim_end_matches('}').to_owned(), value.to_owned()))
    });
    series.take(METRICS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: u64) -> RowCounts {
        RowCounts { rows, sightings: rows - 1, rejects: 0, duplicates: 1, late: 0 }
    }

    #[test]
    fn rates_are_of_what_came_while_it_was_watched() {
        let mut flow = Flow::default();
        flow.committed(Partition(0), counts(1_000));
        flow.sample(10_000, Some(1_500), "");
        flow.committed(Partition(0), counts(1_400));
        flow.committed(Partition(1), counts(100));
        flow.sample(11_000, Some(1_500), "");
        let shown = flow.shown(0, Vec::new());
        assert_eq!((shown.rows, shown.lag, shown.rows_per_second), (1_500, Some(0), 500));
        assert_eq!((shown.ids, shown.duplicates), (1_498, 2));
        assert_eq!((shown.commits, shown.commits_per_second), (3, 2.0));
        assert_eq!(flow.history(), [(11_000, 500)]);
    }

    #[test]
    fn nothing_is_remembered_for_ever() {
        let mut flow = Flow::default();
        flow.committed(Partition(0), counts(1));
        for at in 0..1_000 {
            flow.sample(at, None, "");
        }
        assert_eq!(flow.samples.len(), SAMPLES_MAX);
    }

    #[test]
    fn metrics_are_read_without_buckets() {
        let text = "# TYPE ufo_x counter\nufo_x_total{stage=\"clean\"} 7\nufo_s_seconds_bucket{le=\"1.0\"} 1\nufo_s_seconds_count 3\n# EOF\n";
        let metric = |name: &str, labels: &str, value: &str| Metric(name.into(), labels.into(), value.into());
        assert_eq!(
            parsed(text),
            [metric("ufo_x_total", "stage=\"clean\"", "7"), metric("ufo_s_seconds_count", "", "3")]
        );
    }
}
