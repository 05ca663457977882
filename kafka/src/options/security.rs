//! How brokers are known, and how they know us: settings in, librdkafka's properties out. Pure, but for a look whether named
//! files can be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use service::Secret;

/// What is wrong with a setting: its key, and the rest of a sentence about it.
pub(super) type Fault = (&'static str, String);

/// What connections are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    fn has_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    fn has_user(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// How a user is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum Mechanism {
    #[serde(rename = "PLAIN")]
    #[value(name = "PLAIN")]
    Plain,
    #[default]
    #[serde(rename = "SCRAM-SHA-256")]
    #[value(name = "SCRAM-SHA-256")]
    Scram256,
    #[serde(rename = "SCRAM-SHA-512")]
    #[value(name = "SCRAM-SHA-512")]
    Scram512,
    #[serde(rename = "OAUTHBEARER")]
    #[value(name = "OAUTHBEARER")]
    OauthBearer,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram256 => "SCRAM-SHA-256",
            Self::Scram512 => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }
}

#[derive(Clone, Debug, Default, clap::Args, Serialize)]
#[command(next_help_heading = "Security of the log")]
pub struct SecurityFlags {
    /// How brokers are reached: plaintext, ssl, sasl_plaintext or sasl_ssl [default: plaintext]
    #[arg(long, value_name = "PROTOCOL", hide_possible_values = true)]
    pub kafka_security: Option<Protocol>,
    /// Certificate authority of the brokers, PEM [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub kafka_ca: Option<PathBuf>,
    /// Certificate of this client, PEM, where brokers ask for one
    #[arg(long, value_name = "FILE")]
    pub kafka_certificate: Option<PathBuf>,
    /// Key of --kafka-certificate, PEM; its password comes from UFO_KAFKA_KEY_PASSWORD or a file that
    /// UFO_KAFKA_KEY_PASSWORD_FILE names
    #[arg(long, value_name = "FILE")]
    pub kafka_key: Option<PathBuf>,
    /// How the user is known: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER [default: SCRAM-SHA-256]
    #[arg(long, value_name = "MECHANISM", hide_possible_values = true, ignore_case = true)]
    pub kafka_mechanism: Option<Mechanism>,
    /// User at the brokers, for OAUTHBEARER the client's id; the password (the client's secret) comes from
    /// UFO_KAFKA_PASSWORD or a file that UFO_KAFKA_PASSWORD_FILE names
    #[arg(long, value_name = "NAME")]
    pub kafka_user: Option<String>,
    /// Where OAUTHBEARER gets its tokens
    #[arg(long, value_name = "URL")]
    pub kafka_token_url: Option<String>,
}

/// The values of [`SecurityFlags`], and the secrets that no flag can hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SecuritySettings {
    pub kafka_security: Protocol,
    pub kafka_ca: Option<PathBuf>,
    pub kafka_certificate: Option<PathBuf>,
    pub kafka_key: Option<PathBuf>,
    pub kafka_key_password: Option<Secret>,
    pub kafka_mechanism: Option<Mechanism>,
    pub kafka_user: Option<String>,
    pub kafka_password: Option<Secret>,
    pub kafka_token_url: Option<String>,
}

impl SecuritySettings {
    fn mechanism(&self) -> Mechanism {
        self.kafka_mechanism.unwrap_or_default()
    }

    /// What librdkafka is told.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        let is_oauth = self.mechanism() == Mechanism::OauthBearer;
        let mut all = vec![("security.protocol", Some(self.kafka_security.name().to_owned()))];
        if self.kafka_security.has_tls() {
            all.extend([
                ("ssl.ca.location", path(&self.kafka_ca).or_else(of_the_system)),
                ("ssl.certificate.location", path(&self.kafka_certificate)),
                ("ssl.key.location", path(&self.kafka_key)),
                ("ssl.key.password", secret(&self.kafka_key_password)),
            ]);
        }
        if self.kafka_security.has_user() {
            let (user, password) = match is_oauth {
                true => ("sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret"),
                false => ("sasl.username", "sasl.password"),
            };
            all.extend([
                ("sasl.mechanism", Some(self.mechanism().name().to_owned())),
                (user, self.kafka_user.clone()),
                (password, secret(&self.kafka_password)),
                ("sasl.oauthbearer.method", is_oauth.then(|| "oidc".to_owned())),
                ("sasl.oauthbearer.token.endpoint.url", self.kafka_token_url.clone()),
            ]);
        }
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// The first setting that cannot be used, by a librdkafka with these features.
    pub(super) fn fault(&self, features: &str) -> Option<Fault> {
        self.lacking(features)
            .or_else(|| self.useless())
            .or_else(|| self.missing())
            .or_else(|| self.unreadable())
    }

    /// What this program cannot do.
    fn lacking(&self, features: &str) -> Option<Fault> {
        let has = |name: &str| features.split(',').any(|feature| feature.trim() == name);
        let without = |feature: &str| {
            format!(
                "needs a program that is built with the feature `{feature}`, and this one is not: build it by \
                 `cargo build --release --features {feature}`"
            )
        };
        if self.kafka_security.has_tls() && !has("ssl") {
            return Some(("kafka_security", without("tls")));
        }
        if !self.kafka_security.has_user() {
            return None;
        }
        match self.mechanism() {
            Mechanism::Scram256 | Mechanism::Scram512 if !has("sasl_scram") => {
                Some(("kafka_mechanism", without("tls")))
            }
            Mechanism::OauthBearer if !has("oidc") => Some(("kafka_mechanism", without("oauth"))),
            _ => None,
        }
    }

    /// What is given and would be passed over: a password that protects nothing is a mistake.
    fn useless(&self) -> Option<Fault> {
        let of_tls = [
            ("kafka_ca", self.kafka_ca.is_some()),
            ("kafka_certificate", self.kafka_certificate.is_some()),
            ("kafka_key", self.kafka_key.is_some()),
            ("kafka_key_password", self.kafka_key_password.is_some()),
        ];
        let of_users = [
            ("kafka_user", self.kafka_user.is_some()),
            ("kafka_password", self.kafka_password.is_some()),
            ("kafka_mechanism", self.kafka_mechanism.is_some()),
            ("kafka_token_url", self.kafka_token_url.is_some()),
        ];
        let first = |keys: [(&'static str, bool); 4]| keys.into_iter().find(|(_, is_given)| *is_given);
        if !self.kafka_security.has_tls()
            && let Some((key, _)) = first(of_tls)
        {
            return Some((key, "is for TLS only: set `kafka_security` to ssl or sasl_ssl".into()));
        }
        if !self.kafka_security.has_user()
            && let Some((key, _)) = first(of_users)
        {
            return Some((key, "is for SASL only: set `kafka_security` to sasl_ssl".into()));
        }
        None
    }

    fn missing(&self) -> Option<Fault> {
        if self.kafka_certificate.is_some() != self.kafka_key.is_some() {
            let key = if self.kafka_key.is_some() { "kafka_certificate" } else { "kafka_key" };
            return Some((key, "is not set: a certificate and its key belong together".into()));
        }
        if !self.kafka_security.has_user() {
            return None;
        }
        if self.kafka_user.is_none() {
            return Some(("kafka_user", "is not set: `kafka_security` asks for a user".into()));
        }
        if self.kafka_password.is_none() {
            let reason =
                "is not set: give it in UFO_KAFKA_PASSWORD, or in a file that UFO_KAFKA_PASSWORD_FILE names";
            return Some(("kafka_password", reason.into()));
        }
        let needs_url = self.mechanism() == Mechanism::OauthBearer && self.kafka_token_url.is_none();
        needs_url.then(|| ("kafka_token_url", "is not set: OAUTHBEARER gets its tokens there".into()))
    }

    fn unreadable(&self) -> Option<Fault> {
        let files = [
            ("kafka_ca", &self.kafka_ca),
            ("kafka_certificate", &self.kafka_certificate),
            ("kafka_key", &self.kafka_key),
        ];
        files.into_iter().find_map(|(key, file)| Some((key, cannot_read(file.as_deref()?)?)))
    }
}

fn cannot_read(file: &Path) -> Option<String> {
    let error = File::open(file).err()?;
    Some(format!("cannot be read: {}: {error}", file.display()))
}

/// An OpenSSL that is part of the program looks for certificates where it was built; librdkafka knows where systems have them.
fn of_the_system() -> Option<String> {
    cfg!(unix).then(|| "probe".to_owned())
}

#[cfg(test)]
mod tests;
