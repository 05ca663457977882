//! One request: who may, what it holds, what is answered. What is decided is decided in pure modules.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use domain::{Atlas, Rejection, SightingId};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use service::clock;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answer::{self, Problem};
use super::body::{self, Format, Parsed};
use super::gunzip::{GunzipError, gunzip};
use super::keys::Keys;
use super::limit::{Client, RateLimit};
use super::metrics::IngestMetrics;
use super::queue::{Outcome, Queue, Refused};
use super::settings::IngestSettings;

/// What is understood and answered, for people and programs.
pub(super) const OPENAPI: &str = include_str!("../../openapi.json");
const KIB: usize = 1024;
/// All bodies that are being read: their sum is bounded, however many connections there are.
const BODIES_KIB: usize = 64 * KIB;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// What every request needs.
pub(super) struct App {
    keys: Keys,
    limit: Option<Mutex<RateLimit>>,
    body_bytes_max: usize,
    unpacked_bytes_max: usize,
    timeout: Duration,
    bodies: Semaphore,
    pub(super) connections: usize,
    atlas: Atlas,
    queue: Arc<Queue>,
    metrics: IngestMetrics,
}

type Verdicts = Vec<Result<SightingId, Rejection>>;

impl App {
    pub(super) fn new(
        settings: &IngestSettings,
        queue: Arc<Queue>,
        metrics: IngestMetrics,
    ) -> io::Result<Self> {
        Ok(Self {
            keys: settings.keys().map_err(io::Error::other)?,
            limit: settings.ingest_rows_per_s.map(|rows| Mutex::new(RateLimit::new(rows))),
            body_bytes_max: settings.ingest_body_bytes_max,
            unpacked_bytes_max: settings.ingest_unpacked_bytes_max,
            timeout: settings.timeout(),
            bodies: Semaphore::new(BODIES_KIB.max(kib(settings.ingest_body_bytes_max) as usize)),
            connections: settings.ingest_connections,
            atlas: Atlas::new(),
            queue,
            metrics,
        })
    }

    pub(super) fn asks_for_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/sightings", post(sightings))
            .route("/openapi.json", get(openapi))
            .fallback(no_such_path)
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::clone(self))
    }

    async fn take(self: &Arc<Self>, peer: Peer, request: Request) -> Result<Verdicts, Problem> {
        let begun = clock::now();
        let client = self.client(request.headers(), peer)?;
        self.in_time(client, begun)?;
        let (format, is_gzip) = content(request.headers())?;
        self.queue.check().map_err(refused)?;
        let left = self.timeout.saturating_sub(begun.elapsed());
        let body = timeout(left, self.read(request)).await.map_err(|_| Problem::TooSlow)??;
        let app = Arc::clone(self);
        let parsed = tokio::task::spawn_blocking(move || app.parse(format, is_gzip, &body));
        let Parsed { batch, verdicts } = parsed.await.map_err(|_| Problem::Fault)??;
        self.charge(client, verdicts.len());
        if batch.is_empty() {
            return Ok(verdicts);
        }
        let outcome = self.queue.push(batch).map_err(refused)?;
        self.metrics.queue(self.queue.depth());
        let left = self.timeout.saturating_sub(begun.elapsed());
        let outcome = timeout(left, outcome).await;
        self.metrics.queue(self.queue.depth());
        match outcome {
            Ok(Ok(Outcome::Committed)) => Ok(verdicts),
            Ok(Ok(Outcome::NotSent)) => Err(Problem::LogAway),
            Ok(Ok(Outcome::NotKnown) | Err(_)) | Err(_) => Err(Problem::NotKnown),
        }
    }

    fn client(&self, headers: &HeaderMap, Peer(address): Peer) -> Result<Client, Problem> {
        if self.keys.is_empty() {
            return Ok(Client::Peer(address));
        }
        let key = key_of(headers).ok_or(Problem::NoKey)?;
        self.keys.find(key).map(Client::Key).ok_or(Problem::NoKey)
    }

    fn in_time(&self, client: Client, now: Instant) -> Result<(), Problem> {
        let Some(limit) = &self.limit else { return Ok(()) };
        let wait = limit.lock().unwrap_or_else(PoisonError::into_inner).wait(client, now);
        match wait {
            None => Ok(()),
            Some(wait) => Err(Problem::TooFast { wait_s: wait.as_millis().div_ceil(1_000) as u64 }),
        }
    }

    fn charge(&self, client: Client, rows: usize) {
        if let Some(limit) = &self.limit {
            limit.lock().unwrap_or_else(PoisonError::into_inner).charge(client, rows, clock::now());
        }
    }

    /// The body as it comes; other bodies wait where too many are read at once.
    async fn read(&self, request: Request) -> Result<Bytes, Problem> {
        let bytes_max = self.body_bytes_max;
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(bytes_max);
        if length > bytes_max {
            return Err(Problem::BodyTooLarge { bytes_max });
        }
        let _room = self.bodies.acquire_many(kib(length)).await.map_err(|_| Problem::Stopping)?;
        let body = Limited::new(request.into_body(), bytes_max).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Problem::BodyTooLarge { bytes_max },
            false => Problem::BrokenOff,
        })?;
        let bytes = body.to_bytes();
        self.metrics.body(bytes.len());
        Ok(bytes)
    }

    fn parse(&self, format: Format, is_gzip: bool, body: &[u8]) -> Result<Parsed, Problem> {
        let bytes_max = self.unpacked_bytes_max;
        let unpacked = is_gzip.then(|| gunzip(body, bytes_max)).transpose().map_err(|error| match error {
            GunzipError::Damaged => Problem::Gzip,
            GunzipError::TooLarge => Problem::UnpackedTooLarge { bytes_max },
        })?;
        let body = unpacked.as_deref().unwrap_or(body);
        if body.len() > bytes_max {
            return Err(Problem::UnpackedTooLarge { bytes_max });
        }
        body::parse(format, body, &self.atlas).map_err(Problem::Body)
    }

    fn answered(&self, result: &Result<Verdicts, Problem>, took: Duration) -> Response<Body> {
        let response = match result {
            Ok(verdicts) => {
                self.metrics.rows(verdicts);
                json("application/json", StatusCode::OK, answer::rows(verdicts))
            }
            Err(problem) => response_to(problem),
        };
        self.metrics.answered(response.status().as_u16(), took);
        response
    }
}

/// As permits; an empty body takes one, too.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB).max(1)).unwrap_or(u32::MAX)
}

fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Away => Problem::LogAway,
        Refused::Full => Problem::QueueFull,
        Refused::Closed => Problem::Stopping,
    }
}

/// From one of the two headers that are in use for keys.
fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii())
    });
    bearer.or_else(|| headers.get("x-api-key").map(HeaderValue::as_bytes))
}

/// How the body is written, and whether it is packed.
fn content(headers: &HeaderMap) -> Result<(Format, bool), Problem> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let format = text(header::CONTENT_TYPE).and_then(Format::of).ok_or(Problem::WrongType)?;
    match text(header::CONTENT_ENCODING).unwrap_or("identity").trim() {
        encoding if encoding.eq_ignore_ascii_case("identity") => Ok((format, false)),
        encoding if encoding.eq_ignore_ascii_case("gzip") => Ok((format, true)),
        _ => Err(Problem::WrongEncoding),
    }
}

fn json(content_type: &'static str, status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn response_to(problem: &Problem) -> Response<Body> {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json("application/problem+json", status, problem.body());
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after_s() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    match problem {
        Problem::NoKey => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Problem::WrongEncoding => headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        _ => None,
    };
    response
}

async fn sightings(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response<Body> {
    let begun = clock::now();
    let result = app.take(peer, request).await;
    app.answered(&result, begun.elapsed())
}

async fn openapi() -> Response<Body> {
    json("application/json", StatusCode::OK, OPENAPI.into())
}

async fn no_such_path(State(app): State<Arc<App>>) -> Response<Body> {
    app.answered(&Err(Problem::NoSuchPath), Duration::ZERO)
}

async fn wrong_method(State(app): State<Arc<App>>) -> Response<Body> {
    app.answered(&Err(Problem::WrongMethod), Duration::ZERO)
}
