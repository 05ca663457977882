//! The connection to Elasticsearch: one request, its status and its bytes; the start, and the check of what is there.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use elasticsearch::Elasticsearch;
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::Method;
use elasticsearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use elasticsearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use serde::Deserialize;
use serde_json::Value;
use service::Shutdown;
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use super::error::IndexError;
use super::settings::IndexSettings;
use super::url::{address_of, credentials_of};

/// The line of Elasticsearch that is supported and tested.
const SUPPORTED: &str = "8.19.";
/// Three topics share the threads; they wait most of the time.
const RUNTIME_THREADS: usize = 2;
const CONNECT_PAUSE: Duration = Duration::from_millis(500);
/// Longer reasons are cut: they may hold a whole document.
const REASON_CHARACTERS_MAX: usize = 400;

/// An Elasticsearch that was there and is one. Its methods block: call them from a thread of their own.
#[derive(Clone)]
pub struct Index {
    pub(super) client: Client,
    pub(super) runtime: Arc<Runtime>,
    pub(super) settings: Arc<IndexSettings>,
    pub(super) version: String,
}

/// What sends requests.
#[derive(Clone)]
pub(super) struct Client {
    elasticsearch: Elasticsearch,
    server: Arc<str>,
    timeout: Duration,
}

/// What was answered, whatever it was.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Index {
    /// Connects and asks what is there; waits a little for a server that is not up yet.
    pub fn connect(settings: &IndexSettings, shutdown: &Shutdown) -> Result<Self, IndexError> {
        let client = Client::new(settings)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .thread_name("elasticsearch")
            .enable_all()
            .build()
            .map_err(|source| IndexError::Setup {
                server: client.server.to_string(),
                source: source.into(),
            })?;
        let version = first_answer(&client, &runtime, settings, shutdown)?;
        if version.starts_with(SUPPORTED) {
            info!(server = %client.server, version, "connected to Elasticsearch {version}");
        } else {
            warn!(
                server = %client.server,
                version,
                "Elasticsearch {version} is not tested: {SUPPORTED}x is the supported line"
            );
        }
        Ok(Self { client, runtime: Arc::new(runtime), settings: Arc::new(settings.clone()), version })
    }

    /// Of the server.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A request that has to succeed; `None` where the thing asked for does not exist.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Option<Bytes>, IndexError> {
        self.runtime.block_on(self.client.ask(method, path, body))
    }
}

/// The server's version, once it answers.
fn first_answer(
    client: &Client,
    runtime: &Runtime,
    settings: &IndexSettings,
    shutdown: &Shutdown,
) -> Result<String, IndexError> {
    let begin = service::clock::now();
    loop {
        match runtime.block_on(client.product()) {
            Err(IndexError::Unreachable { .. } | IndexError::NotReady { .. }) if shutdown.is_requested() => {
                return Err(IndexError::Stopped);
            }
            Err(IndexError::Unreachable { .. } | IndexError::NotReady { .. })
                if begin.elapsed() < settings.connect_patience =>
            {
                service::clock::pause(CONNECT_PAUSE);
            }
            result => return result,
        }
    }
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    tagline: String,
    version: Option<RootVersion>,
}

#[derive(Deserialize)]
struct RootVersion {
    #[serde(default)]
    number: String,
    /// Only forks say one.
    distribution: Option<String>,
}

impl Client {
    pub(super) fn new(settings: &IndexSettings) -> Result<Self, IndexError> {
        let address = address_of(settings)?;
        let server: Arc<str> = address.as_str().trim_end_matches('/').into();
        let mut transport = TransportBuilder::new(SingleNodeConnectionPool::new(address))
            .request_body_compression(settings.compress)
            .timeout(settings.request_timeout);
        if let Some(credentials) = credentials_of(settings)? {
            transport = transport.auth(credentials);
        }
        if let Some(file) = &settings.ca_file {
            let bad = |source| IndexError::Authority { file: file.clone(), source };
            let pem = fs::read(file).map_err(|error| bad(error.into()))?;
            let authority = Certificate::from_pem(&pem).map_err(|error| bad(error.into()))?;
            transport = transport.cert_validation(CertificateValidation::Full(authority));
        }
        let transport = transport.build().map_err(|error| IndexError::Setup {
            server: server.to_string(),
            source: text_of(&error).into(),
        })?;
        Ok(Self { elasticsearch: Elasticsearch::new(transport), server, timeout: settings.request_timeout })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Sends a request and waits for all of its answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        content: &'static str,
        body: Option<Bytes>,
    ) -> Result<Answer, IndexError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
        let unreachable = |error: elasticsearch::Error| {
            let (server, text) = (self.server.to_string(), text_of(&error));
            // No error of the client's libraries has a kind for it.
            match text.contains("peer certificate") {
                true => IndexError::Untrusted { server, source: text.into() },
                false => IndexError::Unreachable { server, source: text.into() },
            }
        };
        let response = self
            .elasticsearch
            .send(method, path, headers, None::<&()>, body, Some(self.timeout))
            .await
            .map_err(unreachable)?;
        let status = response.status_code().as_u16();
        Ok(Answer { status, body: response.bytes().await.map_err(unreachable)? })
    }

    /// A request with JSON in and out that has to succeed; `None` for 404.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Option<Bytes>, IndexError> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let answer = self.send(method, path, "application/json", body).await?;
        match answer.status {
            200..=299 => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => Err(self.failure(path, &answer)),
        }
    }

    /// What an answer that is no success means for us.
    pub(super) fn failure(&self, request: &str, answer: &Answer) -> IndexError {
        let server = self.server.to_string();
        let reason = reason_of(&answer.body);
        match answer.status {
            401 | 403 => IndexError::Denied { server, reason: format!("status {}: {reason}", answer.status) },
            408 | 429 | 500..=599 => IndexError::NotReady { server, status: answer.status, reason },
            status => IndexError::Refused { server, request: request.to_owned(), status, reason },
        }
    }

    async fn product(&self) -> Result<String, IndexError> {
        let answer = self.send(Method::Get, "/", "application/json", None).await?;
        let wrong = |found: String| IndexError::WrongProduct { server: self.server.to_string(), found };
        match answer.status {
            200..=299 => {}
            400 | 404..=407 => return Err(wrong(format!("it answers with status {}", answer.status))),
            _ => return Err(self.failure("/", &answer)),
        }
        let root: Root = serde_json::from_slice(&answer.body)
            .map_err(|_| wrong("its answer is not that of an Elasticsearch".into()))?;
        match root.version {
            Some(RootVersion { number, distribution: Some(fork) }) => Err(wrong(format!("{fork} {number}"))),
            Some(RootVersion { number, distribution: None })
                if !number.is_empty() && root.tagline.contains("for Search") =>
            {
                Ok(number)
            }
            _ => Err(wrong("its answer is not that of an Elasticsearch".into())),
        }
    }
}

/// An error and its causes, each once; the server's address in them has no credentials.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[derive(Deserialize)]
struct Failure {
    error: Value,
}

/// The reason in an error's body, or the beginning of the body.
pub(super) fn reason_of(body: &[u8]) -> String {
    let failure = serde_json::from_slice::<Failure>(body).ok();
    let reason = failure.as_ref().and_then(|failure| {
        let reason = failure.error.get("reason").or(Some(&failure.error))?.as_str()?;
        let kind = failure.error.get("type").and_then(Value::as_str);
        Some(kind.map_or_else(|| reason.to_owned(), |kind| format!("{kind}: {reason}")))
    });
    let reason = reason.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    reason.chars().take(REASON_CHARACTERS_MAX).collect()
}
