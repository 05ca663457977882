//! The settings that every program has which talks to Elasticsearch.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service::Secret;

use super::settings::IndexSettings;

/// What switches it off.
const OFF: &str = "none";

#[derive(Clone, Debug, Default, clap::Args, Serialize)]
#[command(next_help_heading = "Elasticsearch")]
pub struct ElasticsearchFlags {
    /// Where Elasticsearch is, or `none` [default: http://127.0.0.1:9200]
    #[arg(long, value_name = "URL")]
    pub elasticsearch: Option<String>,
    /// User at Elasticsearch; the password comes from UFO_ELASTICSEARCH_PASSWORD or a file that
    /// UFO_ELASTICSEARCH_PASSWORD_FILE names, an API key from UFO_ELASTICSEARCH_API_KEY likewise
    #[arg(long, value_name = "NAME")]
    pub elasticsearch_user: Option<String>,
    /// Certificate authority of Elasticsearch, PEM [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub elasticsearch_ca: Option<PathBuf>,
}

/// The values of [`ElasticsearchFlags`], and the secrets that no flag can hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ElasticsearchSettings {
    pub elasticsearch: String,
    pub elasticsearch_user: Option<String>,
    pub elasticsearch_password: Option<Secret>,
    /// In the encoded form that Kibana shows.
    pub elasticsearch_api_key: Option<Secret>,
    pub elasticsearch_ca: Option<PathBuf>,
}

impl Default for ElasticsearchSettings {
    fn default() -> Self {
        Self {
            elasticsearch: "http://127.0.0.1:9200".into(),
            elasticsearch_user: None,
            elasticsearch_password: None,
            elasticsearch_api_key: None,
            elasticsearch_ca: None,
        }
    }
}

impl ElasticsearchSettings {
    pub fn is_off(&self) -> bool {
        self.elasticsearch == OFF
    }

    /// `None` where it is switched off.
    pub fn index(&self) -> Option<IndexSettings> {
        (!self.is_off()).then(|| IndexSettings {
            url: Secret::new(self.elasticsearch.clone()),
            user: self.elasticsearch_user.clone(),
            password: self.elasticsearch_password.clone(),
            api_key: self.elasticsearch_api_key.clone(),
            ca_file: self.elasticsearch_ca.clone(),
            ..IndexSettings::default()
        })
    }
}
