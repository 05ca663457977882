use super::*;

/// One transaction of `count` records, their keys in turn.
fn fill(producer: &mut EmbeddedProducer, topic: &str, keys: usize, count: usize) {
    producer.begin().expect("begins");
    for number in 0..count {
        let value = format!("{number} {}", "-".repeat(50));
        send(producer, topic, 0, &format!("key {}", number % keys), Some(value.as_bytes()));
    }
    producer.commit().expect("commits");
}

#[test]
fn compaction_keeps_the_last_of_each_key_at_its_offset_and_readers_survive_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("t", 1, Kept::Compacted)]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    fill(&mut producer, "t", 100, 19_000);
    let mut consumer = joined(&log, "g", "t");
    let mut seen = Vec::new();
    assert!(matches!(
        consumer.poll(WAIT, &mut |record| seen.push(record.offset)).expect("polls"),
        Event::Records(1..19_000)
    ));
    assert_eq!(read(&log, "t", 0, |_| ()).len(), 19_000);

    producer.begin().expect("begins");
    for _ in 0..1_000 {
        send(&mut producer, "t", 0, "key 7", Some(b"new"));
    }
    send(&mut producer, "t", 0, "key 8", None);
    producer.commit().expect("commits");

    let expected: Vec<_> = (0..100)
        .filter(|key| ![7, 8].contains(key))
        .map(|key| (18_900 + key, format!("key {key}"), format!("{} {}", 18_900 + key, "-".repeat(50))))
        .chain([(19_999, "key 7".into(), "new".into()), (20_000, "key 8".into(), "-".into())])
        .collect();
    let found = |log: &EmbeddedLog| read(log, "t", 0, |r| (r.offset, text(r.key), text(r.value)));
    assert_eq!(found(&log), expected);
    loop {
        match consumer.poll(WAIT, &mut |record| seen.push(record.offset)).expect("polls") {
            Event::Records(_) => {}
            Event::End(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "offsets rise");
    assert!(expected.iter().all(|(offset, ..)| seen.contains(offset)), "nothing kept is passed over");

    drop((producer, consumer, log));
    let log = open(folder.path());
    assert_eq!(found(&log), expected);
    let mut producer = log.producer("p").expect("a producer");
    fill(&mut producer, "t", 100, 10);
    assert_eq!(found(&log).last().map(|last| last.0), Some(20_010), "offsets go on");
}

#[test]
fn a_compacted_topic_takes_no_record_without_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("t", 1, Kept::Compacted)]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    producer.begin().expect("begins");
    let record = NewRecord { partition: Partition(0), timestamp_ms: 0, key: None, value: Some(b"v") };
    producer.send("t", record).expect_err("it could never be compacted");
    let record = NewRecord { partition: Partition(1), key: Some(b"k"), ..record };
    producer.send("t", record).expect_err("there is one partition");
}

#[test]
fn what_passes_through_is_dropped_when_every_group_has_read_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("t", 1, Kept::For(Duration::from_secs(1)))]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    for _ in 0..5 {
        fill(&mut producer, "t", 10, 10);
    }
    let mut fast = joined(&log, "fast", "t");
    drop(joined(&log, "slow", "t"));
    let first = |log: &EmbeddedLog| read(log, "t", 0, |record| record.offset)[0];
    fast.commit(&[(Partition(0), NextOffset::at(50))]).expect("commits");
    assert_eq!(first(&log), 0, "the slow one has read nothing");

    let mut slow = joined(&log, "slow", "t");
    slow.commit(&[(Partition(0), NextOffset::at(25))]).expect("commits");
    assert_eq!(first(&log), 20, "what it has read a part of stays");
    let mut found = Vec::new();
    let late = joined(&log, "late", "t").poll(WAIT, &mut |record| found.push(record.offset)).expect("polls");
    assert_eq!((late, found[0]), (Event::Records(10), 20), "a late one reads what is left");
    slow.commit(&[(Partition(0), NextOffset::at(50))]).expect("commits");
    assert_eq!(first(&log), 20, "the late one has committed nothing");
}
