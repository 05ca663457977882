//! What `_bulk` answers: 200 for the request says nothing about its documents. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use super::document::Action;

/// Only what [`outcomes`] reads: the full answer is as long as the request.
pub const FILTER_PATH: &str = "items.*.status,items.*.error.type,items.*.error.reason,\
     items.*.error.caused_by.reason";

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written or deleted.
    Done,
    /// The index has this version or a newer one, or nothing to delete.
    AlreadyThere,
    /// The server had no room or the index is closed to writes: says nothing about the document.
    Retry { status: u16, reason: String },
    /// The credentials do not reach this index.
    Denied { reason: String },
    /// This document is not taken, now or later.
    Refused { status: u16, kind: String, reason: String },
}

/// An answer that is not one to our request.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer to _bulk is not JSON of the known form")]
    Json(#[from] serde_json::Error),
    #[error("the answer to _bulk has {found} items for {sent} documents")]
    Items { sent: usize, found: usize },
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    items: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry<'a> {
    #[serde(borrow)]
    Index(Item<'a>),
    Create(Item<'a>),
    Update(Item<'a>),
    Delete(Item<'a>),
}

#[derive(Deserialize)]
struct Item<'a> {
    status: u16,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    caused_by: Option<Cause<'a>>,
}

#[derive(Deserialize)]
struct Cause<'a> {
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

/// Calls `each` with the outcome of every document sent, in their order.
pub fn outcomes(answer: &[u8], sent: usize, mut each: impl FnMut(usize, Outcome)) -> Result<(), AnswerError> {
    let answer: Answer<'_> = serde_json::from_slice(answer)?;
    let found = answer.items.len();
    if found != sent {
        return Err(AnswerError::Items { sent, found });
    }
    for (index, entry) in answer.items.iter().enumerate() {
        each(index, outcome_of(entry));
    }
    Ok(())
}

fn outcome_of(entry: &Entry<'_>) -> Outcome {
    let (action, item) = match entry {
        Entry::Index(item) | Entry::Create(item) | Entry::Update(item) => (Action::Index, item),
        Entry::Delete(item) => (Action::Delete, item),
    };
    match (item.status, &item.error) {
        (200..=299, _) => Outcome::Done,
        (409, _) => Outcome::AlreadyThere,
        (404, None) if action == Action::Delete => Outcome::AlreadyThere,
        (401 | 403, Some(failure)) if failure.kind == "security_exception" => {
            Outcome::Denied { reason: reason_of(failure) }
        }
        // 403 and 404 are about the index (closed to writes, gone), which somebody can open or make again.
        (status @ (403 | 404 | 408 | 429 | 500..=599), failure) => {
            Outcome::Retry { status, reason: failure.as_ref().map(reason_of).unwrap_or_default() }
        }
        (status, failure) => Outcome::Refused {
            status,
            kind: failure.as_ref().map(|failure| failure.kind.to_string()).unwrap_or_default(),
            reason: failure.as_ref().map(reason_of).unwrap_or_default(),
        },
    }
}

fn reason_of(failure: &Failure<'_>) -> String {
    let reason = failure.reason.as_deref().unwrap_or(&failure.kind);
    match failure.caused_by.as_ref().and_then(|cause| cause.reason.as_deref()) {
        Some(cause) => format!("{reason}: {cause}"),
        None => reason.to_owned(),
    }
}

/// What a whole request that was answered means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look at the items.
    Items,
    /// The same request may pass later.
    Retry,
    /// More than the server, or something in front of it, takes at once.
    TooLarge,
    Denied,
    /// The same request will never pass.
    Refused,
}

/// What the status of a whole request means.
pub fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Items,
        401 | 403 => Verdict::Denied,
        413 => Verdict::TooLarge,
        404 | 408 | 425 | 429 | 500..=599 => Verdict::Retry,
        _ => Verdict::Refused,
    }
}
