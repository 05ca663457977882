//! Finds the records in bytes that come in pieces. Pure, and in bounded memory whatever the bytes are.

use csv_core::ReadRecordResult;
use domain::SightingId;
use domain::raw::OversizedHasher;
use domain::wire::{self, OVERSIZED_HEAD_BYTES, ROW_BYTES_MAX};

/// What came of the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// All are used, and the record is not whole yet.
    More,
    /// A record is whole; `is_open`: the input ended without a line end behind it.
    Record { is_open: bool },
    /// The input ended, and there is no further record.
    End,
}

/// The state between two pieces, and the fields of the record read last.
pub(crate) struct Records {
    core: csv_core::Reader,
    fields: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    ended: usize,
    is_between: bool,
    /// The record as found, up to somewhat more than is kept of one.
    found: Vec<u8>,
    oversized: Option<Oversized>,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            core: csv_core::Reader::new(),
            fields: vec![0; 4 * 1024],
            written: 0,
            ends: vec![0; 32],
            ended: 0,
            is_between: true,
            found: Vec::new(),
            oversized: None,
        }
    }

    /// Uses bytes up to the end of a record, its line end included; gives how many. No bytes are the input's end.
    /// Of `\r\n` the `\n` is left to what follows: without looking ahead nobody knows that it is there.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> (usize, Fed) {
        let skipped = if self.is_between { line_ends(bytes) } else { 0 };
        if skipped == bytes.len() && skipped > 0 {
            return (skipped, Fed::More);
        }
        if self.is_between {
            self.is_between = false;
            (self.written, self.ended) = (0, 0);
            self.found.clear();
            self.oversized = None;
        }
        let (read, result) = self.read(&bytes[skipped..]);
        self.keep(&bytes[skipped..skipped + read]);
        let fed = match result {
            ReadRecordResult::Record => {
                self.is_between = true;
                self.finish(!bytes.is_empty());
                Fed::Record { is_open: bytes.is_empty() }
            }
            ReadRecordResult::End => Fed::End,
            ReadRecordResult::InputEmpty
            | ReadRecordResult::OutputFull
            | ReadRecordResult::OutputEndsFull => Fed::More,
        };
        (skipped + read, fed)
    }

    /// The fields of the record read last; those of an oversized one are not kept.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.fields, ends: &self.ends[..self.ended], start: 0 }
    }

    /// The record's bytes as found, without line ends; of a long one only the beginning.
    pub(crate) fn found(&self) -> &[u8] {
        &self.found
    }

    pub(crate) fn oversized(&self) -> Option<&Oversized> {
        self.oversized.as_ref()
    }

    fn read(&mut self, bytes: &[u8]) -> (usize, ReadRecordResult) {
        let mut used = 0;
        loop {
            let (result, read, wrote, ends) = self.core.read_record(
                &bytes[used..],
                &mut self.fields[self.written..],
                &mut self.ends[self.ended..],
            );
            used += read;
            self.written += wrote;
            self.ended += ends;
            match result {
                // Nobody asks for the fields of an oversized row: the same space is written again and again.
                ReadRecordResult::OutputFull if self.is_long() => self.written = 0,
                ReadRecordResult::OutputEndsFull if self.is_long() => self.ended = 0,
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::Record | ReadRecordResult::End => {
                    return (used, result);
                }
            }
        }
    }

    fn is_long(&self) -> bool {
        self.oversized.is_some() || self.written > ROW_BYTES_MAX
    }

    fn keep(&mut self, bytes: &[u8]) {
        match &mut self.oversized {
            Some(row) => row.update(bytes),
            None => {
                self.found.extend_from_slice(bytes);
                // One more byte is allowed for: it may be the line end.
                if self.found.len() > ROW_BYTES_MAX + 1 {
                    self.become_oversized();
                }
            }
        }
    }

    fn become_oversized(&mut self) {
        let mut row = Oversized { hasher: wire::hash_oversized(), last: None };
        row.update(&self.found);
        self.found.truncate(OVERSIZED_HEAD_BYTES);
        self.oversized = Some(row);
    }

    fn finish(&mut self, has_line_end: bool) {
        if has_line_end && self.oversized.is_none() {
            self.found.pop();
        }
        if self.oversized.is_none() && self.found.len() > ROW_BYTES_MAX {
            self.become_oversized();
            self.finish_oversized(false);
        } else {
            self.finish_oversized(has_line_end);
        }
    }

    fn finish_oversized(&mut self, has_line_end: bool) {
        if let Some(row) = &mut self.oversized {
            let last = row.last.take();
            if !has_line_end && let Some(last) = last {
                row.hasher.update(&[last]);
            }
        }
    }
}

/// A row that is only hashed: its bytes as found, quotes and all, but for the line end.
pub(crate) struct Oversized {
    hasher: OversizedHasher,
    /// Held back: it may be the line end.
    last: Option<u8>,
}

impl Oversized {
    fn update(&mut self, bytes: &[u8]) {
        let Some((&last, before)) = bytes.split_last() else { return };
        if let Some(held) = self.last.replace(last) {
            self.hasher.update(&[held]);
        }
        self.hasher.update(before);
    }

    pub(crate) fn length(&self) -> u64 {
        self.hasher.length()
    }

    pub(crate) fn hash(&self) -> SightingId {
        self.hasher.clone().finish()
    }
}

/// The fields of a record, unquoted.
#[derive(Clone, Debug)]
pub struct Fields<'r> {
    bytes: &'r [u8],
    ends: &'r [usize],
    start: usize,
}

impl<'r> Iterator for Fields<'r> {
    type Item = &'r [u8];

    fn next(&mut self) -> Option<&'r [u8]> {
        let (&end, rest) = self.ends.split_first()?;
        let field = &self.bytes[self.start..end];
        (self.start, self.ends) = (end, rest);
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ends.len(), Some(self.ends.len()))
    }
}

impl ExactSizeIterator for Fields<'_> {}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All records of a text that comes in pieces of this size.
    fn records(text: &[u8], piece: usize) -> Vec<(Vec<Vec<u8>>, bool)> {
        let mut records = Records::new();
        let mut found = Vec::new();
        let mut used = 0;
        loop {
            let end = text.len().min(used + piece);
            let (read, fed) = records.feed(&text[used..end]);
            used += read;
            match fed {
                Fed::More => {}
                Fed::Record { is_open } => {
                    found.push((records.fields().map(<[u8]>::to_vec).collect(), is_open));
                }
                Fed::End => return found,
            }
        }
    }

    fn row(fields: &[&str], is_open: bool) -> (Vec<Vec<u8>>, bool) {
        (fields.iter().map(|field| field.as_bytes().to_vec()).collect(), is_open)
    }

    #[test]
    fn records_are_the_same_in_pieces_of_any_size() {
        let text = b"\n\r\na,\"b \"\"x\"\"\r\n,y\"\r\n\r\n\"\"\n,\rlast,\"un\nclosed";
        let expected = vec![
            row(&["a", "b \"x\"\r\n,y"], false),
            row(&[""], false),
            row(&["", ""], false),
            row(&["last", "un\nclosed"], true),
        ];
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(records(text, piece), expected, "{piece}");
        }
    }

    #[test]
    fn nothing_but_line_ends_is_no_record() {
        assert!(records(b"", 8).is_empty());
        assert!(records(b"\n\r\n\n", 1).is_empty());
    }

    /// The length and hash of one long row.
    fn oversized(row: &[u8], line_end: &[u8], piece: usize) -> Option<(u64, SightingId, usize)> {
        let mut records = Records::new();
        for bytes in [row, line_end].concat().chunks(piece).chain([b"".as_slice()]) {
            if let (_, Fed::Record { .. }) = records.feed(bytes) {
                return records.oversized().map(|row| (row.length(), row.hash(), records.found().len()));
            }
        }
        None
    }

    #[test]
    fn an_oversized_row_has_one_identity_whatever_its_line_end_and_pieces() {
        for (length, is_oversized) in [(ROW_BYTES_MAX, false), (ROW_BYTES_MAX + 1, true), (3 << 20, true)] {
            let row = vec![b'x'; length];
            let mut hasher = wire::hash_oversized();
            hasher.update(&row);
            let expected = is_oversized.then_some((length as u64, hasher.finish(), OVERSIZED_HEAD_BYTES));
            for line_end in ["\n", "\r\n", ""] {
                for piece in [1000, 64 * 1024, ROW_BYTES_MAX, 16 << 20] {
                    let found = oversized(&row, line_end.as_bytes(), piece);
                    assert_eq!(found, expected, "{length} {line_end:?} {piece}");
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let pieces = [b"x".repeat(64 * 1024), b",".repeat(64 * 1024), b"\"\n,\"".repeat(16 * 1024)];
        for (piece, begin) in pieces.iter().flat_map(|piece| [(piece, "x"), (piece, "\"")]) {
            let mut records = Records::new();
            records.feed(begin.as_bytes());
            for _ in 0..200 {
                records.feed(piece);
            }
            let held = records.fields.capacity() + 8 * records.ends.capacity() + records.found.capacity();
            assert!(held < 8 << 20, "{held}");
        }
    }
}
