//! The body of a request as rows: those that can be sent, and what is wrong with the others. Pure, and total: no bytes make
//! it fail or panic.
//!
//! A row that the processor would reject is found here, by the processor's own function, and is not sent: who sends it
//! learns at once what `ufo.rejects` would say, in the same words.

mod csv;
mod json;

use domain::{Atlas, HeaderError, Outcome, RawRecord, Rejection, SightingId, judge};

use crate::batch::Batch;

/// Every row gets an answer of its own: without a bound, a small body of many rows would have a huge one.
pub const ROWS_MAX: usize = 10_000;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One object, or an array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// With a header.
    Csv,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Json, Self::Ndjson, Self::Csv];

    /// By the media type of the body; its parameters do not count.
    pub fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let formats = [
            ("application/json", Self::Json),
            ("application/x-ndjson", Self::Ndjson),
            ("application/ndjson", Self::Ndjson),
            ("text/csv", Self::Csv),
        ];
        let found = formats.into_iter().find(|(name, _)| essence.eq_ignore_ascii_case(name));
        found.map(|(_, format)| format)
    }
}

/// A body that is no rows at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is empty: send at least one row")]
    Empty,
    #[error("the body is no UTF-8: JSON always is")]
    NotUtf8,
    #[error("the body is no JSON: {0}")]
    NotJson(String),
    #[error("the body's first line does not end: a header with the names of the columns is needed there")]
    NoHeader,
    #[error(transparent)]
    Header(HeaderError),
    #[error("the body has more than {ROWS_MAX} rows: send them in several requests")]
    TooManyRows,
}

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The rows that can be sent.
    pub batch: Batch,
    /// What becomes of each row, in the body's order.
    pub verdicts: Vec<Result<SightingId, Rejection>>,
}

/// Reads the rows of a body.
pub fn parse(format: Format, body: &[u8], atlas: &Atlas) -> Result<Parsed, BodyError> {
    let mut rows = Rows { atlas, parsed: Parsed::default() };
    match format {
        Format::Json => json::read(body, &mut rows)?,
        Format::Ndjson => json::read_lines(body, &mut rows)?,
        Format::Csv => csv::read(body, &mut rows)?,
    }
    Ok(rows.parsed)
}

/// Takes the rows as they are found.
struct Rows<'a> {
    atlas: &'a Atlas,
    parsed: Parsed,
}

impl Rows<'_> {
    fn is_full(&self) -> bool {
        self.parsed.verdicts.len() >= ROWS_MAX
    }

    /// A row whose record this writes.
    fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> SightingId) -> Result<(), BodyError> {
        let verdict = self.parsed.batch.push(encode, |id, value| judged(id, value, self.atlas));
        self.decided(verdict)
    }

    fn decided(&mut self, verdict: Result<SightingId, Rejection>) -> Result<(), BodyError> {
        if self.is_full() {
            return Err(BodyError::TooManyRows);
        }
        self.parsed.verdicts.push(verdict);
        Ok(())
    }
}

/// What the processor will say of the record.
pub(crate) fn judged(id: SightingId, value: &[u8], atlas: &Atlas) -> Result<(), Rejection> {
    match judge(RawRecord { key: Some(&id.to_hex()), value: Some(value) }, atlas).outcome {
        Outcome::Sighting(_) => Ok(()),
        Outcome::Reject(rejection) => Err(rejection),
    }
}

#[cfg(test)]
mod tests;
