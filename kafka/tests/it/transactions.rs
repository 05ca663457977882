//! What transactions promise beyond the contract of every log.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use engine::log::{Consumer, Event, Failure, Log, Producer};
use engine::record::{NextOffset, Partition};
use kafka::Kafka;

use crate::broker::{self, unique};

const WAIT: Duration = Duration::from_millis(50);

#[test]
fn two_with_the_same_transactional_id() {
    let Some(kafka) = broker::kafka("two producers with the same transactional id") else { return };
    let (topic, id) = (broker::topic(&kafka, 1), unique("id"));
    let mut first = broker::producer(&kafka, &id);
    broker::write(&mut first, &topic, 0, 0..3);
    first.begin().expect("begin");
    broker::send(&mut first, &topic, 0, 100..200);
    let mut second = broker::producer(&kafka, &id);
    let error = first.commit().expect_err("fenced");
    assert_eq!(error.failure, Failure::Fenced, "{error}");
    assert!(error.message.contains("another process has taken over"), "{error}");
    // Whatever is called then: nobody mistakes it for something that passes.
    for error in [first.abort().err(), first.begin().err()] {
        assert_eq!(error.map(|error| error.failure), Some(Failure::Fenced));
    }
    broker::write(&mut second, &topic, 0, 3..5);
    assert_eq!(broker::read(&kafka, &topic, 0).expect("read"), [0, 1, 2, 3, 4]);
}

#[test]
fn restore_with_an_open_transaction() {
    let Some(kafka) = broker::kafka("reading up to an open transaction's end") else { return };
    let topic = broker::topic(&kafka, 1);
    let mut closed = broker::producer(&kafka, &unique("closed"));
    let mut open = broker::producer(&kafka, &unique("open"));
    broker::write(&mut closed, &topic, 0, 0..10);
    open.begin().expect("begin");
    broker::send(&mut open, &topic, 0, 10..20);
    // Behind the open one, and hidden by it.
    broker::write(&mut closed, &topic, 0, 20..30);
    let before = kafka.ends(&topic).expect("ends")[0];
    assert!(before >= NextOffset::at(31), "ends are not those of committed readers only: {before}");

    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let (kafka, topic) = (&kafka, &topic);
        scope.spawn(move || sender.send(broker::read(kafka, topic, 0)).expect("waited for"));
        let early = receiver.recv_timeout(Duration::from_secs(2));
        assert!(early.is_err(), "does not wait for the open transaction: {early:?}");
        open.commit().expect("commit");
        let mut read = receiver.recv_timeout(Duration::from_secs(20)).expect("goes on").expect("read");
        read.sort_unstable();
        assert_eq!(read, (0..30).collect::<Vec<_>>());
    });
}

#[test]
fn an_aborted_tail_is_waited_for_and_left_out() {
    let Some(kafka) = broker::kafka("reading up to an aborted transaction's end") else { return };
    let topic = broker::topic(&kafka, 1);
    let mut closed = broker::producer(&kafka, &unique("closed"));
    let mut open = broker::producer(&kafka, &unique("open"));
    broker::write(&mut closed, &topic, 0, 0..10);
    open.begin().expect("begin");
    broker::send(&mut open, &topic, 0, 10..20);
    broker::write(&mut closed, &topic, 0, 20..21);
    thread::scope(|scope| {
        let read = scope.spawn(|| broker::read(&kafka, &topic, 0).expect("read"));
        thread::sleep(Duration::from_millis(500));
        open.abort().expect("abort");
        let mut expected: Vec<_> = (0..10).collect();
        expected.push(20);
        assert_eq!(read.join().expect("no panic"), expected);
    });
    // The same producer goes on.
    broker::write(&mut open, &topic, 0, 21..23);
    assert_eq!(broker::read(&kafka, &topic, 0).expect("read").last(), Some(&22));
}

#[test]
fn a_dead_producers_transaction_ends_by_itself() {
    let Some(kafka) = broker::kafka("a transaction left open by a dead producer") else { return };
    let topic = broker::topic(&kafka, 1);
    let mut dead = broker::producer(&kafka, &unique("dead"));
    dead.begin().expect("begin");
    broker::send(&mut dead, &topic, 0, 0..1000);
    // Sent, not committed; dropping it must not wait for anything.
    thread::sleep(Duration::from_millis(300));
    drop(dead);
    let end = kafka.ends(&topic).expect("ends")[0];
    assert!(end > NextOffset::START, "nothing was sent");
    assert_eq!(broker::read(&kafka, &topic, 0).expect("read"), [0; 0]);
}

#[test]
fn frozen_past_the_transaction_timeout_then_woken_is_fenced() {
    let Some(kafka) = broker::kafka("a producer older than its transaction") else { return };
    let topic = broker::topic(&kafka, 1);
    let mut frozen = broker::producer(&kafka, &unique("frozen"));
    frozen.begin().expect("begin");
    broker::send(&mut frozen, &topic, 0, 0..10);
    // The transaction's timeout, and the broker's own pace of looking for such transactions.
    thread::sleep(Duration::from_secs(23));
    let error = frozen.commit().expect_err("the transaction is over");
    assert!(matches!(error.failure, Failure::Fenced | Failure::Unknown), "{error:?}");
    assert_eq!(broker::read(&kafka, &topic, 0).expect("read"), [0; 0]);
}

#[test]
fn offsets_of_an_open_transaction_are_waited_for() {
    let Some(kafka) = broker::kafka("committed offsets behind an open transaction") else { return };
    let topic = broker::topic(&kafka, 1);
    let group = broker::group(&unique("group"));
    let mut producer = broker::producer(&kafka, &unique("id"));
    broker::write(&mut producer, &topic, 0, 0..10);
    let mut consumer = broker::join(&kafka, &group, &topic, 1);
    let positions = [(Partition(0), NextOffset::at(7))];
    producer.begin().expect("begin");
    producer.send_offsets(&consumer, &positions).expect("offsets");
    let open = consumer.committed(&[Partition(0)]).expect_err("neither committed nor not");
    assert_eq!(open.failure, Failure::Retriable, "{open}");
    producer.commit().expect("commit");
    assert_eq!(broker::committed(&mut consumer, &[Partition(0)]), [Some(NextOffset::at(7))]);
    consumer.close();
}

#[test]
fn offsets_of_partitions_that_are_not_held_are_refused() {
    let Some(kafka) = broker::kafka("offsets of a consumer that holds nothing") else { return };
    let topic = broker::topic(&kafka, 1);
    let group = broker::group(&unique("group"));
    let mut producer = broker::producer(&kafka, &unique("id"));
    broker::write(&mut producer, &topic, 0, 0..10);
    let consumer = kafka.consumer(&group, &topic).expect("a consumer");
    producer.begin().expect("begin");
    // A consumer that has not joined names no member and no generation: the broker itself would take its offsets.
    let error =
        producer.send_offsets(&consumer, &[(Partition(0), NextOffset::at(5))]).expect_err("no member yet");
    assert_eq!(error.failure, Failure::Abortable, "{error:?}");
    producer.abort().expect("abort");
}

#[test]
fn offsets_of_a_member_that_did_not_poll_are_refused() {
    thrown_out("max.poll.interval.ms", "6000");
}

#[test]
fn offsets_of_a_member_without_heartbeats_are_refused() {
    // The group gives it up while it thinks that all is well.
    thrown_out("heartbeat.interval.ms", "60000");
}

fn thrown_out(property: &str, value: &str) {
    let Some(settings) = broker::settings("offsets of a member thrown out of its group") else { return };
    let healthy = Kafka::new(settings.clone());
    let mut settings = settings;
    settings.properties.insert(property.into(), value.into());
    let kafka = Kafka::new(settings);
    let topic = broker::topic(&kafka, 1);
    let group = broker::group(&unique("group"));
    let mut producer = broker::producer(&kafka, &unique("id"));
    broker::write(&mut producer, &topic, 0, 0..10);
    let mut stuck = broker::join(&kafka, &group, &topic, 1);
    thread::sleep(Duration::from_secs(8));
    let mut other = broker::join(&healthy, &group, &topic, 1);
    producer.begin().expect("begin");
    broker::send(&mut producer, &topic, 0, 100..110);
    let error = producer.send_offsets(&stuck, &[(Partition(0), NextOffset::at(5))]).expect_err("thrown out");
    assert_eq!(error.failure, Failure::Abortable, "{error:?}");
    producer.abort().expect("abort");
    assert_eq!(broker::committed(&mut other, &[Partition(0)]), [None]);
    // What it is told then: that its partitions are somebody else's.
    let lost = (0..100).map(|_| broker::poll(&mut stuck)).find(|event| matches!(event, Event::Lost(_)));
    assert_eq!(lost, Some(Event::Lost(vec![Partition(0)])));
    stuck.release(&[Partition(0)]).expect("release");
    broker::write(&mut producer, &topic, 0, 10..12);
    assert_eq!(broker::read(&kafka, &topic, 0).expect("read"), (0..12).collect::<Vec<_>>());
}

#[test]
fn a_stable_end_stops_before_open_transactions() {
    let Some(kafka) = broker::kafka("the stable end of a partition") else { return };
    let topic = broker::topic(&kafka, 1);
    let mut producer = broker::producer(&kafka, &unique("id"));
    broker::write(&mut producer, &topic, 0, 0..10);
    let mut consumer = broker::join(&kafka, &broker::group(&unique("group")), &topic, 1);
    assert_eq!(consumer.stable_end(Partition(0)).expect("end"), NextOffset::at(11));
    let mut open = broker::producer(&kafka, &unique("open"));
    open.begin().expect("begin");
    broker::send(&mut open, &topic, 0, 10..20);
    while kafka.ends(&topic).expect("ends")[0] < NextOffset::at(21) {
        thread::sleep(WAIT);
    }
    assert_eq!(consumer.stable_end(Partition(0)).expect("end"), NextOffset::at(11));
    open.commit().expect("commit");
    while consumer.stable_end(Partition(0)).expect("end") < NextOffset::at(22) {
        thread::sleep(WAIT);
    }
    consumer.close();
}
