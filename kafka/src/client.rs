//! Settings as librdkafka properties. Every property that exactly-once rests on is written out, none left to a default,
//! and cannot be overridden; what only tunes comes first, so that settings can change it.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::consumer::Assignment;

/// How the cluster is reached.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, more of them with commas between.
    pub brokers: String,
    /// Replicas of topics that are created; three, or as many as there are brokers, where absent.
    pub replication: Option<u16>,
    /// How members of a group pass partitions on.
    pub assignment: Assignment,
    /// Further librdkafka properties, for TLS, SASL and tuning.
    pub properties: BTreeMap<String, String>,
}

impl KafkaSettings {
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            replication: None,
            assignment: Assignment::default(),
            properties: BTreeMap::new(),
        }
    }
}

/// The names of the further properties only: among their values are passwords.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("replication", &self.replication)
            .field("assignment", &self.assignment)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

type Properties = &'static [(&'static str, &'static str)];

const CLIENT: Properties = &[
    ("client.id", "ufo"),
    // A broker that comes back is found again soon.
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    // Nagle's delays would add up over the many small requests of a transaction.
    ("socket.nagle.disable", "true"),
    // No call waits for a silent broker longer than this.
    ("socket.timeout.ms", "9000"),
];

const READER_TUNING: Properties = &[
    ("fetch.wait.max.ms", "100"),
    ("fetch.min.bytes", "1"),
    ("fetch.max.bytes", "16777216"),
    ("max.partition.fetch.bytes", "4194304"),
    // What lies fetched and unread is bounded, whatever the number of partitions.
    ("queued.max.messages.kbytes", "32768"),
    ("queued.min.messages", "100000"),
    // A full queue is looked at again soon: the default of a second starves a fast reader.
    ("fetch.queue.backoff.ms", "10"),
    ("fetch.error.backoff.ms", "100"),
];

const READER: Properties = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("enable.partition.eof", "true"),
    ("allow.auto.create.topics", "false"),
];

const MEMBER_TUNING: Properties = &[
    // A dead member's partitions pass on after this.
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    // A large state may take minutes to restore.
    ("max.poll.interval.ms", "600000"),
    // Also how long a commit waits for a coordinator that is gone: ten minutes by default, too long for a stop.
    ("coordinator.query.interval.ms", "10000"),
];

const PRODUCER_TUNING: Properties = &[
    // How long readers wait for a producer that died: short, but longer than any request.
    ("transaction.timeout.ms", "10000"),
    ("message.timeout.ms", "10000"),
    ("request.timeout.ms", "8000"),
    // What is rejected for a moment (the coordinator still ends the transaction before) is tried again at once.
    ("retry.backoff.ms", "5"),
    ("retry.backoff.max.ms", "500"),
    // A commit waits for this; while records come faster than they are sent, batches fill all the same.
    ("linger.ms", "1"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "131072"),
    ("compression.type", "lz4"),
    // librdkafka 2.12 looks for a group's coordinator three times within milliseconds and then waits, without any limit,
    // for a connection to come or go (`rd_kafka_coord_req_fsm`): while a broker is being replaced, an idle one has to.
    // Up to two seconds less are drawn, and requests that wait for an answer do not count: longer than those may.
    ("connections.max.idle.ms", "12000"),
];

const PRODUCER: Properties = &[
    ("enable.idempotence", "true"),
    ("acks", "all"),
    ("max.in.flight.requests.per.connection", "5"),
    // Only failures are reported: a commit then waits for nothing but the broker.
    ("delivery.report.only.error", "true"),
];

/// What a reader sees of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    Committed,
    /// Only to learn where partitions end, open transactions included.
    Uncommitted,
}

impl KafkaSettings {
    pub(crate) fn client(&self) -> ClientConfig {
        self.config(&[CLIENT], &[])
    }

    /// A reader without a group of its own. The client wants a group's name all the same, and its times to fit together.
    pub(crate) fn reader(&self, isolation: Isolation) -> ClientConfig {
        let mut config = self.config(&[CLIENT, READER_TUNING, MEMBER_TUNING], &[READER]);
        let isolation = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        config.set("isolation.level", isolation).set("group.id", "ufo-reader");
        config
    }

    pub(crate) fn member(&self, group: &str, instance: Option<&str>) -> ClientConfig {
        let mut config = self.config(&[CLIENT, READER_TUNING, MEMBER_TUNING], &[READER]);
        config
            .set("isolation.level", "read_committed")
            .set("group.id", group)
            .set("partition.assignment.strategy", self.assignment.strategy());
        if let Some(instance) = instance {
            config.set("group.instance.id", instance);
        }
        config
    }

    pub(crate) fn transactional(&self, transactional_id: &str) -> ClientConfig {
        let mut config = self.config(&[CLIENT, PRODUCER_TUNING], &[PRODUCER]);
        config.set("transactional.id", transactional_id);
        config
    }

    fn config(&self, tuning: &[Properties], required: &[Properties]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        for (property, value) in tuning.iter().copied().flatten() {
            config.set(*property, *value);
        }
        for (property, value) in &self.properties {
            config.set(property, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        for (property, value) in required.iter().copied().flatten() {
            config.set(*property, *value);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)]) -> KafkaSettings {
        let properties =
            properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        KafkaSettings { properties, ..KafkaSettings::new("here:9092") }
    }

    #[test]
    fn properties_tune_but_never_weaken() {
        let settings = settings(&[
            ("linger.ms", "50"),
            ("acks", "1"),
            ("enable.idempotence", "false"),
            ("isolation.level", "read_uncommitted"),
            ("enable.auto.commit", "true"),
            ("bootstrap.servers", "there:9092"),
        ]);
        let producer = settings.transactional("id");
        assert_eq!(producer.get("linger.ms"), Some("50"));
        assert_eq!(producer.get("acks"), Some("all"));
        assert_eq!(producer.get("enable.idempotence"), Some("true"));
        let member = settings.member("group", Some("instance"));
        assert_eq!(member.get("isolation.level"), Some("read_committed"));
        assert_eq!(member.get("enable.auto.commit"), Some("false"));
        assert_eq!(member.get("group.instance.id"), Some("instance"));
        assert_eq!(member.get("bootstrap.servers"), Some("here:9092"));
        assert_eq!(settings.reader(Isolation::Committed).get("isolation.level"), Some("read_committed"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", settings(&[("sasl.password", "hunter2")]));
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_client_takes_its_properties() {
        let settings = settings(&[]);
        for config in [
            settings.client(),
            settings.reader(Isolation::Uncommitted),
            settings.member("group", None),
            settings.transactional("id"),
        ] {
            config.create_native_config().expect("known properties with values in range");
        }
    }
}
