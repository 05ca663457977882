//! Connections, by hyper: as many as are allowed, each with little time for the head of a request.

use std::io;
use std::net::TcpListener as StdListener;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use service::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time;

use super::http::{App, Peer};

/// Also how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// After an accept that failed, as when the process has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Left of the grace time for what comes behind the last answer.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until a stop is requested, and then until what is open is answered: whether all of it was in time.
pub(super) fn run(listener: StdListener, app: App, shutdown: &Shutdown) -> io::Result<bool> {
    // Bodies are parsed on threads of their own, as many as there are cores: what lies unpacked in memory is bounded by that.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(cores).enable_io().enable_time().build()?;
    listener.set_nonblocking(true)?;
    let limit = u32::try_from(app.connections).unwrap_or(u32::MAX);
    let is_drained = runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let connections = Arc::new(Semaphore::new(limit as usize));
        let app = Arc::new(app).router();
        tokio::select! {
            () = shutdown.requested() => {}
            () = accept(&listener, &app, &connections, shutdown) => {}
        }
        drop(listener);
        let left = shutdown.time_left().saturating_sub(LAST_WORDS);
        Ok::<_, io::Error>(time::timeout(left, connections.acquire_many(limit)).await.is_ok())
    })?;
    runtime.shutdown_background();
    Ok(is_drained)
}

async fn accept(listener: &TcpListener, app: &Router, connections: &Arc<Semaphore>, shutdown: &Shutdown) {
    // The semaphore is never closed, so that this goes on until the future is dropped.
    while let Ok(permit) = Arc::clone(connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, from)) => {
                let (app, shutdown) = (app.clone(), shutdown.clone());
                tokio::spawn(async move {
                    // Who is cut off or goes away in the middle is no concern of ours.
                    let _ = connection(stream, Peer(from.ip()), app, shutdown).await;
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

async fn connection(stream: TcpStream, peer: Peer, app: Router, shutdown: Shutdown) -> hyper::Result<()> {
    // An answer is one small write: it must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let answers = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        app.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answers));
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}
