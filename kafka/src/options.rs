//! The settings that every program has which talks to a cluster.

use serde::{Deserialize, Serialize};

use crate::client::KafkaSettings;

/// Enough for twelve processors of one thread, few enough for a laptop.
const PARTITIONS_DEFAULT: u32 = 6;

#[derive(Clone, Debug, Default, clap::Args, Serialize)]
#[command(next_help_heading = "Log")]
pub struct LogFlags {
    /// Where the brokers are; commas between several [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Begins the name of every topic, group and index of this pipeline [default: ufo]
    #[arg(long, value_name = "NAME")]
    pub prefix: Option<String>,
    /// Generation of the rules: another one reprocesses beside the first [default: v1]
    #[arg(long, value_name = "NAME")]
    pub generation: Option<String>,
    /// Partitions of each topic; cannot be changed later [default: 6]
    #[arg(long, value_name = "N")]
    pub partitions: Option<u32>,
    /// Replicas of topics that are created [default: what the cluster says]
    #[arg(long, value_name = "N")]
    pub replication: Option<u16>,
}

/// The values of [`LogFlags`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogSettings {
    pub brokers: String,
    pub prefix: String,
    pub generation: String,
    pub partitions: u32,
    pub replication: Option<u16>,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".into(),
            prefix: "ufo".into(),
            generation: "v1".into(),
            partitions: PARTITIONS_DEFAULT,
            replication: None,
        }
    }
}

impl LogSettings {
    pub fn kafka(&self) -> KafkaSettings {
        KafkaSettings { replication: self.replication, ..KafkaSettings::new(&self.brokers) }
    }

    /// The first setting that cannot be used: its key, and the rest of a sentence about it.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if self.brokers.trim().is_empty() {
            return Some(("brokers", "must be host:port"));
        }
        if self.partitions == 0 || self.partitions > 10_000 {
            return Some(("partitions", "must be between 1 and 10000"));
        }
        if !is_name(&self.prefix) {
            return Some(("prefix", "may have lower-case letters, digits and hyphens only"));
        }
        if !is_name(&self.generation) {
            return Some(("generation", "may have lower-case letters, digits and hyphens only"));
        }
        None
    }
}
