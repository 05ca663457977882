//! What is answered: the rows' fates, or one problem in the form of RFC 9457. Pure.

use domain::{Rejection, SightingId};
use serde::Serialize;

use super::body::BodyError;

/// Seconds after which it may be tried again.
const SOON_S: u64 = 1;
/// A broker that is away is back after some seconds, if somebody starts it.
const LATER_S: u64 = 5;

#[derive(Serialize)]
struct Rows<'a> {
    accepted: usize,
    rejected: usize,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Row<'a> {
    Id(String),
    Error { code: &'static str, message: &'a str },
}

/// The answer to a request whose rows are committed: each row's id, or what is wrong with it, in the body's order.
pub(super) fn rows(verdicts: &[Result<SightingId, Rejection>]) -> Vec<u8> {
    let accepted = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    let row = |verdict| match verdict {
        &Ok(id) => Row::Id(SightingId::to_string(&id)),
        Err(Rejection { code, message }) => Row::Error { code: code.name(), message },
    };
    let rows = verdicts.iter().map(row).collect();
    let answer = Rows { accepted, rejected: verdicts.len() - accepted, rows };
    serde_json::to_vec(&answer).expect("plain fields are JSON")
}

/// A request whose rows were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The body as a whole cannot be read.
    Body(BodyError),
    Gzip,
    BrokenOff,
    NoKey,
    NoSuchPath,
    WrongMethod,
    TooSlow,
    BodyTooLarge {
        bytes_max: usize,
    },
    UnpackedTooLarge {
        bytes_max: usize,
    },
    WrongType,
    WrongEncoding,
    TooFast {
        wait_s: u64,
    },
    LogAway,
    QueueFull,
    /// The rows were sent, and nobody has told whether they are in.
    NotKnown,
    Stopping,
    /// A fault of ours.
    Fault,
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
}

impl Problem {
    pub fn status(&self) -> u16 {
        match self {
            Self::Body(BodyError::TooManyRows) => 413,
            Self::Body(_) | Self::Gzip | Self::BrokenOff => 400,
            Self::NoKey => 401,
            Self::NoSuchPath => 404,
            Self::WrongMethod => 405,
            Self::TooSlow => 408,
            Self::BodyTooLarge { .. } | Self::UnpackedTooLarge { .. } => 413,
            Self::WrongType | Self::WrongEncoding => 415,
            Self::TooFast { .. } => 429,
            Self::Fault => 500,
            Self::LogAway | Self::QueueFull | Self::NotKnown | Self::Stopping => 503,
        }
    }

    /// For programs: one problem, one code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(BodyError::Empty) => "body_empty",
            Self::Body(BodyError::NotUtf8 | BodyError::NotJson(_)) => "body_not_json",
            Self::Body(BodyError::NoHeader | BodyError::Header(_)) => "csv_header",
            Self::Body(BodyError::TooManyRows) => "too_many_rows",
            Self::Gzip => "body_not_gzip",
            Self::BrokenOff => "body_broken_off",
            Self::NoKey => "api_key",
            Self::NoSuchPath => "no_such_path",
            Self::WrongMethod => "wrong_method",
            Self::TooSlow => "body_too_slow",
            Self::BodyTooLarge { .. } | Self::UnpackedTooLarge { .. } => "body_too_large",
            Self::WrongType => "content_type",
            Self::WrongEncoding => "content_encoding",
            Self::TooFast { .. } => "too_fast",
            Self::LogAway => "log_away",
            Self::QueueFull => "queue_full",
            Self::NotKnown => "not_known",
            Self::Stopping => "stopping",
            Self::Fault => "fault",
        }
    }

    fn title(&self) -> &'static str {
        match self.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            413 => "Content Too Large",
            415 => "Unsupported Media Type",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Body(error) => error.to_string(),
            Self::Gzip => "the body is no gzip, or breaks off in the middle".into(),
            Self::BrokenOff => "the body breaks off in the middle: nothing of it was sent".into(),
            Self::NoKey => "send an API key: `authorization: Bearer KEY` or `x-api-key: KEY`".into(),
            Self::NoSuchPath => {
                "rows go to /v1/sightings by POST; what is understood is at /openapi.json".into()
            }
            Self::WrongMethod => "the path is there, but not for this method: see `allow`".into(),
            Self::TooSlow => "the body did not arrive in time: nothing of it was sent".into(),
            Self::BodyTooLarge { bytes_max } => {
                format!("the body has more than {bytes_max} bytes: send its rows in several requests")
            }
            Self::UnpackedTooLarge { bytes_max } => {
                format!("the body has more than {bytes_max} bytes unpacked: send its rows in several requests")
            }
            Self::WrongType => {
                "send application/json, application/x-ndjson or text/csv, and say so in `content-type`".into()
            }
            Self::WrongEncoding => "of content encodings only gzip is understood".into(),
            Self::TooFast { wait_s } => format!("too many rows a second: try again in {wait_s} s"),
            Self::LogAway => "the log is away: nothing was sent; try again".into(),
            Self::QueueFull => "too much is waiting for the log: nothing was sent; try again".into(),
            Self::NotKnown => {
                "it is not known whether the rows are in: send them again, each counts once however often it is sent"
                    .into()
            }
            Self::Stopping => "the server is stopping: nothing was sent; try again".into(),
            Self::Fault => "a fault of ours: nothing was sent".into(),
        }
    }

    /// Seconds, for `retry-after`.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooFast { wait_s } => Some(*wait_s),
            Self::QueueFull | Self::NotKnown => Some(SOON_S),
            Self::LogAway | Self::Stopping => Some(LATER_S),
            _ => None,
        }
    }

    /// `application/problem+json`
    pub fn body(&self) -> Vec<u8> {
        let detail = self.detail();
        let (title, status, code) = (self.title(), self.status(), self.code());
        let details = Details { r#type: "about:blank", title, status, code, detail: &detail };
        serde_json::to_vec(&details).expect("plain fields are JSON")
    }

    /// One of each, for the description of the interface and its tests.
    pub fn all() -> Vec<Self> {
        let header = domain::Header::parse(std::iter::empty()).expect_err("no names are no header");
        let bodies = [
            BodyError::Empty,
            BodyError::NotUtf8,
            BodyError::NotJson("expected value at line 1 column 1".into()),
            BodyError::NoHeader,
            BodyError::Header(header),
            BodyError::TooManyRows,
        ];
        let mut all: Vec<Self> = bodies.into_iter().map(Self::Body).collect();
        all.extend([Self::Gzip, Self::BrokenOff, Self::NoKey, Self::NoSuchPath, Self::WrongMethod]);
        all.extend([
            Self::TooSlow,
            Self::BodyTooLarge { bytes_max: 1 },
            Self::UnpackedTooLarge { bytes_max: 1 },
        ]);
        all.extend([Self::WrongType, Self::WrongEncoding, Self::TooFast { wait_s: 1 }, Self::LogAway]);
        all.extend([Self::QueueFull, Self::NotKnown, Self::Stopping, Self::Fault]);
        all
    }
}
