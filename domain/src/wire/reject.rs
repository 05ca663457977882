//! `ufo.rejects`: why, where and the original bytes.

use std::borrow::Cow;

use serde::Deserialize;

use super::WireError;
use super::json::{self, Text};
use crate::reject::{Reject, RejectCode, Stage};

const RECORD: &str = "reject";

/// Appends the JSON to `out`. The record's key is the reject's id.
pub fn encode_reject(reject: &Reject<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(&reject.id.to_hex());
    out.extend_from_slice(b"\",\"code\":");
    json::write_text(reject.code.name(), out);
    out.extend_from_slice(b",\"message\":");
    json::write_text(&reject.message, out);
    out.extend_from_slice(b",\"stage\":");
    json::write_text(reject.stage.name(), out);
    out.extend_from_slice(b",\"topic\":");
    json::write_text(&reject.topic, out);
    out.extend_from_slice(b",\"partition\":");
    json::write_number(reject.partition.into(), out);
    out.extend_from_slice(b",\"offset\":");
    json::write_number(reject.offset, out);
    out.extend_from_slice(b",\"rejected_at\":");
    json::write_text(&json::instant_of(reject.rejected_at_ms), out);
    out.extend_from_slice(b",\"key\":");
    match &reject.key {
        Some(key) => json::write_base64(key, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"bytes\":");
    json::write_base64(&reject.bytes, out);
    out.extend_from_slice(b",\"is_cut\":");
    out.extend_from_slice(if reject.is_cut { b"true}" } else { b"false}" });
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    stage: Text<'a>,
    #[serde(borrow)]
    topic: Text<'a>,
    partition: i32,
    offset: i64,
    #[serde(borrow)]
    rejected_at: Text<'a>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    bytes: Text<'a>,
    is_cut: bool,
}

/// Reads what [`encode_reject`] wrote.
pub fn decode_reject(value: &[u8]) -> Result<Reject<'_>, WireError> {
    let fields: Fields<'_> =
        serde_json::from_slice(value).map_err(|source| WireError::Json { record: RECORD, source })?;
    let bad =
        |field, text: &Text<'_>| WireError::Field { record: RECORD, field, found: json::excerpt(&text.0) };
    let key = fields.key.map(|Text(key)| json::read_base64(RECORD, "key", &key)).transpose()?;
    Ok(Reject {
        id: fields.id.0.parse().map_err(|_| bad("id", &fields.id))?,
        code: RejectCode::from_name(&fields.code.0).ok_or_else(|| bad("code", &fields.code))?,
        stage: Stage::from_name(&fields.stage.0).ok_or_else(|| bad("stage", &fields.stage))?,
        rejected_at_ms: json::read_instant(&fields.rejected_at.0)
            .ok_or_else(|| bad("rejected_at", &fields.rejected_at))?,
        message: fields.message.0,
        topic: fields.topic.0,
        partition: fields.partition,
        offset: fields.offset,
        key: key.map(Cow::Owned),
        bytes: Cow::Owned(json::read_base64(RECORD, "bytes", &fields.bytes.0)?),
        is_cut: fields.is_cut,
    })
}
