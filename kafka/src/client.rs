//! Settings as librdkafka properties. Every property that exactly-once rests on is written out, none left to a default.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// How the cluster is reached.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// `host:port`, more of them with commas between.
    pub brokers: String,
    /// Replicas of topics that are created; the cluster's default where absent.
    pub replication: Option<u16>,
    /// Further librdkafka properties, for TLS, SASL and the like.
    pub properties: BTreeMap<String, String>,
}

impl KafkaSettings {
    pub fn new(brokers: impl Into<String>) -> Self {
        Self { brokers: brokers.into(), replication: None, properties: BTreeMap::new() }
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "ufo")
            // A broker that comes back is found again soon.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("socket.keepalive.enable", "true")
            .set_log_level(RDKafkaLogLevel::Warning);
        for (property, value) in &self.properties {
            config.set(property, value);
        }
        config
    }

    /// A reader of committed records, without a group of its own.
    pub(crate) fn reader(&self, isolation: &str) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", "ufo-reader")
            .set("isolation.level", isolation)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "32768");
        config
    }

    pub(crate) fn member(&self, group: &str, instance: Option<&str>) -> ClientConfig {
        let mut config = self.reader("read_committed");
        config
            .set("group.id", group)
            // Eager: everything is given back before anything is taken, which is when transactions are finished.
            .set("partition.assignment.strategy", "range,roundrobin")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            // A large state may take minutes to restore.
            .set("max.poll.interval.ms", "600000");
        if let Some(instance) = instance {
            config.set("group.instance.id", instance);
        }
        config
    }

    pub(crate) fn transactional(&self, transactional_id: &str) -> ClientConfig {
        let mut config = self.client();
        config
            .set("transactional.id", transactional_id)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("max.in.flight.requests.per.connection", "5")
            // How long readers wait for a producer that died: short, but longer than any request.
            .set("transaction.timeout.ms", "10000")
            .set("message.timeout.ms", "10000")
            .set("request.timeout.ms", "8000")
            .set("retry.backoff.ms", "10")
            .set("retry.backoff.max.ms", "500")
            .set("linger.ms", "5")
            .set("batch.size", "1000000")
            .set("batch.num.messages", "100000")
            .set("queue.buffering.max.messages", "500000")
            .set("queue.buffering.max.kbytes", "131072")
            .set("compression.type", "lz4");
        config
    }
}
