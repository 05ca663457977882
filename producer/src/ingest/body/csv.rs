//! CSV with a header: the same reader, and so the same rows and ids, as for files.

use domain::{Header, wire};

use super::{BodyError, Rows};
use crate::rows::records::{Fed, Records};

pub(super) fn read(body: &[u8], rows: &mut Rows<'_>) -> Result<(), BodyError> {
    let mut records = Records::new();
    let mut rest = body;
    if !next(&mut records, &mut rest) {
        return Err(BodyError::Empty);
    }
    if records.oversized().is_some() {
        return Err(BodyError::NoHeader);
    }
    let header = Header::parse(records.fields()).map_err(BodyError::Header)?;
    while next(&mut records, &mut rest) {
        rows.push(|out| match records.oversized() {
            Some(row) => wire::encode_oversized(records.found(), row.length(), row.hash(), out),
            None => wire::encode_row(&header, records.fields(), out),
        })?;
    }
    Ok(())
}

/// False behind the last record.
fn next(records: &mut Records, rest: &mut &[u8]) -> bool {
    loop {
        let (read, fed) = records.feed(rest);
        *rest = &rest[read..];
        match fed {
            Fed::More => {}
            Fed::Record { .. } => return true,
            Fed::End => return false,
        }
    }
}
