use engine::log::Failure;

use super::*;

#[test]
fn a_member_that_gave_a_partition_back_commits_nothing_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("in", 2, Kept::Forever), spec("out", 1, Kept::Forever)]).expect("topics");
    let mut stale = joined(&log, "g", "in");
    let mut newer = join(&log, "g", "in");
    let mut event = Event::Idle;
    while event != Event::Revoked(vec![Partition(1)]) {
        event = stale.poll(WAIT, &mut |_| {}).expect("polls");
    }
    assert_eq!(newer.poll(WAIT, &mut |_| {}).expect("polls"), Event::Idle, "not given back yet");
    stale.release(&[Partition(1)]).expect("releases");
    assert_eq!(newer.poll(WAIT, &mut |_| {}).expect("polls"), Event::Assigned(vec![Partition(1)]));

    let taken = [(Partition(1), NextOffset::at(5))];
    assert_eq!(stale.commit(&taken).expect_err("it is another's").failure, Failure::Fenced);
    let mut producer = log.producer("p").expect("a producer");
    producer.begin().expect("begins");
    send(&mut producer, "out", 0, "k", Some(b"of the stale"));
    producer.send_offsets(&stale, &taken).expect("only a commit tells");
    assert_eq!(producer.commit().expect_err("it is another's").failure, Failure::Fenced);
    assert_eq!(newer.committed(&[Partition(1)]).expect("reads"), [None]);
    assert!(read(&log, "out", 0, |_| ()).is_empty());
    newer.commit(&taken).expect("the holder may");
    stale.commit(&[(Partition(0), NextOffset::at(1))]).expect("it still holds this one");
}

#[test]
fn who_is_handed_records_may_call_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    let mut write = |value: &str| {
        producer.begin().expect("begins");
        send(&mut producer, "t", 0, "k", Some(value.as_bytes()));
        producer.commit().expect("commits");
    };
    write("first");
    let mut consumer = joined(&log, "g", "t");
    let event = consumer.poll(WAIT, &mut |_| write("meanwhile")).expect("polls");
    assert_eq!(event, Event::Records(1));
    let mut found = Vec::new();
    consumer.poll(WAIT, &mut |record| found.push(text(record.value))).expect("polls");
    assert_eq!(found, ["meanwhile"]);
}

#[test]
fn a_waiting_member_is_woken_by_its_own_topic_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("mine", 1, Kept::Forever), spec("other", 1, Kept::Forever)]).expect("topics");
    let mut consumer = joined(&log, "g", "mine");
    assert_eq!(consumer.poll(WAIT, &mut |_| {}).expect("polls"), Event::End(Partition(0)));
    let writer = log.clone();
    let writing = std::thread::spawn(move || {
        let mut producer = writer.producer("p").expect("a producer");
        for topic in ["other", "other", "mine"] {
            std::thread::sleep(WAIT);
            producer.begin().expect("begins");
            send(&mut producer, topic, 0, "k", None);
            producer.commit().expect("commits");
        }
    });
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(consumer.poll(Duration::from_secs(600), &mut |_| {})));
    let event = told.recv_timeout(Duration::from_secs(60)).expect("is woken").expect("polls");
    assert_eq!(event, Event::Records(1));
    writing.join().expect("writes");
}
