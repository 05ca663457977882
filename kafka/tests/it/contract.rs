//! The promises that every log makes.

use std::thread;

use engine::contract::cases;
use kafka::Kafka;

use crate::broker;

#[test]
fn kafka_keeps_what_every_log_promises() {
    if let Some(settings) = broker::settings("the contract of a log") {
        run(&Kafka::new(settings));
    }
}

#[test]
fn kafka_keeps_it_with_cooperative_rebalances() {
    if let Some(settings) = broker::settings("the contract of a log, cooperatively") {
        run(&Kafka::new(broker::cooperative(settings)));
    }
}

/// Side by side: most of the time is spent waiting for groups.
fn run(kafka: &Kafka) {
    let failed: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = cases::<Kafka>()
            .into_iter()
            .map(|(name, case)| (name, scope.spawn(move || case(kafka, &broker::unique(name)))))
            .collect();
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect()
    });
    assert!(failed.is_empty(), "broken: {failed:?}");
}
