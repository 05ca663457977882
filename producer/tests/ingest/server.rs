//! A server of a test's own.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use embedded::EmbeddedLog;
use producer::ingest::{self, IngestSettings};
use service::http::Watched;
use service::{Exit, Metrics, Shutdown, clock};
use tempfile::TempDir;

use super::client::{Answer, Client};
use super::faulty::FaultyLog;
use super::target;

const LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(5);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) log: FaultyLog,
    pub(crate) watched: Watched,
    thread: Option<JoinHandle<Result<(), Exit>>>,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(IngestSettings::default())
    }

    /// On a log that works.
    pub(crate) fn start_with(settings: IngestSettings) -> Self {
        let server = Self::start_away(settings, false);
        server.wait_until_ready();
        server
    }

    pub(crate) fn start_away(settings: IngestSettings, is_away: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = FaultyLog::new(EmbeddedLog::open(folder.path()).expect("opens"));
        log.set_away(is_away);
        let watched =
            Watched { health: ingest::health(), metrics: Metrics::new(), shutdown: Shutdown::new() };
        let listener = ingest::listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listens");
        let address = listener.local_addr().expect("it listens");
        let (beside, watching) = (log.clone(), watched.clone());
        let serve = move || ingest::serve(&beside, &target(), "test", listener, &settings, &watching);
        let thread = Some(thread::spawn(serve));
        Self { address, log, watched, thread, _folder: folder }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address).expect("connects")
    }

    pub(crate) fn post(&self, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.client().post(content_type, body).expect("an answer")
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.watched.answer("/ready").is_some_and(|answer| answer.status == 200)
    }

    pub(crate) fn wait_until_ready(&self) {
        self.wait_until("it is ready", Self::is_ready);
    }

    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = clock::now();
        while !is_so(self) {
            assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
            clock::pause(LOOK);
        }
    }

    /// The value of a metric, named with its labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.watched.metrics.render();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }

    pub(crate) fn stop(mut self) -> (Result<(), Exit>, FaultyLog) {
        self.watched.shutdown.request();
        (self.ended(), self.log.clone())
    }

    pub(crate) fn ended(&mut self) -> Result<(), Exit> {
        self.thread.take().expect("it was started").join().expect("it does not panic")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.log.open();
        self.watched.shutdown.request();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
