//! The live page: what the topics hold and what the pipeline does, as charts that move while data flows. Read by the engine's
//! [`Log`](engine::log::Log), so that it is the same beside the embedded log and beside Kafka.
//!
//! ```text
//! ufo.aggregates ─▶ Aggregates ┐
//! ufo.sightings  ─▶ Facts ─────┼─ charts(Filter) ─▶ Table ─▶ JSON ─▶ server-sent events ─▶ browser
//! ufo.rejects    ─▶ Newest     │                      └────▶ CSV
//! ufo.seen-…     ─▶ Flow ──────┘
//! follow (a thread a topic)      pure                          http (one thread)
//! ```

mod aggregates;
mod assets;
mod cells;
mod charts;
mod csv;
mod facts;
mod filter;
mod flow;
mod follow;
mod http;
#[cfg(test)]
mod laws;
mod newest;
mod rendered;
mod shared;
mod table;
mod top;

use std::net::SocketAddr;

use domain::Topics;
use engine::log::Log;
use service::exit::{Code, Exit};
use service::{Metrics, Shutdown};

use follow::Followers;
use http::Server;
use shared::Shared;

/// Where `--page` serves when it names no address.
pub const ADDRESS_DEFAULT: &str = "127.0.0.1:8080";

/// 16 bytes each: 192 MB at most.
const FACTS_MAX_DEFAULT: usize = 12_000_000;

/// What is shown, and where.
#[derive(Clone, Debug)]
pub struct PageSettings {
    pub address: SocketAddr,
    pub topics: Topics,
    /// The country with a view of its own, as ISO 3166 code in lower case.
    pub home: String,
    /// Sightings that are kept, 16 bytes each, so that every chart follows every filter.
    pub facts_max: usize,
    /// Every offset of this log is a record: the embedded log's are, a broker's also count the markers of transactions.
    pub are_offsets_records: bool,
    /// Figures of the process that serves the page.
    pub metrics: Metrics,
}

impl PageSettings {
    pub fn new(address: SocketAddr, topics: Topics) -> Self {
        Self {
            address,
            topics,
            home: "us".into(),
            facts_max: FACTS_MAX_DEFAULT,
            are_offsets_records: false,
            metrics: Metrics::new(),
        }
    }
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Page {
    server: Server,
    /// Ended first: nothing changes while the last answers go out.
    _followers: Followers,
}

impl Page {
    /// Listens, and begins to read the topics; they need not be there yet.
    pub fn start<L: Log + Clone>(log: &L, settings: PageSettings) -> Result<Self, Exit> {
        let address = settings.address;
        let stop = Shutdown::new();
        let shared = Shared::new(settings);
        let server = Server::start(address, shared.clone(), stop.clone()).map_err(|error| {
            let message = format!("cannot serve the page at {address}: choose another one with --page");
            Exit::new(Code::Unavailable, message).caused_by(&error)
        })?;
        if !address.ip().is_loopback() {
            let at = server.address();
            tracing::warn!(address = %at, "anyone who can reach {at} can see the data there: the page asks for no password");
        }
        let followers = Followers::start(log, &shared, stop).map_err(|error| {
            Exit::new(Code::Software, "cannot start a thread for the page").caused_by(&error)
        })?;
        Ok(Self { server, _followers: followers })
    }

    /// Where it listens: with the port that was chosen where the setting said 0.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}
