//! What can be wrong with the index, each with what to do and the exit code that a script tests.

use std::path::PathBuf;

use engine::log::{Cause, LogError};
use service::exit::{Code, Exit};

/// The index cannot be used. No message holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("`elasticsearch` is no http or https address: {reason}")]
    Address { reason: String },
    #[error("cannot use the certificate authority {file} for Elasticsearch")]
    Authority {
        file: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot set up the connection to Elasticsearch at {server}")]
    Setup {
        server: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("Elasticsearch at {server} does not answer: is it running, and is `elasticsearch` its address?")]
    Unreachable {
        server: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "the certificate of Elasticsearch at {server} is not trusted: name the file of its authority \
         (--elasticsearch-ca / UFO_ELASTICSEARCH_CA), and use the host that the certificate is for"
    )]
    Untrusted {
        server: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("Elasticsearch at {server} is not ready: it answers with status {status}: {reason}")]
    NotReady { server: String, status: u16, reason: String },
    #[error(
        "Elasticsearch at {server} refuses the credentials or the action ({reason}): check user and password, or \
         the API key, and what they may do"
    )]
    Denied { server: String, reason: String },
    #[error("{server} is no Elasticsearch: {found}")]
    WrongProduct { server: String, found: String },
    #[error("{name} is there with other fields or as something else: use another generation ({reason})")]
    Misfit { name: String, reason: String },
    #[error(
        "`{value}` is no name for an index: lower-case letters, digits, `-`, `_` and `.`, a letter or digit first"
    )]
    Name { value: String },
    #[error("there is no index {name}: has a sink of this generation been started?")]
    Missing { name: String },
    #[error("generation {generation} answers at the moment: switch to another one first")]
    Active { generation: String },
    #[error("Elasticsearch at {server} refuses {request} with status {status}: {reason}")]
    Refused { server: String, request: String, status: u16, reason: String },
    #[error("Elasticsearch at {server} gives an unknown answer to {request}")]
    Answer {
        server: String,
        request: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot write {file}, where refused documents are kept")]
    RefusedFile {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(
        "{batches} batches were not confirmed by Elasticsearch in the time given to stop: they are sent again at the next start"
    )]
    NotDrained { batches: usize },
    /// A request was given up because the process stops.
    #[error("stopped while waiting for Elasticsearch")]
    Stopped,
}

impl IndexError {
    pub fn code(&self) -> Code {
        match self {
            Self::Address { .. }
            | Self::Authority { .. }
            | Self::Name { .. }
            | Self::Misfit { .. }
            | Self::WrongProduct { .. }
            | Self::Missing { .. }
            | Self::Active { .. } => Code::Config,
            Self::Unreachable { .. } | Self::NotReady { .. } => Code::Unavailable,
            Self::Denied { .. } | Self::Untrusted { .. } => Code::Denied,
            Self::Setup { .. } | Self::Refused { .. } | Self::Answer { .. } => Code::Software,
            Self::RefusedFile { .. } => Code::Io,
            Self::NotDrained { .. } | Self::Stopped => Code::NotDrained,
            Self::Log(error) => match error.cause {
                Cause::Unreachable => Code::Unavailable,
                Cause::Denied => Code::Denied,
                Cause::Misfit => Code::Config,
                Cause::Storage => Code::Io,
                Cause::Other => Code::Software,
            },
        }
    }
}

impl From<IndexError> for Exit {
    fn from(error: IndexError) -> Self {
        Self::from_error(error.code(), error)
    }
}
