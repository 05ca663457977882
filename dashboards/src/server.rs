//! Requests to Kibana and Elasticsearch: one at a time, JSON back.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, StatusCode};
use serde_json::Value;
use service::Secret;
use service::settings::without_password;
use tokio::runtime::{Builder, Runtime};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Longer answers are cut in messages.
const REASON_CHARACTERS_MAX: usize = 400;
/// What separates the parts of an upload; occurs in no object of ours, since JSON in one line has no line that is this.
const BOUNDARY: &str = "ufo-dashboards-7d1f0c5b";

/// Who we are, there.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// In the encoded form that Kibana shows.
    pub api_key: Option<Secret>,
    /// PEM file of a certificate authority of one's own.
    pub ca_file: Option<PathBuf>,
}

/// Kibana or Elasticsearch.
pub struct Server {
    name: &'static str,
    address: String,
    credentials: Credentials,
    client: Client,
    runtime: Runtime,
}

/// What it said. The body is null where it is no JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot use the certificate authority {}", file.display())]
    Authority { file: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot make a connection to {name}")]
    Setup { name: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{name} does not answer at {address}: is it started, and is that its address?")]
    Unreachable { name: &'static str, address: String, source: reqwest::Error },
    #[error("{name} does not take the credentials (status {status}): {reason}")]
    Denied { name: &'static str, status: u16, reason: String },
    #[error("{name} is not ready (status {status}): {reason}")]
    NotReady { name: &'static str, status: u16, reason: String },
    #[error("{name} refuses {request} (status {status}): {reason}")]
    Refused { name: &'static str, request: String, status: u16, reason: String },
}

impl ServerError {
    /// Trying again may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotReady { .. })
    }
}

impl Server {
    pub fn new(name: &'static str, address: &str, credentials: Credentials) -> Result<Self, ServerError> {
        let mut client = Client::builder().timeout(REQUEST_TIMEOUT);
        if let Some(file) = &credentials.ca_file {
            let bad = |source| ServerError::Authority { file: file.clone(), source };
            let pem = std::fs::read(file).map_err(|error| bad(error.into()))?;
            let authority = Certificate::from_pem(&pem).map_err(|error| bad(error.into()))?;
            client = client.add_root_certificate(authority);
        }
        let setup = |source| ServerError::Setup { name, source };
        let client = client.build().map_err(|error| setup(error.into()))?;
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| setup(error.into()))?;
        let address = address.trim().trim_end_matches('/').to_owned();
        Ok(Self { name, address, credentials, client, runtime })
    }

    /// Without credentials, for messages.
    pub fn address(&self) -> String {
        without_password(&self.address).into_owned()
    }

    pub fn get(&self, path: &str) -> Result<Answer, ServerError> {
        self.send(self.client.get(format!("{}{path}", self.address)))
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, ServerError> {
        let request = self.client.post(format!("{}{path}", self.address));
        self.send(request.header("content-type", "application/json").body(body.to_string()))
    }

    /// A file of a form, as Kibana's import takes it.
    pub fn upload(&self, path: &str, file: &str, content: &str) -> Result<Answer, ServerError> {
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\
             Content-Type: application/ndjson\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
        );
        let request = self.client.post(format!("{}{path}", self.address));
        let content = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send(request.header("content-type", content).body(body))
    }

    fn send(&self, request: RequestBuilder) -> Result<Answer, ServerError> {
        let unreachable = |source: reqwest::Error| ServerError::Unreachable {
            name: self.name,
            address: self.address(),
            // Its own text would show the address with the password.
            source: source.without_url(),
        };
        // Kibana takes no request that changes something without it; Elasticsearch does not mind.
        let request = self.authorised(request.header("kbn-xsrf", "true"));
        let (status, text) = self.runtime.block_on(async {
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            Ok::<_, ServerError>((status, response.text().await.map_err(unreachable)?))
        })?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { status: status.as_u16(), body, text };
        let (name, status, reason) = (self.name, status.as_u16(), answer.reason());
        match StatusCode::from_u16(status) {
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(ServerError::Denied { name, status, reason })
            }
            Ok(code) if code == StatusCode::TOO_MANY_REQUESTS || code.is_server_error() => {
                Err(ServerError::NotReady { name, status, reason })
            }
            Ok(_) | Err(_) => Ok(answer),
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        let Credentials { user, password, api_key, .. } = &self.credentials;
        match (api_key, user) {
            (Some(key), _) => request.header("authorization", format!("ApiKey {}", key.reveal().trim())),
            (None, Some(user)) => request.basic_auth(user, password.as_ref().map(Secret::reveal)),
            (None, None) => request,
        }
    }

    /// An answer that is no success is an error.
    pub fn succeeded(&self, request: &str, answer: Answer) -> Result<Answer, ServerError> {
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(ServerError::Refused {
                name: self.name,
                request: request.to_owned(),
                status,
                reason: answer.reason(),
            }),
        }
    }
}

impl Answer {
    /// What it says about what is wrong, or its beginning.
    pub fn reason(&self) -> String {
        let body = &self.body;
        let said = [&body["error"]["reason"], &body["message"], &body["error"]];
        let said = said.into_iter().find_map(Value::as_str);
        said.unwrap_or(self.text.trim()).chars().take(REASON_CHARACTERS_MAX).collect()
    }
}
