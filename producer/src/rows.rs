//! Reads the rows of an input, one at a time, in bounded memory, and knows the place behind each.

mod content;
mod opening;
pub(crate) mod records;

use domain::wire;
use domain::{Header, SightingId};

use self::content::Content;
use self::opening::{Opening, opening};
use self::records::{Fed, Records};

pub use self::records::Fields;
use crate::input::{Input, InputError};
use crate::position::{Beginning, Change, Facts, FilePosition, Place, beginning};

/// The rows of an input.
pub struct Rows {
    input: Input,
    header: Header,
    identity: String,
    records: Records,
    content: Content,
    row: u64,
    is_open: bool,
    /// Places that were known before this run.
    earlier: Vec<Place>,
}

/// A row as found. A long one is never held: there are its first bytes, its length and its hash.
pub enum Row<'r> {
    Fields(Fields<'r>),
    Oversized { head: &'r [u8], length: u64, hash: SightingId },
}

impl Rows {
    /// Reads the header.
    pub fn new(mut input: Input) -> Result<Self, InputError> {
        let mut is_all = false;
        let (header, identity) = loop {
            match opening(input.head(), is_all) {
                Opening::TooShort => is_all = input.peek_more()? == 0,
                Opening::Empty => return Err(InputError::Empty(input.name().to_owned())),
                Opening::NoHeader => return Err(InputError::NoHeader(input.name().to_owned())),
                Opening::Found { header, identity } => break (header, identity),
            }
        };
        let name = || input.name().to_owned();
        let header = header.map_err(|source| InputError::Header { name: name(), source })?;
        let mut rows = Self {
            input,
            header,
            identity,
            records: Records::new(),
            content: Content::new(),
            row: 0,
            is_open: false,
            earlier: Vec::new(),
        };
        rows.read()?;
        rows.content.accept();
        Ok(rows)
    }

    pub fn name(&self) -> &str {
        self.input.name()
    }

    /// Whether the input can be opened again and read from its start: standard input and pipes cannot.
    pub fn is_rereadable(&self) -> bool {
        self.input.is_rereadable()
    }

    /// What the input is known by, whatever it is called and however it grows.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Rows handed out or passed over so far.
    pub fn count(&self) -> u64 {
        self.row
    }

    /// Bytes of the file handled so far (of the compressed file where it is one).
    pub fn bytes(&self) -> u64 {
        self.input.bytes(self.content.byte()).0
    }

    /// Bytes of the whole file, where that is known.
    pub fn bytes_total(&self) -> Option<u64> {
        self.input.bytes(self.content.byte()).1
    }

    /// The next row; `None` at the end. A last line without a line end is a row.
    #[expect(clippy::should_implement_trait, reason = "a row borrows the reader's buffers")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, InputError> {
        Ok(self.advance()?.then(|| self.current()))
    }

    /// Appends the next row's record value to `out` and gives its key; `None` at the end.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Result<Option<SightingId>, InputError> {
        if !self.advance()? {
            return Ok(None);
        }
        Ok(Some(match self.current() {
            Row::Fields(fields) => wire::encode_row(&self.header, fields, out),
            Row::Oversized { head, length, hash } => wire::encode_oversized(head, length, hash, out),
        }))
    }

    /// The place behind the last row handed out, with what was known before.
    pub fn position(&mut self) -> FilePosition {
        FilePosition { identity: self.identity.clone(), place: self.place(), earlier: self.earlier.clone() }
    }

    /// The rows behind what has been sent, and why from there. To be called before the first row; an input that cannot
    /// be read again from its start (standard input, a pipe) ends with an error where it has to be.
    pub fn behind(mut self, known: Option<&FilePosition>) -> Result<(Self, Beginning), InputError> {
        let facts = known.map(|known| self.survey(known)).transpose()?.unwrap_or_default();
        let decision = beginning(known, &facts);
        let Some(known) = known else { return Ok((self, decision)) };
        let (row, byte) = match decision {
            Beginning::From { row, byte } => (row, byte),
            Beginning::Start | Beginning::Changed { .. } => (0, 0),
        };
        if self.content.byte() > byte {
            let again = self.input.reopen().unwrap_or_else(|| {
                let change = match decision {
                    Beginning::Changed { why, .. } => why,
                    Beginning::Start | Beginning::From { .. } => Change::Edited,
                };
                Err(InputError::Changed { name: self.name().to_owned(), change })
            })?;
            self = Self::new(again)?;
        }
        let begun = known.places().find(|place| (place.row, place.byte) == (row, byte));
        if let Some(place) = begun {
            self.go_to(place)?;
        }
        self.earlier = known.earlier_than(begun);
        Ok((self, decision))
    }

    /// What the input shows at each of the places known. Afterwards the input is at the furthest that it has.
    fn survey(&mut self, known: &FilePosition) -> Result<Vec<Facts>, InputError> {
        let places: Vec<_> = known.places().collect();
        let mut facts = vec![Facts { content: None, next: None }; places.len()];
        let mut in_order: Vec<_> = (0..places.len()).collect();
        in_order.sort_by_key(|index| places[*index].byte);
        for index in in_order {
            // A place within the header is none of this input's.
            if self.content.byte() <= places[index].byte && self.pass_to(places[index].byte)? {
                let next = self.input.fill(places[index].row)?.first().copied();
                facts[index] = Facts { content: Some(self.content.hash()), next };
            }
        }
        Ok(facts)
    }

    fn go_to(&mut self, place: &Place) -> Result<(), InputError> {
        self.pass_to(place.byte)?;
        (self.row, self.is_open) = (place.row, place.is_open);
        Ok(())
    }

    /// Passes over the bytes before this one, without looking for rows; false where the input ends before.
    fn pass_to(&mut self, byte: u64) -> Result<bool, InputError> {
        while self.content.byte() < byte {
            let left = usize::try_from(byte - self.content.byte()).unwrap_or(usize::MAX);
            let bytes = self.input.fill(self.row)?;
            let bytes = &bytes[..bytes.len().min(left)];
            let passed = bytes.len();
            if passed == 0 {
                return Ok(false);
            }
            self.content.pass(bytes);
            self.input.consume(passed);
        }
        Ok(true)
    }

    fn place(&mut self) -> Place {
        Place {
            row: self.row,
            byte: self.content.byte(),
            content: self.content.hash(),
            is_open: self.is_open,
        }
    }

    fn advance(&mut self) -> Result<bool, InputError> {
        if !self.read()? {
            return Ok(false);
        }
        self.content.accept();
        self.row += 1;
        Ok(true)
    }

    fn current(&self) -> Row<'_> {
        match self.records.oversized() {
            Some(row) => {
                Row::Oversized { head: self.records.found(), length: row.length(), hash: row.hash() }
            }
            None => Row::Fields(self.records.fields()),
        }
    }

    /// Reads the next record; false at the end.
    fn read(&mut self) -> Result<bool, InputError> {
        loop {
            let bytes = self.input.fill(self.row)?;
            let (read, fed) = self.records.feed(bytes);
            self.content.push(&bytes[..read]);
            self.input.consume(read);
            match fed {
                Fed::More => {}
                Fed::Record { is_open } => {
                    self.is_open = is_open;
                    return Ok(true);
                }
                Fed::End => return Ok(false),
            }
        }
    }
}
