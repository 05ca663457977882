//! What the index is told.

use std::path::PathBuf;
use std::time::Duration;

use service::Secret;

use super::bulk::Bounds;
use super::mapping::IndexShape;

/// Where the server is, who we are there, and how much goes to it at once.
#[derive(Clone, Debug)]
pub struct IndexSettings {
    /// May hold user and password, and is therefore never shown.
    pub url: Secret,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// In the encoded form that Kibana shows.
    pub api_key: Option<Secret>,
    /// PEM file of a certificate authority of one's own.
    pub ca_file: Option<PathBuf>,
    pub shape: IndexShape,
    pub bounds: Bounds,
    /// A batch that does not fill up is sent after this time.
    pub linger: Duration,
    /// Batches of one topic that the server has at the same time.
    pub in_flight_max: usize,
    /// Gzip for bodies: costs about 30 ms of a core per MB and doubled the time to a server on the same machine (measured
    /// with 72,546 documents, 43 MB), so it is for a network that is the narrow place.
    pub compress: bool,
    /// A request that takes longer is sent again.
    pub request_timeout: Duration,
    /// How long the server may be missing at the start; later it may be missing for ever.
    pub connect_patience: Duration,
    /// How long a stop waits for what is in flight.
    pub shutdown_grace: Duration,
    /// Documents that the server refuses, one line of JSON each.
    pub refused_file: PathBuf,
    /// Stop when everything that was there at the start is indexed.
    pub until_end: bool,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self {
            url: Secret::new("http://127.0.0.1:9200"),
            user: None,
            password: None,
            api_key: None,
            ca_file: None,
            shape: IndexShape::default(),
            bounds: Bounds { bytes: 5 << 20, documents: 5_000 },
            linger: Duration::from_millis(500),
            in_flight_max: 3,
            compress: false,
            request_timeout: Duration::from_secs(60),
            connect_patience: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(5),
            refused_file: PathBuf::from("data/refused.ndjson"),
            until_end: false,
        }
    }
}
