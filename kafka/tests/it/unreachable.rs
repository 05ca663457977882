//! A broker that is not there, and one that is asked for too much.

use std::thread;
use std::time::{Duration, SystemTime};

use engine::log::{Cause, Failure, Kept, Log, LogError, TopicSpec};
use engine::record::{NextOffset, Partition};
use kafka::{Kafka, KafkaSettings};

use crate::broker;

/// A port that nobody listens at.
const NOWHERE: &str = "127.0.0.1:1";

#[expect(clippy::disallowed_methods, reason = "how long a call takes is what is tested")]
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let begun = SystemTime::now();
    let value = call();
    (value, begun.elapsed().unwrap_or_default())
}

fn is_clear(call: &str, limit: Duration, failing: impl FnOnce(&Kafka) -> Option<LogError>) {
    let kafka = Kafka::new(KafkaSettings::new(NOWHERE));
    let (error, took) = timed(|| failing(&kafka));
    let error = error.unwrap_or_else(|| panic!("{call} works without a broker"));
    assert_eq!((error.failure, error.cause), (Failure::Retriable, Cause::Unreachable), "{call}: {error:?}");
    let said = "cannot reach the broker at 127.0.0.1:1";
    let help = "is it running? (--brokers / UFO_BROKERS)";
    assert!(error.message.contains(said) && error.message.contains(help), "{call}: {error}");
    assert!(took < limit, "{call} took {took:?}");
}

#[test]
fn an_unreachable_broker_is_named_within_seconds() {
    let limit = Duration::from_secs(12);
    let spec = TopicSpec { name: "none".into(), partitions: 1, kept: Kept::Forever };
    thread::scope(|scope| {
        scope.spawn(|| is_clear("ping", Duration::from_secs(3), |kafka| kafka.ping().err()));
        scope.spawn(|| is_clear("ensure_topics", limit, |kafka| kafka.ensure_topics(&[spec]).err()));
        scope.spawn(|| is_clear("ends", limit, |kafka| kafka.ends("none").err()));
        scope.spawn(|| is_clear("producer", limit, |kafka| kafka.producer("none").err()));
        scope.spawn(|| {
            is_clear("read", limit, |kafka| {
                let end = NextOffset::at(1);
                kafka.read("none", Partition(0), NextOffset::START, end, &mut |_| unreachable!()).err()
            });
        });
    });
}

#[test]
fn leaving_does_not_wait_for_a_broker() {
    let kafka = Kafka::new(KafkaSettings::new(NOWHERE));
    let (_, took) = timed(|| drop(kafka.consumer(&broker::group("none"), "none").expect("connects later")));
    assert!(took < Duration::from_secs(3), "took {took:?}");
}

#[test]
fn an_unknown_property_is_a_misfit() {
    let mut settings = KafkaSettings::new(NOWHERE);
    settings.properties.insert("sasl.pasword".into(), "hunter2".into());
    let error = Kafka::new(settings).ping().expect_err("no such property");
    assert_eq!((error.failure, error.cause), (Failure::Unknown, Cause::Misfit));
    assert!(error.message.contains("sasl.pasword") && !error.message.contains("hunter2"), "{error}");
}

#[test]
fn a_broker_that_is_there_answers() {
    let Some(kafka) = broker::kafka("asking a broker whether it answers") else { return };
    kafka.ping().expect("answers");
}

#[test]
fn a_missing_topic_has_no_ends() {
    let Some(kafka) = broker::kafka("the ends of a missing topic") else { return };
    let error = kafka.ends(&broker::unique("missing")).expect_err("no topic");
    assert_eq!((error.failure, error.cause), (Failure::Unknown, Cause::Misfit), "{error}");
}

#[test]
fn too_many_replicas_are_refused() {
    let Some(mut settings) = broker::settings("a topic with too many replicas") else { return };
    settings.replication = Some(99);
    let spec = TopicSpec { name: broker::unique("replicas"), partitions: 1, kept: Kept::Forever };
    let error = Kafka::new(settings).ensure_topics(&[spec]).expect_err("too many");
    assert_eq!(error.cause, Cause::Misfit, "{error:?}");
    assert!(error.message.contains("--replication"), "{error}");
}
