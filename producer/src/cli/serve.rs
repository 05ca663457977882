//! `producer serve`

use std::fs;
use std::net::SocketAddr;

use kafka::options::LogFlags;
use serde::Serialize;
use service::exit::{Code, Exit};
use service::http::{self, Watched};
use service::settings::Given;
use service::{Metrics, Shutdown, telemetry};

use super::{Flags, ProducerSettings};
use crate::ingest;

/// Where Linux keeps the machine's name; in a container it is the container's own.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

#[derive(Clone, Debug, clap::Args, Serialize)]
#[command(next_help_heading = "Ingest (API keys: UFO_INGEST_API_KEYS or UFO_INGEST_API_KEYS_FILE)")]
pub(super) struct ServeFlags {
    /// Where rows are taken [default: 127.0.0.1:8088]
    #[arg(long, value_name = "ADDRESS:PORT")]
    ingest_listen: Option<SocketAddr>,
    /// Bytes of a body, as it comes [default: 4194304]
    #[arg(long, value_name = "BYTES")]
    ingest_body_bytes_max: Option<usize>,
    /// Bytes of a body, unpacked [default: 16777216]
    #[arg(long, value_name = "BYTES")]
    ingest_unpacked_bytes_max: Option<usize>,
    /// Rows a second of each API key, or of each address where there are no keys [default: no limit]
    #[arg(long, value_name = "ROWS")]
    ingest_rows_per_s: Option<u32>,
    /// Requests that may wait for the log [default: 1024]
    #[arg(long, value_name = "N")]
    ingest_queue_requests: Option<usize>,
    /// Bytes of rows that may wait for the log [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    ingest_queue_bytes: Option<usize>,
    /// How long a request may take, in milliseconds [default: 20000]
    #[arg(long, value_name = "MS")]
    ingest_timeout_ms: Option<u64>,
    /// Connections at a time; more wait [default: 512]
    #[arg(long, value_name = "N")]
    ingest_connections: Option<usize>,
    /// A name that no other `producer serve` of this pipeline has [default: host name and port]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
}

#[derive(Serialize)]
struct Options<'f> {
    #[serde(flatten)]
    log: &'f LogFlags,
    #[serde(flatten)]
    serve: &'f ServeFlags,
}

pub(super) fn start(given: &Given<Flags>, flags: &ServeFlags) -> Result<(), Exit> {
    let options = Options { log: &given.flags.options.log, serve: flags };
    let loaded = given.load::<ProducerSettings>(&given.flags.common, &options)?;
    telemetry::start(&loaded.process)?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let watched = Watched { health: ingest::health(), metrics: Metrics::new(), shutdown };
    let _server = http::listen(&loaded.process, watched.clone())?;
    let settings = &loaded.settings;
    let listener = ingest::listen(settings.ingest.ingest_listen)?;
    let instance = settings.instance.clone().unwrap_or_else(|| {
        let port = listener.local_addr().unwrap_or(settings.ingest.ingest_listen).port();
        format!("{}-{port}", host_name())
    });
    ingest::serve(&settings.kafka(), &settings.target(), &instance, listener, &settings.ingest, &watched)
}

fn host_name() -> String {
    fs::read_to_string(HOST_NAME).map_or_else(|_| "host".into(), |name| name.trim().to_owned())
}
