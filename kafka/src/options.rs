//! The settings that every program has which talks to a cluster.

mod properties;
mod security;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use serde::{Deserialize, Serialize};

use crate::client::KafkaSettings;
pub use properties::Properties;
use properties::is_secret;
pub use security::{Mechanism, Protocol, SecurityFlags, SecuritySettings};

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
    #[command(flatten)]
    #[serde(flatten)]
    pub security: SecurityFlags,
}

/// The values of [`LogFlags`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogSettings {
    pub brokers: String,
    pub prefix: String,
    pub generation: String,
    pub partitions: u32,
    pub replication: Option<u16>,
    #[serde(flatten)]
    pub security: SecuritySettings,
    /// Further properties of librdkafka; what exactly-once rests on cannot be changed by them.
    pub properties: Properties,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".into(),
            prefix: "ufo".into(),
            generation: "v1".into(),
            partitions: PARTITIONS_DEFAULT,
            replication: None,
            security: SecuritySettings::default(),
            properties: Properties::default(),
        }
    }
}

impl LogSettings {
    pub fn kafka(&self) -> KafkaSettings {
        // A setting of ours is stronger than a property.
        let mut properties = self.properties.0.clone();
        properties.extend(self.security.properties());
        KafkaSettings { replication: self.replication, properties, ..KafkaSettings::new(&self.brokers) }
    }

    /// The first setting that cannot be used: its key, and the rest of a sentence about it.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let of_names = self.fault_of_names().map(|(key, reason)| (key, reason.to_owned()));
        of_names.or_else(|| self.security.fault(&features())).or_else(|| self.fault_of_properties())
    }

    fn fault_of_names(&self) -> Option<(&'static str, &'static str)> {
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
    /// What librdkafka says to the names and values, each for itself.
    fn fault_of_properties(&self) -> Option<(&'static str, String)> {
        let config: ClientConfig = self.properties.0.clone().into_iter().collect();
        match config.create_native_config().err()? {
            // Its words repeat the value.
            KafkaError::ClientConfig(_, _, name, _) if is_secret(&name) => {
                Some(("properties", format!("hold `{name}`, which librdkafka refuses")))
            }
            KafkaError::ClientConfig(_, reason, name, _) => {
                Some(("properties", format!("hold `{name}`, which librdkafka refuses: {reason}")))
            }
            error => Some(("properties", format!("cannot be used: {error}"))),
        }
    }
}

/// What this librdkafka was built with, commas between.
fn features() -> String {
    let native = ClientConfig::new().create_native_config();
    native.and_then(|native| native.get("builtin.features")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(properties: &[(&str, &str)]) -> LogSettings {
        let properties = properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        LogSettings { properties: Properties(properties), ..LogSettings::default() }
    }

    #[test]
    fn a_setting_is_stronger_than_a_property() {
        let settings = with(&[("security.protocol", "ssl"), ("linger.ms", "5")]);
        let properties = settings.kafka().properties;
        assert_eq!(
            (properties["security.protocol"].as_str(), properties["linger.ms"].as_str()),
            ("plaintext", "5")
        );
    }

    #[test]
    fn librdkafka_knows_the_names_of_its_properties() {
        assert_eq!(with(&[("linger.ms", "5")]).fault(), None);
        let (key, reason) = with(&[("lingr.ms", "5")]).fault().expect("no such property");
        assert!(key == "properties" && reason.contains("lingr.ms"), "{reason}");
        let (_, reason) = with(&[("sasl.pasword", "hunter2")]).fault().expect("no such property");
        assert!(reason.contains("sasl.pasword") && !reason.contains("hunter2"), "{reason}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_feature_brings_tls_and_scram() {
        let features = features();
        for feature in ["ssl", "sasl_scram", "sasl_plain"] {
            assert!(features.split(',').any(|one| one == feature), "{feature} in {features}");
        }
    }
}
