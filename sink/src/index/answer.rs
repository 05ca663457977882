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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str, sent: usize) -> Result<Vec<Outcome>, AnswerError> {
        let mut found = Vec::new();
        outcomes(answer.as_bytes(), sent, |index, outcome| {
            assert_eq!(index, found.len());
            found.push(outcome);
        })?;
        Ok(found)
    }

    #[test]
    fn each_document_has_its_own_outcome() {
        let answer = r#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":200}},{"delete":{"status":404}},
            {"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[a]: version conflict"}}},
            {"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue \"full\""}}},
            {"index":{"status":403,"error":{"type":"cluster_block_exception","reason":"read only"}}},
            {"index":{"status":403,"error":{"type":"security_exception","reason":"no"}}},
            {"index":{"status":404,"error":{"type":"index_not_found_exception","reason":"no index"}}},
            {"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"bad","caused_by":{"reason":"7"}}}}]}"#;
        let retry = |status, reason: &str| Outcome::Retry { status, reason: reason.into() };
        let expected = [
            Outcome::Done,
            Outcome::Done,
            Outcome::AlreadyThere,
            Outcome::AlreadyThere,
            retry(429, "queue \"full\""),
            retry(403, "read only"),
            Outcome::Denied { reason: "no".into() },
            retry(404, "no index"),
            Outcome::Refused {
                status: 400,
                kind: "document_parsing_exception".into(),
                reason: "bad: 7".into(),
            },
        ];
        assert_eq!(read(answer, 9).unwrap(), expected);
    }

    #[test]
    fn an_answer_to_something_else_is_none() {
        let one = r#"{"items":[{"index":{"status":201}}]}"#;
        assert!(matches!(read(one, 2), Err(AnswerError::Items { sent: 2, found: 1 })));
        assert!(matches!(read("{}", 1), Err(AnswerError::Items { sent: 1, found: 0 })));
        assert!(matches!(read("<html>", 1), Err(AnswerError::Json(_))));
        assert!(matches!(read(&one[..20], 1), Err(AnswerError::Json(_))));
    }

    #[test]
    fn a_request_is_retried_unless_it_can_never_pass() {
        for status in [404, 408, 429, 500, 502, 503, 504] {
            assert_eq!(verdict(status), Verdict::Retry);
        }
        assert_eq!([401, 403].map(verdict), [Verdict::Denied; 2]);
        assert_eq!([400, 405, 406].map(verdict), [Verdict::Refused; 3]);
        assert_eq!((verdict(200), verdict(413)), (Verdict::Items, Verdict::TooLarge));
    }
}
