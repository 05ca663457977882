//! The figures of a process for Prometheus. The registry is passed in, not global: tests and several pipelines in one process
//! do not see one another's figures. Each crate lists its metrics in one place, and none of them changes what is done.

mod process;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::family::Family;
pub use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use prometheus_client::registry::{Metric, Registry};

/// The type of [`Metrics::render`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// From a local commit to a call that timed out.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From one record, or byte, to 16 million.
const SIZES: [f64; 13] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];

/// The metrics of a process; clones are the same registry. Names are whole (`ufo_rows_total`), so that they can be found, and
/// each is registered once: a second time is a mistake of ours, and panics.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    registry: Registry,
    names: BTreeSet<&'static str>,
    process: process::Gauges,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let process = process::Gauges::registered(&mut registry);
        Self(Arc::new(Mutex::new(State { registry, names: BTreeSet::new(), process })))
    }

    /// What only grows; its name ends in `_total`.
    pub fn counter(&self, name: &'static str, help: &str) -> Counter {
        self.registered(name, help, Counter::default())
    }

    /// What goes up and down.
    pub fn gauge(&self, name: &'static str, help: &str) -> Gauge {
        self.registered(name, help, Gauge::default())
    }

    /// How long things take; its name ends in `_seconds`.
    pub fn seconds(&self, name: &'static str, help: &str) -> Histogram {
        self.registered(name, help, seconds())
    }

    /// How large things are: records or bytes.
    pub fn sizes(&self, name: &'static str, help: &str) -> Histogram {
        self.registered(name, help, sizes())
    }

    /// Counters by labels. Few values for each: every combination is a time series of its own.
    pub fn counters<const N: usize>(
        &self,
        name: &'static str,
        help: &str,
        labels: [&'static str; N],
    ) -> By<Counter, N> {
        self.by(name, help, labels, Counter::default)
    }

    /// Gauges by labels.
    pub fn gauges<const N: usize>(
        &self,
        name: &'static str,
        help: &str,
        labels: [&'static str; N],
    ) -> By<Gauge, N> {
        self.by(name, help, labels, Gauge::default)
    }

    /// Durations by labels.
    pub fn seconds_by<const N: usize>(
        &self,
        name: &'static str,
        help: &str,
        labels: [&'static str; N],
    ) -> By<Histogram, N> {
        self.by(name, help, labels, seconds)
    }

    /// All figures as text, of the type [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        let state = self.state();
        state.process.refresh();
        let mut text = String::new();
        encode(&mut text, &state.registry).expect("a string takes whatever is written to it");
        text
    }

    fn by<M, const N: usize>(
        &self,
        name: &'static str,
        help: &str,
        labels: [&'static str; N],
        new: fn() -> M,
    ) -> By<M, N>
    where
        M: Clone,
        Series<M, N>: Metric,
    {
        By { labels, series: self.registered(name, help, Series::new_with_constructor(new)) }
    }

    fn registered<M: Metric + EncodeMetric + Clone>(&self, name: &'static str, help: &str, metric: M) -> M {
        let is_counter = matches!(metric.metric_type(), MetricType::Counter);
        assert!(
            name.starts_with("ufo_") && name.ends_with("_total") == is_counter,
            "{name} is no name for this metric"
        );
        let mut state = self.state();
        assert!(state.names.insert(name), "the metric {name} is there already");
        // The text format adds `_total` to counters, and the full stop to the help.
        let name = name.strip_suffix("_total").unwrap_or(name);
        state.registry.register(name, help.trim_end_matches('.'), metric.clone());
        metric
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

fn sizes() -> Histogram {
    Histogram::new(SIZES)
}

type Series<M, const N: usize> = Family<[(&'static str, String); N], M, fn() -> M>;

/// One metric by the values of its labels.
#[derive(Clone)]
pub struct By<M, const N: usize> {
    labels: [&'static str; N],
    series: Series<M, N>,
}

impl<M: Clone, const N: usize> By<M, N> {
    /// The one with these values, in the labels' order. Kept by who needs it often: looking it up takes a lock.
    pub fn of(&self, values: [&str; N]) -> M {
        self.series.get_or_create_owned(&self.labelled(values))
    }

    /// Shows it no longer: the lag of a partition that another process reads now is not ours to tell.
    pub fn forget(&self, values: [&str; N]) {
        self.series.remove(&self.labelled(values));
    }

    fn labelled(&self, values: [&str; N]) -> [(&'static str, String); N] {
        let mut values = values.into_iter();
        self.labels.map(|label| (label, values.next().unwrap_or_default().to_owned()))
    }
}

impl<M, const N: usize> fmt::Debug for By<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("By").field("labels", &self.labels).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines about one metric.
    fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
        metrics.render().lines().filter(|line| line.contains(name)).map(ToOwned::to_owned).collect()
    }

    #[test]
    fn counters_and_gauges_are_shown_under_their_whole_names() {
        let metrics = Metrics::new();
        let rows = metrics.counter("ufo_rows_total", "Rows read.");
        rows.inc_by(3);
        metrics.clone().gauge("ufo_lag_records", "Records not handled yet").set(-1);
        assert_eq!(
            lines(&metrics, "ufo_rows"),
            ["# HELP ufo_rows Rows read.", "# TYPE ufo_rows counter", "ufo_rows_total 3"]
        );
        assert!(lines(&metrics, "ufo_lag_records").contains(&"ufo_lag_records -1".to_owned()));
        assert!(metrics.render().ends_with("# EOF\n"));
    }

    #[test]
    fn labels_keep_their_order_and_are_escaped() {
        let metrics = Metrics::new();
        let rejects = metrics.counters("ufo_rejects_total", "Rejects", ["stage", "code"]);
        rejects.of(["clean", "not_json"]).inc();
        rejects.of(["clean", "not_json"]).inc();
        rejects.of(["clean", "a\"b\n"]).inc();
        let lines = lines(&metrics, "ufo_rejects_total");
        assert!(
            lines.contains(&r#"ufo_rejects_total{stage="clean",code="not_json"} 2"#.to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.contains(&r#"ufo_rejects_total{stage="clean",code="a\"b\n"} 1"#.to_owned()),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_forgotten_is_shown_no_longer() {
        let metrics = Metrics::new();
        let lag = metrics.gauges("ufo_lag_records", "Lag", ["partition"]);
        lag.of(["0"]).set(7);
        lag.of(["1"]).set(8);
        lag.forget(["0"]);
        let text = metrics.render();
        assert!(
            text.contains(r#"ufo_lag_records{partition="1"} 8"#) && !text.contains(r#"partition="0""#),
            "{text}"
        );
    }

    #[test]
    fn durations_and_sizes_have_buckets() {
        let metrics = Metrics::new();
        metrics.seconds("ufo_commit_seconds", "Commits").observe(0.3);
        metrics.sizes("ufo_batch_records", "Batches").observe(5000.0);
        metrics.seconds_by("ufo_call_seconds", "Calls", ["store"]).of(["lake"]).observe(0.004);
        let text = metrics.render();
        for line in [
            r#"ufo_commit_seconds_bucket{le="0.25"} 0"#,
            r#"ufo_commit_seconds_bucket{le="0.5"} 1"#,
            r#"ufo_batch_records_bucket{le="4096.0"} 0"#,
            r#"ufo_batch_records_bucket{le="16384.0"} 1"#,
            r#"ufo_call_seconds_bucket{le="0.005",store="lake"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    #[should_panic(expected = "ufo_rows_total is there already")]
    fn a_name_is_registered_once() {
        let metrics = Metrics::new();
        metrics.counter("ufo_rows_total", "Rows");
        metrics.counter("ufo_rows_total", "Rows");
    }

    #[test]
    #[should_panic(expected = "ufo_rows is no name for this metric")]
    fn a_counter_is_a_total() {
        Metrics::new().counter("ufo_rows", "Rows");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_itself_is_shown() {
        let text = Metrics::new().render();
        for name in ["process_open_fds ", "process_resident_memory_bytes "] {
            let value = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|value| value.parse::<i64>().ok());
            assert!(value.is_some_and(|value| value > 0), "{name} in\n{text}");
        }
    }
}
