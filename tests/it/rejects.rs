//! Rejects are found, repaired and sent again, and each counts once then.

use std::process::Stdio;

use engine::log::{Log, Producer};
use engine::record::{NewRecord, Partition};
use kafka::{Kafka, KafkaSettings};
use pipeline_tests::http::row;
use pipeline_tests::{Pipeline, Servers, said};
use serde_json::Value;
use tempfile::TempDir;

/// Writes records into `ufo.raw` as another program might that does not know how keys are made.
fn foreign(pipeline: &Pipeline, records: &[(Option<&str>, String)]) {
    let log = Kafka::new(KafkaSettings::new(pipeline.brokers()));
    let mut producer = log.producer(&format!("{}-foreign", pipeline.prefix())).expect("a producer");
    producer.begin().expect("begins");
    for (timestamp_ms, (key, value)) in (1_700_000_000_000..).zip(records) {
        let (key, value) = (key.map(str::as_bytes), Some(value.as_bytes()));
        let record = NewRecord { partition: Partition(0), timestamp_ms, key, value };
        producer.send(&pipeline.topics().raw(), record).expect("sends");
    }
    producer.commit().expect("commits");
}

fn rejects(pipeline: &Pipeline, arguments: &[&str]) -> String {
    pipeline.run("producer", &[&["--quiet", "rejects"], arguments].concat())
}

fn counts(pipeline: &Pipeline) -> [usize; 2] {
    let processed = pipeline.run("processor", &["--until-end"]);
    let verified = pipeline.run("verify", &[]);
    let figure = |name: &str| {
        let line = verified.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{verified}"));
        let figure = line.split_whitespace().find_map(|word| word.parse().ok());
        figure.unwrap_or_else(|| panic!("{line}: {processed}"))
    };
    ["sightings counted = sightings in the topic", "rejects counted = rejects in the topic"].map(figure)
}

#[test]
fn a_repaired_reject_counts_once_however_often_it_is_sent() {
    let Some(servers) = Servers::attached("rejects") else { return };
    let pipeline = Pipeline::on(&servers.brokers, "rejects");
    pipeline.run("processor", &["--until-end"]);
    let mut soon = row(2);
    soon["datetime"] = "soon".into();
    let records = [
        (Some("4711"), row(1).to_string()),
        (None, soon.to_string()),
        (Some("4713"), "no json".to_owned()),
        (Some("4711"), row(1).to_string()),
    ];
    foreign(&pipeline, &records);
    assert_eq!(counts(&pipeline), [0, 3], "the last one is a duplicate");

    let counted = rejects(&pipeline, &["list", "--count"]);
    let words: Vec<_> = counted.split_whitespace().collect();
    assert_eq!(words, ["1", "not_json", "2", "key_mismatch"]);
    let listed =
        rejects(&pipeline, &["list", "--code", "not_json", "--partition", "0", "--from-offset", "2"]);
    assert!(listed.starts_with("0:2 ") && listed.lines().count() == 1, "{listed}");
    assert!(rejects(&pipeline, &["show", "0:2"]).contains("no json"));
    assert_eq!(rejects(&pipeline, &["show", "--raw", "0:2"]), "no json");
    let mut none = pipeline.program("producer");
    let none = none.args(["rejects", "show", "0:99"]).output().expect("it runs");
    assert_eq!(none.status.code(), Some(66), "{}", said(&none));

    let plan = rejects(&pipeline, &["replay"]);
    assert!(plan.contains("1 rows would be sent: --yes sends them"), "{plan}");
    assert_eq!(counts(&pipeline), [0, 3], "it was only told");
    for _ in 0..2 {
        assert!(rejects(&pipeline, &["replay", "--yes"]).ends_with("sent 1 rows"));
        assert_eq!(counts(&pipeline), [1, 3]);
    }

    let rows = rejects(&pipeline, &["list", "--rows", "--from-offset", "1", "--to-offset", "1"]);
    assert_eq!(serde_json::from_str::<Value>(&rows).expect("JSON"), soon);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("rows.ndjson");
    let file_name = file.to_string_lossy();
    std::fs::write(&file, &rows).expect("written");
    let mut unedited = pipeline.program("producer");
    unedited.args(["rejects", "replay", "--edited", &file_name, "--yes"]).stdin(Stdio::null());
    let unedited = unedited.output().expect("it runs");
    assert_eq!(unedited.status.code(), Some(65), "{}", said(&unedited));
    assert!(said(&unedited).contains("line 1: datetime_invalid"), "{}", said(&unedited));
    std::fs::write(&file, rows.replace("soon", "10/10/1949 20:30")).expect("written");
    for _ in 0..2 {
        assert!(rejects(&pipeline, &["replay", "--edited", &file_name, "--yes"]).ends_with("sent 1 rows"));
        assert_eq!(counts(&pipeline), [2, 3]);
    }
}
