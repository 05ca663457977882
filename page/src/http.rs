//! The page over HTTP/1.1, on a thread of its own. Bounded: few connections, and whoever reads slowly holds one update at most.

mod answers;
mod events;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use service::Shutdown;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time;

use crate::shared::Shared;

/// A browser opens six; more wait in the queue of the operating system.
const CONNECTIONS_MAX: usize = 128;
/// Whoever does not even send a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// After an accept that failed, as when the process has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(address: SocketAddr, shared: Shared, stop: Shutdown) -> io::Result<Self> {
        let listener = StdListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stopped, is_loopback) = (stop.requested(), address.ip().is_loopback());
        let thread = thread::Builder::new().name("page http".into()).spawn(move || {
            serve(&runtime, listener, answers::router(shared, is_loopback), stopped);
            // A filter that is being counted is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.request();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that serves the page panicked");
        }
    }
}

fn serve(runtime: &Runtime, listener: StdListener, router: axum::Router, stopped: impl Future<Output = ()>) {
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::select! {
                    () = stopped => {}
                    () = accept(&listener, router) => {}
                }
            }
            Err(error) => tracing::error!(%error, "cannot serve the page"),
        }
    });
}

async fn accept(listener: &TcpListener, router: axum::Router) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The semaphore is never closed, so that this goes on until the future is dropped.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let mut http = http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
                    // Who goes away in the middle is no concern of ours.
                    let _ = http.serve_connection(TokioIo::new(stream), router).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection: tried again after a pause");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
