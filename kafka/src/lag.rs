//! How far a member of a group is behind, as its client knows it: nobody is asked for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::Statistics;
use rdkafka::statistics::Partition;
use service::Metrics;
use service::metrics::{By, Gauge};

/// How often it is shown anew.
pub(crate) const LAG_INTERVAL_MS: &str = "10000";

/// Group, topic and partition.
type Series = (String, String, String);

#[derive(Clone, Debug)]
pub(crate) struct Lag {
    records: By<Gauge, 3>,
    shown: Arc<Mutex<BTreeSet<Series>>>,
}

impl Lag {
    pub(crate) fn registered(metrics: &Metrics) -> Self {
        let help = "Records that can be read and were not yet handed out, by the partitions of this process";
        let records = metrics.gauges("ufo_lag_records", help, ["group", "topic", "partition"]);
        Self { records, shown: Arc::default() }
    }

    /// Shows what this member reads now, and no longer what it read before: that is another's to tell.
    pub(crate) fn show(&self, group: &str, topic: &str, statistics: &Statistics) {
        let partitions = statistics.topics.get(topic).map(|topic| topic.partitions.values());
        let lags: Vec<_> = partitions
            .into_iter()
            .flatten()
            .filter_map(|partition| Some((partition.partition.to_string(), lag_of(partition)?)))
            .collect();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|(of, name, partition)| {
            let is_kept = of != group || name != topic || lags.iter().any(|(number, _)| number == partition);
            if !is_kept {
                self.records.forget([of, name, partition]);
            }
            is_kept
        });
        for (partition, lag) in lags {
            self.records.of([group, topic, &partition]).set(lag);
            shown.insert((group.to_owned(), topic.to_owned(), partition));
        }
    }
}

/// `None` for a partition that is not read, or of which nothing is known yet. What was handed out ends before the marker of
/// its transaction: where nothing waits, all that was fetched counts as handed out.
fn lag_of(partition: &Partition) -> Option<i64> {
    let is_read = partition.fetch_state == "active" && partition.ls_offset >= 0;
    let has_none_waiting = partition.app_offset < 0 || partition.fetchq_cnt == 0;
    let fetched = if has_none_waiting { partition.next_offset } else { -1 };
    let position = partition.app_offset.max(fetched);
    (is_read && position >= 0).then(|| (partition.ls_offset - position).max(0))
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Topic;

    use super::*;

    fn partition(number: i32, state: &str, (position, stable_end): (i64, i64)) -> Partition {
        Partition {
            partition: number,
            fetch_state: state.into(),
            app_offset: position,
            next_offset: position,
            ls_offset: stable_end,
            hi_offset: stable_end + 100,
            ..Partition::default()
        }
    }

    fn statistics(partitions: Vec<Partition>) -> Statistics {
        let partitions = partitions.into_iter().map(|partition| (partition.partition, partition)).collect();
        let topic = Topic { partitions, ..Topic::default() };
        Statistics { topics: [("ufo.raw".to_owned(), topic)].into(), ..Statistics::default() }
    }

    #[test]
    fn what_is_read_is_shown_and_what_another_reads_is_not() {
        let metrics = Metrics::new();
        let lag = Lag::registered(&metrics);
        let internal = partition(-1, "none", (-1001, -1001));
        let both = vec![partition(0, "active", (70, 100)), partition(1, "active", (100, 100)), internal];
        lag.show("clean", "ufo.raw", &statistics(both));
        lag.show("lake", "ufo.raw", &statistics(vec![partition(1, "active", (1, 100))]));
        let line = |group: &str, partition: &str, lag: &str| {
            format!(r#"ufo_lag_records{{group="{group}",topic="ufo.raw",partition="{partition}"}} {lag}"#)
        };
        let text = metrics.render();
        for expected in [line("clean", "0", "30"), line("clean", "1", "0"), line("lake", "1", "99")] {
            assert!(text.contains(&expected), "{expected} in\n{text}");
        }
        assert!(!text.contains(r#"partition="-1""#), "{text}");
        let one = vec![partition(0, "active", (90, 100)), partition(1, "none", (-1001, -1001))];
        lag.show("clean", "ufo.raw", &statistics(one));
        let text = metrics.render();
        assert!(
            text.contains(&line("clean", "0", "10")) && text.contains(&line("lake", "1", "99")),
            "{text}"
        );
        assert!(!text.contains(r#"group="clean",topic="ufo.raw",partition="1""#), "{text}");
    }

    #[test]
    fn markers_and_what_waits_in_the_client_are_told_apart() {
        let at_the_end = Partition { next_offset: 100, ..partition(0, "active", (99, 100)) };
        assert_eq!(lag_of(&at_the_end), Some(0), "only the marker of a transaction is left");
        let waiting = Partition { fetchq_cnt: 40, next_offset: 100, ..partition(0, "active", (60, 100)) };
        assert_eq!(lag_of(&waiting), Some(40));
        let unread = Partition { app_offset: -1001, next_offset: 20, ..partition(0, "active", (0, 100)) };
        assert_eq!(lag_of(&unread), Some(80));
    }
}
