//! Rows by HTTP: `POST /v1/sightings`, answered when they are committed. docs/ingest.md says what clients may rely on.
//!
//! ```text
//! request ─http─▶ key, rate, type ─body─▶ rows, judged ─queue─▶ the next transaction ─commit─▶ answer
//! ```

mod answer;
pub mod body;
mod commit;
mod gunzip;
mod http;
mod keys;
mod limit;
mod metrics;
mod queue;
mod server;
mod settings;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use engine::log::Log;
use service::Health;
use service::exit::{Code, Exit};
use service::http::Watched;

use self::commit::Committer;
use self::http::App;
use self::metrics::IngestMetrics;
use self::queue::Queue;
use crate::writer::Target;

pub use self::answer::Problem;
pub use self::settings::IngestSettings;

/// The parts that have to be ready.
pub fn health() -> Health {
    Health::new([commit::PART])
}

/// The address as a socket: apart from [`serve`], so that whoever asked for port 0 learns which one it is.
pub fn listen(address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).map_err(|error| {
        let message = format!("cannot listen on {address}: choose another address with --ingest-listen");
        Exit::new(Code::Unavailable, message).caused_by(&error)
    })
}

/// Serves until a stop is requested or an error ends it. Whoever was taken in is answered before.
///
/// `instance` is a name that no other process has which serves for this pipeline at the same time.
pub fn serve<L: Log>(
    log: &L,
    target: &Target,
    instance: &str,
    listener: TcpListener,
    settings: &IngestSettings,
    watched: &Watched,
) -> Result<(), Exit> {
    let metrics = IngestMetrics::registered(&watched.metrics);
    let queue = Arc::new(Queue::new(settings.bounds()));
    let app = App::new(settings, Arc::clone(&queue), metrics.clone()).map_err(software)?;
    tell(&listener, &app);
    let committer = Committer {
        log,
        target,
        transactional_id: target.topics.application(&format!("producer-ingest-{instance}")),
        queue: &queue,
        metrics: &metrics,
        watched,
        producer: None,
        is_told: false,
    };
    let served = thread::scope(|scope| {
        let committing = thread::Builder::new().name("commit".into()).spawn_scoped(scope, || {
            let ended = committer.run();
            // Without it nobody can be served.
            watched.shutdown.request();
            ended
        });
        let served = server::run(listener, app, &watched.shutdown);
        queue.close();
        let committed = committing.map_err(software)?.join();
        committed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        served.map_err(software)
    })?;
    match served {
        true => Ok(()),
        false => Err(Exit::new(
            Code::NotDrained,
            "not every request was answered in the time given to stop: its rows may be sent again",
        )),
    }
}

fn software(error: std::io::Error) -> Exit {
    Exit::from_error(Code::Software, error)
}

fn tell(listener: &TcpListener, app: &App) {
    let Ok(address) = listener.local_addr() else { return };
    if !address.ip().is_loopback() && !app.asks_for_keys() {
        tracing::warn!(
            %address,
            "anyone who can reach {address} can send rows there: set UFO_INGEST_API_KEYS, or listen on 127.0.0.1"
        );
    }
    tracing::info!(%address, "rows are taken at http://{address}/v1/sightings");
}
