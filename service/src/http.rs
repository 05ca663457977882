//! `/live`, `/ready` and `/metrics` for whoever watches over the process.
//!
//! What is answered is decided here; [`listen`] serves it (feature `http`), and so can a server that a program has anyway.

mod probe;
#[cfg(feature = "http")]
mod server;

use crate::exit::{Code, Exit};
use crate::health::Health;
use crate::metrics::{self, Metrics};
use crate::settings::ProcessSettings;
use crate::shutdown::Shutdown;

pub use probe::probe;
#[cfg(feature = "http")]
pub use server::Server;

/// There is none in a program that is built without the feature `http`.
#[cfg(not(feature = "http"))]
#[derive(Debug)]
pub enum Server {}

const TEXT: &str = "text/plain; charset=utf-8";

/// What is told about.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    pub health: Health,
    pub metrics: Metrics,
    pub shutdown: Shutdown,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl Watched {
    /// The answer to `GET path`, or nothing where the path is none of ours.
    ///
    /// `/ready` is 503 as long as a part is not ready, and while the process stops: no new work should come then.
    pub fn answer(&self, path: &str) -> Option<Answer> {
        let report = self.health.report();
        match path {
            "/live" if report.is_live() => Some(Answer::text(200, "live\n")),
            "/live" => Some(Answer::text(503, report.to_string())),
            "/ready" if report.is_ready() && self.shutdown.is_requested() => {
                Some(Answer::text(503, "not ready\nprocess: stopping\n"))
            }
            "/ready" => Some(Answer::text(if report.is_ready() { 200 } else { 503 }, report.to_string())),
            "/metrics" => {
                let body = self.metrics.render();
                Some(Answer { status: 200, content_type: metrics::CONTENT_TYPE, body })
            }
            _ => None,
        }
    }
}

impl Answer {
    fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: TEXT, body: body.into() }
    }
}

/// Serves where the setting `listen` says so, until the result is dropped.
#[cfg(feature = "http")]
pub fn listen(process: &ProcessSettings, watched: Watched) -> Result<Option<Server>, Exit> {
    let Some(address) = process.listen else { return Ok(None) };
    let server = Server::start(address, watched).map_err(|error| {
        Exit::new(
            Code::Unavailable,
            format!("cannot listen on {address}: choose another address with --listen"),
        )
        .caused_by(&error)
    })?;
    if !address.ip().is_loopback() {
        tracing::warn!(address = %server.address(), "anyone who can reach {} can read metrics there", server.address());
    }
    tracing::info!(address = %server.address(), "/live, /ready and /metrics are at http://{}", server.address());
    Ok(Some(server))
}

/// Refuses the setting `listen`: this program is built without a server.
#[cfg(not(feature = "http"))]
pub fn listen(process: &ProcessSettings, watched: Watched) -> Result<Option<Server>, Exit> {
    drop(watched);
    match process.listen {
        None => Ok(None),
        Some(_) => Err(Exit::new(
            Code::Config,
            "`listen` is set, but this program is built without a server: leave it out, or build with the feature `http`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(watched: &Watched, path: &str) -> Option<u16> {
        watched.answer(path).map(|answer| answer.status)
    }

    #[test]
    fn ready_says_why_not() {
        let watched = Watched { health: Health::new(["broker"]), ..Watched::default() };
        let answer = watched.answer("/ready").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "not ready\nbroker: starting\n"));
        assert_eq!(status(&watched, "/live"), Some(200), "who waits for a broker is not started again");
        watched.health.ready("broker");
        assert_eq!(status(&watched, "/ready"), Some(200));
    }

    #[test]
    fn not_ready_while_stopping_but_live() {
        let watched = Watched::default();
        watched.shutdown.request();
        assert_eq!(watched.answer("/ready").unwrap().body, "not ready\nprocess: stopping\n");
        assert_eq!((status(&watched, "/ready"), status(&watched, "/live")), (Some(503), Some(200)));
    }

    #[test]
    fn the_dead_are_not_live() {
        let watched = Watched::default();
        watched.health.dead("worker 1 panicked");
        let answer = watched.answer("/live").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "dead: worker 1 panicked\n"));
        assert_eq!(status(&watched, "/ready"), Some(503));
    }

    #[test]
    fn metrics_have_their_type_and_other_paths_are_not_ours() {
        let watched = Watched::default();
        watched.metrics.counter("ufo_rows_total", "Rows").inc();
        let answer = watched.answer("/metrics").unwrap();
        assert_eq!((answer.status, answer.content_type), (200, metrics::CONTENT_TYPE));
        assert!(answer.body.contains("ufo_rows_total 1\n"));
        assert_eq!(watched.answer("/"), None);
    }
}
