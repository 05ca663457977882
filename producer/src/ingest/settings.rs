//! The settings of the rows by HTTP; their keys begin with `ingest_`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::Secret;

use super::keys::{Keys, KeysError};
use super::queue::Bounds;

const PORT_DEFAULT: u16 = 8_088;
const MIB: usize = 1024 * 1024;
/// What one transaction holds at most: far less than what a producer keeps in memory.
const TRANSACTION_ROWS: usize = 50_000;
const TRANSACTION_BYTES: usize = 16 * MIB;

/// How rows are taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IngestSettings {
    pub ingest_listen: SocketAddr,
    /// One key or several; nobody needs one where there is none.
    pub ingest_api_keys: Option<Secret>,
    /// Of a body as it comes.
    pub ingest_body_bytes_max: usize,
    /// Of a body once it is unpacked.
    pub ingest_unpacked_bytes_max: usize,
    /// Of each client; as many as they like where absent.
    pub ingest_rows_per_s: Option<u32>,
    pub ingest_queue_requests: usize,
    pub ingest_queue_bytes: usize,
    pub ingest_timeout_ms: u64,
    pub ingest_connections: usize,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            ingest_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT)),
            ingest_api_keys: None,
            ingest_body_bytes_max: 4 * MIB,
            ingest_unpacked_bytes_max: 16 * MIB,
            ingest_rows_per_s: None,
            ingest_queue_requests: 1_024,
            ingest_queue_bytes: 64 * MIB,
            ingest_timeout_ms: 20_000,
            ingest_connections: 512,
        }
    }
}

impl IngestSettings {
    /// The first setting that cannot be used: its key, and the rest of a sentence about it.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let sizes = [
            ("ingest_body_bytes_max", self.ingest_body_bytes_max, 1..=256 * MIB),
            ("ingest_unpacked_bytes_max", self.ingest_unpacked_bytes_max, 1..=256 * MIB),
            ("ingest_queue_requests", self.ingest_queue_requests, 1..=100_000),
            ("ingest_queue_bytes", self.ingest_queue_bytes, 1..=4_096 * MIB),
            ("ingest_connections", self.ingest_connections, 1..=100_000),
        ];
        for (key, value, range) in sizes {
            if !range.contains(&value) {
                return Some((key, format!("must be between {} and {}", range.start(), range.end())));
            }
        }
        if !(1..=600_000).contains(&self.ingest_timeout_ms) {
            return Some(("ingest_timeout_ms", "must be between 1 and 600000".into()));
        }
        if self.ingest_rows_per_s == Some(0) {
            return Some(("ingest_rows_per_s", "must be at least 1".into()));
        }
        self.keys().err().map(|error| ("ingest_api_keys", error.to_string()))
    }

    pub(super) fn keys(&self) -> Result<Keys, KeysError> {
        self.ingest_api_keys.as_ref().map_or_else(|| Ok(Keys::default()), Keys::of)
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            requests: self.ingest_queue_requests,
            bytes: self.ingest_queue_bytes,
            transaction_rows: TRANSACTION_ROWS,
            transaction_bytes: TRANSACTION_BYTES,
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.ingest_timeout_ms)
    }
}
