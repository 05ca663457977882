//! The ledger that anyone can run after a run: rows read = raw; raw = sightings + rejects + duplicates, per partition;
//! sightings = documents = silver rows, by id; aggregates equal to a recomputation, to the digit.

#[cfg(feature = "kafka")]
pub mod cli;
pub mod facts;
mod report;

use domain::Totals;
use facts::{Aggregates, Ids, LogFacts, StoreFacts};
pub use report::{Check, Report};

/// Compares everything with everything. `file` is the recomputation over the input, where there is one.
pub fn ledger(file: Option<&Totals>, log: &LogFacts, stores: &[(&str, &StoreFacts)]) -> Report {
    let mut report = Report::default();
    let raw: u64 = log.raw_by_partition.iter().sum();
    if let Some(totals) = file {
        report.equal("rows of the file = records of raw", totals.rows, raw);
    }
    for (partition, (raw, counters)) in
        log.raw_by_partition.iter().zip(&log.counters_by_partition).enumerate()
    {
        let sum = counters.sightings + counters.rejects + counters.duplicates;
        report.equal(format!("partition {partition}: raw = rows handled"), *raw, counters.rows);
        report.equal(format!("partition {partition}: raw = sightings + rejects + duplicates"), *raw, sum);
    }
    let sum =
        |count: fn(&processor::seen::Counters) -> u64| log.counters_by_partition.iter().map(count).sum();
    report.equal("sightings counted = sightings in the topic", sum(|c| c.sightings), len(&log.sightings));
    report.equal("rejects counted = rejects in the topic", sum(|c| c.rejects), len(&log.rejects));
    let arrivals = log.arrivals.count + log.arrivals.late;
    report.equal("sightings counted = arrivals + late", sum(|c| c.sightings), arrivals);
    once(&mut report, "sightings", &log.sightings);
    once(&mut report, "rejects", &log.rejects);

    if let Some(totals) = file {
        report.equal("duplicates", totals.duplicates, sum(|counters| counters.duplicates));
        report.same_ids("sightings of the file = in the topic", &totals.sighting_ids, &log.sightings.ids);
        report.same_ids("rejects of the file = in the topic", &totals.reject_ids, &log.rejects.ids);
        aggregates(&mut report, "recomputation", &totals.aggregates, "topic", &log.aggregates);
    }
    for (name, store) in stores {
        if let Some(found) = store.raw {
            report.equal(format!("raw = {name} raw"), raw, found);
        }
        once(&mut report, &format!("{name} sightings"), &store.sightings);
        once(&mut report, &format!("{name} rejects"), &store.rejects);
        report.same_ids(format!("sightings = {name}"), &log.sightings.ids, &store.sightings.ids);
        report.same_ids(format!("rejects = {name}"), &log.rejects.ids, &store.rejects.ids);
        aggregates(&mut report, "topic", &log.aggregates, name, &store.aggregates);
    }
    report
}

fn len(ids: &Ids) -> u64 {
    (ids.ids.len() + ids.twice.len()) as u64
}

fn once(report: &mut Report, name: &str, ids: &Ids) {
    let first = ids.twice.first().map(ToString::to_string);
    report.check(
        format!("{name}: none twice"),
        "0".into(),
        ids.twice.len().to_string(),
        first.map(|id| format!("{id} is there twice")),
    );
}

fn aggregates(report: &mut Report, left_name: &str, left: &Aggregates, right_name: &str, right: &Aggregates) {
    let keys = || left.keys().chain(right.keys());
    let different = keys().find(|key| left.get(*key) != right.get(*key)).map(|key| {
        format!(
            "{}: {left_name} {:?}, {right_name} {:?}",
            String::from_utf8_lossy(key),
            left.get(key),
            right.get(key)
        )
    });
    report.check(
        format!("aggregates: {left_name} = {right_name}"),
        left.len().to_string(),
        right.len().to_string(),
        different,
    );
}
