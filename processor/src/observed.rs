//! What the stages' workers tell, as logs, metrics and health.

use std::time::Duration;

use engine::observer::{Moment, Observer};
use service::metrics::Gauge;
use service::{Health, Metrics};

use crate::metrics::StageMetrics;

/// The stages that have to be at work before the process is ready.
pub const PARTS: [&str; 2] = ["clean", "aggregate"];

/// Keeps [`StageMetrics`] and the health of [`PARTS`].
pub struct Observed {
    health: Health,
    metrics: StageMetrics,
}

impl Observed {
    pub fn new(health: Health, metrics: &Metrics) -> Self {
        PARTS.into_iter().for_each(|part| health.not_ready(part, "waiting for its partitions"));
        Self { health, metrics: StageMetrics::registered(metrics) }
    }

    fn partitions(&self, stage: &str) -> Gauge {
        self.metrics.partitions.of([stage])
    }
}

/// A rebalance, an abort, a commit: one readable line each.
impl Observer for Observed {
    fn observe(&self, stage: &'static str, moment: &Moment) {
        #[cfg(feature = "failpoints")]
        crate::failpoint::pass(stage, moment);
        match moment {
            Moment::Assigned { partitions } => {
                tracing::info!(stage, partitions, "{stage}: {partitions} partitions assigned");
                self.metrics.rebalances.of([stage]).inc();
                self.health.not_ready(stage, format!("restoring {partitions} partitions"));
            }
            Moment::Restoring { partition, records, of, took } => {
                let left = seconds_left(*records, *of, *took);
                let done = format!("restored {records} of {of} records of partition {partition}");
                tracing::info!(stage, "{stage}: {done}, about {left} s left");
                self.health.not_ready(stage, format!("{done}, about {left} s left"));
            }
            Moment::Restored { records, .. } => {
                self.metrics.restores.of([stage]).inc();
                self.metrics.restored_records.of([stage]).inc_by(*records);
            }
            // Also without a partition: it takes over when another process ends.
            Moment::Started { partitions } => {
                self.partitions(stage).inc_by(count(*partitions));
                self.health.ready(stage);
            }
            Moment::Revoked { partitions } => {
                tracing::info!(stage, partitions, "{stage}: {partitions} partitions given back");
                if self.partitions(stage).dec_by(count(*partitions)) <= count(*partitions) {
                    self.health.not_ready(stage, "its partitions are given back: waiting for others");
                }
            }
            Moment::Committed { records, took } => {
                let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(stage, records, took_ms, "{stage}: committed {records} records");
                self.metrics.records.of([stage]).inc_by(*records);
                self.metrics.commit.of([stage]).observe(took.as_secs_f64());
                self.health.ready(stage);
            }
            Moment::Late { records } => {
                tracing::warn!(stage, records, "{stage}: {records} sightings came too late for their minute");
                self.metrics.late.of([stage]).inc_by(*records);
            }
            Moment::Failed { step, recovery } => {
                tracing::warn!(stage, ?step, ?recovery, "{stage}: a transaction failed");
                let (step, recovery) =
                    (snake_case(&format!("{step:?}")), snake_case(&format!("{recovery:?}")));
                self.metrics.failures.of([stage, &step, &recovery]).inc();
                self.health.not_ready(stage, format!("a transaction failed ({step}): trying again"));
            }
            Moment::Consumed { .. } | Moment::Flushed | Moment::OffsetsSent => {}
        }
    }
}

fn count(partitions: usize) -> i64 {
    i64::try_from(partitions).unwrap_or(i64::MAX)
}

/// At the pace so far.
fn seconds_left(records: u64, of: u64, took: Duration) -> u64 {
    let left = u128::from(of.saturating_sub(records));
    let millis = took.as_millis() * left / u128::from(records.max(1));
    u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX)
}

/// `AbortAndRewind` as a label's value.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use engine::record::Partition;
    use engine::recovery::{Recovery, Step};

    use super::*;

    #[test]
    fn a_restore_says_how_long_it_will_take() {
        assert_eq!(seconds_left(2_000, 10_000, Duration::from_secs(3)), 12);
        assert_eq!(seconds_left(10_000, 10_000, Duration::from_secs(3)), 0);
        assert_eq!(seconds_left(0, 10, Duration::from_millis(1)), 1);
        let (health, metrics) = (Health::new(PARTS), Metrics::new());
        let observed = Observed::new(health.clone(), &metrics);
        let (partition, took) = (Partition(2), Duration::from_secs(3));
        observed.observe("clean", &Moment::Restoring { partition, records: 2_000, of: 10_000, took });
        let waiting = format!("{:?}", health.report().waiting);
        assert!(waiting.contains("2000 of 10000 records of partition 2, about 12 s left"), "{waiting}");
        observed.observe("clean", &Moment::Restored { partition, records: 9_000, took });
        let text = metrics.render();
        assert!(text.contains(r#"ufo_stage_restores_total{stage="clean"} 1"#), "{text}");
        assert!(text.contains(r#"ufo_stage_restored_records_total{stage="clean"} 9000"#), "{text}");
    }

    #[test]
    fn ready_while_its_partitions_are_worked_on() {
        let (health, metrics) = (Health::new(PARTS), Metrics::new());
        let observed = Observed::new(health.clone(), &metrics);
        let waiting = || health.report().waiting.into_iter().map(|(part, _)| part).collect::<Vec<_>>();
        observed.observe("clean", &Moment::Assigned { partitions: 6 });
        assert_eq!(waiting(), ["aggregate", "clean"]);
        observed.observe("clean", &Moment::Started { partitions: 6 });
        observed.observe("aggregate", &Moment::Started { partitions: 0 });
        assert!(health.report().is_ready());
        observed
            .observe("clean", &Moment::Failed { step: Step::Commit, recovery: Recovery::RecreateAndRewind });
        assert_eq!(waiting(), ["clean"]);
        observed.observe("clean", &Moment::Committed { records: 7, took: Duration::from_millis(3) });
        assert!(health.report().is_ready());
        observed.observe("clean", &Moment::Revoked { partitions: 6 });
        assert_eq!(waiting(), ["clean"]);
        let text = metrics.render();
        for line in [
            r#"ufo_stage_records_total{stage="clean"} 7"#,
            r#"ufo_stage_partitions{stage="clean"} 0"#,
            r#"ufo_stage_failures_total{stage="clean",step="commit",recovery="recreate_and_rewind"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
