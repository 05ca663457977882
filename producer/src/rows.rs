//! Reads the rows of an input, one at a time, in bounded memory, and knows the place behind each.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;
use domain::wire::{self, OVERSIZED_HEAD_BYTES, ROW_BYTES_MAX};
use domain::{Header, SightingId};

use crate::input::{Input, InputError};
use crate::position::FilePosition;

/// Content is hashed in pieces of this size: many rows at once are hashed several times faster than one by one.
const HASH_BYTES: usize = 128 * 1024;

/// The rows of an input.
pub struct Rows {
    input: Input,
    header: Header,
    parser: Parser,
    identity: String,
    rows: u64,
}

impl Rows {
    /// Reads the header. The first row is read ahead, since it is part of the identity.
    pub fn new(mut input: Input) -> Result<Self, InputError> {
        let mut parser = Parser::new();
        let has_header = parser.record(&mut input, 0)?;
        if !has_header {
            return Err(InputError::Empty(input.name));
        }
        let header = Header::parse(parser.fields())
            .map_err(|source| InputError::Header { name: input.name.clone(), source })?;
        let mut identity = blake3::Hasher::new();
        parser.hash_record(&mut identity);
        parser.is_ahead = parser.record(&mut input, 0)?;
        parser.hash_record(&mut identity);
        let identity = identity.finalize().to_hex().as_str()[..32].to_owned();
        Ok(Self { input, header, parser, identity, rows: 0 })
    }

    pub fn name(&self) -> &str {
        &self.input.name
    }

    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Rows handed out or passed over so far.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// Bytes of content handed out so far.
    pub fn bytes(&self) -> u64 {
        self.parser.record_end
    }

    /// Bytes of the whole content, where that is known.
    pub fn bytes_total(&self) -> Option<u64> {
        self.input.file_bytes.filter(|_| !self.input.is_gzip)
    }

    /// Appends the next row's record value to `out` and gives its key; `None` at the end.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Result<Option<SightingId>, InputError> {
        if !self.advance()? {
            return Ok(None);
        }
        let parser = &self.parser;
        let id = match &parser.oversized {
            Some(row) => {
                wire::encode_oversized(&row.head, row.hasher.length(), row.hasher.clone().finish(), out)
            }
            None => wire::encode_row(&self.header, parser.field_slices(), out),
        };
        Ok(Some(id))
    }

    fn advance(&mut self) -> Result<bool, InputError> {
        if !std::mem::take(&mut self.parser.is_ahead) && !self.parser.record(&mut self.input, self.rows)? {
            return Ok(false);
        }
        self.parser.accept();
        self.rows += 1;
        Ok(true)
    }

    /// The place behind the last row handed out.
    pub fn position(&mut self) -> FilePosition {
        FilePosition {
            identity: self.identity.clone(),
            row: self.rows,
            byte: self.parser.record_end,
            content: self.parser.content_hash(),
        }
    }

    /// Passes over the rows before the place `known`, and gives the hash of their content; `None` where the input has
    /// fewer rows.
    pub fn skip_to(&mut self, known: &FilePosition) -> Result<Option<String>, InputError> {
        while self.rows < known.row {
            if !self.advance()? {
                return Ok(None);
            }
        }
        Ok(Some(self.parser.content_hash()))
    }
}

/// A row too large to be held.
struct Oversized {
    head: Vec<u8>,
    hasher: domain::raw::OversizedHasher,
}

/// `csv-core` with its buffers, and the bytes of the record as found.
struct Parser {
    core: csv_core::Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
    field_count: usize,
    /// The record's bytes as found, its line end included.
    found: Vec<u8>,
    oversized: Option<Oversized>,
    is_ahead: bool,
    record_end: u64,
    /// Content handed out and not yet hashed.
    unhashed: Vec<u8>,
    hasher: blake3::Hasher,
}

impl Parser {
    fn new() -> Self {
        Self {
            core: csv_core::Reader::new(),
            fields: vec![0; 4 * 1024],
            ends: vec![0; 32],
            field_count: 0,
            found: Vec::new(),
            oversized: None,
            is_ahead: false,
            record_end: 0,
            unhashed: Vec::new(),
            hasher: blake3::Hasher::new(),
        }
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.field_slices()
    }

    fn field_slices(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        (0..self.field_count).map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.fields[start..self.ends[index]]
        })
    }

    fn hash_record(&self, hasher: &mut blake3::Hasher) {
        hasher.update(trimmed(&self.found));
        hasher.update(b"\n");
    }

    /// Reads the next record into the buffers; false at the end of the input.
    fn record(&mut self, input: &mut Input, rows: u64) -> Result<bool, InputError> {
        self.found.clear();
        self.oversized = None;
        let (mut written, mut ended) = (0, 0);
        loop {
            let buffer = match input.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(source) if source.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(read_error(&input.name, input.is_gzip, rows, source)),
            };
            let (result, read, wrote, ends) =
                self.core.read_record(buffer, &mut self.fields[written..], &mut self.ends[ended..]);
            match &mut self.oversized {
                Some(row) => row.hasher.update(&buffer[..read]),
                None => self.found.extend_from_slice(&buffer[..read]),
            }
            self.record_end += read as u64;
            input.reader.consume(read);
            written += wrote;
            ended += ends;
            if self.found.len() > ROW_BYTES_MAX && self.oversized.is_none() {
                self.oversized = Some(self.begin_oversized());
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.oversized.is_some() => written = 0,
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.oversized.is_some() => ended = 0,
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.field_count = ended;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// From here on the row is only hashed; its line end counts, since nobody knows yet where it is.
    fn begin_oversized(&self) -> Oversized {
        let mut hasher = wire::hash_oversized();
        hasher.update(&self.found);
        Oversized { head: self.found[..OVERSIZED_HEAD_BYTES].to_vec(), hasher }
    }

    /// The record read last is handed out: it is part of the content from now on. Line ends do not count, so that a
    /// last row that gains one stays the same row.
    fn accept(&mut self) {
        match &self.oversized {
            Some(row) => self.unhashed.extend_from_slice(&row.hasher.clone().finish().to_bytes()),
            None => self.unhashed.extend_from_slice(trimmed(&self.found)),
        }
        self.unhashed.push(b'\n');
        if self.unhashed.len() >= HASH_BYTES {
            self.hasher.update(&self.unhashed);
            self.unhashed.clear();
        }
    }

    fn content_hash(&mut self) -> String {
        self.hasher.update(&self.unhashed);
        self.unhashed.clear();
        self.hasher.finalize().to_hex().to_string()
    }
}

/// A record without the line ends around it.
fn trimmed(found: &[u8]) -> &[u8] {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = found.iter().position(|byte| !is_line_end(byte)).unwrap_or(found.len());
    let end = found.iter().rposition(|byte| !is_line_end(byte)).map_or(start, |last| last + 1);
    &found[start..end]
}

fn read_error(name: &str, is_gzip: bool, rows: u64, source: io::Error) -> InputError {
    let name = name.to_owned();
    let is_damaged = matches!(
        source.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
    );
    if is_gzip && is_damaged {
        InputError::Truncated { name, rows, source }
    } else {
        InputError::Read { name, source }
    }
}
