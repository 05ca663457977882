//! A small HTTP/1 server on a thread of its own, by hyper. Bounded: few connections, one request each, little time for it.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time;

use super::{Answer, Watched};
use crate::shutdown::Shutdown;

/// What callers may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Probes and scrapers are few; more wait in the queue of the operating system.
    connections: usize,
    /// A connection that takes longer, from its accept to its last byte, is closed.
    connection_time: Duration,
}

const LIMITS: Limits = Limits { connections: 32, connection_time: Duration::from_secs(10) };
/// After an accept that failed, as when the process has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(address: SocketAddr, watched: Watched) -> io::Result<Self> {
        Self::start_with(address, watched, LIMITS)
    }

    fn start_with(address: SocketAddr, watched: Watched, limits: Limits) -> io::Result<Self> {
        let listener = StdListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let stop = Shutdown::new();
        let stopped = stop.requested();
        let thread = thread::Builder::new()
            .name("http".into())
            .spawn(move || serve(&runtime, listener, watched, limits, stopped))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens: with the port that was chosen where the setting said 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    runtime: &Runtime,
    listener: StdListener,
    watched: Watched,
    limits: Limits,
    stopped: impl Future<Output = ()>,
) {
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::select! {
                    () = stopped => {}
                    () = accept(&listener, Arc::new(watched), limits) => {}
                }
            }
            Err(error) => tracing::error!(%error, "cannot serve /live, /ready and /metrics"),
        }
    });
}

async fn accept(listener: &TcpListener, watched: Arc<Watched>, limits: Limits) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    // The semaphore is never closed, so that this goes on until the future is dropped.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let watched = Arc::clone(&watched);
                tokio::spawn(async move {
                    // Who is cut off or goes away in the middle is no concern of ours.
                    let _ = time::timeout(limits.connection_time, connection(stream, watched)).await;
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

async fn connection(stream: TcpStream, watched: Arc<Watched>) -> hyper::Result<()> {
    let answers = service_fn(|request| {
        let response = response(&request, &watched);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).keep_alive(false).serve_connection(TokioIo::new(stream), answers).await
}

/// hyper leaves out the body of an answer to HEAD.
fn response(request: &Request<Incoming>, watched: &Watched) -> Response<Full<Bytes>> {
    let plain = |status, body: &str| Answer::text(status, body);
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match watched.answer(request.uri().path()) {
        None => plain(404, "not found: /live, /ready and /metrics are served here\n"),
        Some(_) if !is_read => plain(405, "only GET and HEAD\n"),
        Some(answer) => answer,
    };
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::clock;
    use crate::exit::Code;
    use crate::settings::ProcessSettings;

    fn server() -> Server {
        let watched = Watched::default();
        watched.metrics.counter("ufo_rows_total", "Rows").inc_by(7);
        Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), watched).unwrap()
    }

    fn asked(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(server: &Server, path: &str) -> String {
        asked(server, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"))
    }

    #[test]
    fn the_three_paths_are_served() {
        let server = server();
        assert!(get(&server, "/live").starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(get(&server, "/ready?verbose").ends_with("\r\n\r\nready\n"));
        assert!(get(&server, "/live").contains("connection: close\r\n"), "scrapers do not hold a place");
        let metrics = get(&server, "/metrics");
        assert!(
            metrics.contains("content-type: application/openmetrics-text")
                && metrics.contains("ufo_rows_total 7\n")
        );
        assert!(get(&server, "/").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn only_reads_are_answered() {
        let server = server();
        let posted = asked(&server, "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi");
        assert!(posted.starts_with("HTTP/1.1 405 ") && posted.contains("allow: GET, HEAD\r\n"), "{posted}");
        let head = asked(&server, "HEAD /live HTTP/1.1\r\nhost: x\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(asked(&server, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn silent_connections_are_few_and_do_not_keep_others_out_for_long() {
        let limits = Limits { connections: 2, connection_time: Duration::from_millis(300) };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start_with(address, Watched::default(), limits).unwrap();
        let silent = [(); 2].map(|()| TcpStream::connect(server.address()).unwrap());
        let began = clock::now();
        assert!(get(&server, "/live").starts_with("HTTP/1.1 200 OK\r\n"));
        let waited = began.elapsed();
        assert!((Duration::from_millis(100)..LIMITS.connection_time).contains(&waited), "{waited:?}");
        drop(silent);
    }

    #[test]
    fn a_drop_ends_it_also_with_connections_open() {
        let server = server();
        let address = server.address();
        let open = TcpStream::connect(address).unwrap();
        let began = clock::now();
        drop(server);
        assert!(began.elapsed() < LIMITS.connection_time);
        drop(open);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn an_address_in_use_is_told() {
        let server = server();
        let process = ProcessSettings { listen: Some(server.address()), ..ProcessSettings::default() };
        let exit = super::super::listen(&process, Watched::default()).unwrap_err();
        assert_eq!(exit.code(), Code::Unavailable);
        let address = server.address();
        assert!(
            exit.to_string().starts_with(&format!("error: cannot listen on {address}: choose another")),
            "{exit}"
        );
        assert!(super::super::listen(&ProcessSettings::default(), Watched::default()).unwrap().is_none());
    }
}
