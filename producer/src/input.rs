//! Opens an input: a file, a gzipped file, standard input.

mod binary;
mod counted;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use domain::HeaderError;
use flate2::bufread::MultiGzDecoder;
use service::exit::{Code, Exit};

use self::counted::{Counted, Counter};

/// A read is as large as the pipes and the page cache like it.
const READ_BYTES: usize = 256 * 1024;
/// Small: what a damaged stream gave in the read that found the damage is lost.
const DECOMPRESSED_BYTES: usize = 32 * 1024;
/// How much is looked at to tell text from binary.
const SNIFF_BYTES: usize = 8 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An input that cannot be read as sightings.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("no such file: {}", .0.display())]
    NoSuchFile(PathBuf),
    #[error("{} is a directory: name the CSV file in it", .0.display())]
    Directory(PathBuf),
    #[error("no .csv or .csv.gz file in {}: put one there, or name another folder or file", .0.display())]
    NoFileIn(PathBuf),
    #[error("cannot write the synthetic file {}: choose another folder with --data", file.display())]
    Synthetic {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("no permission to read {}: check its owner and mode", .0.display())]
    NoPermission(PathBuf),
    #[error("{0} is empty: a header and rows are needed")]
    Empty(String),
    #[error(
        "{name} is a binary file ({kind}), not CSV: .csv and .csv.gz are read, so unpack or export it first"
    )]
    Binary { name: String, kind: &'static str },
    #[error("{0} has no header: its first line does not end within {kib} KiB", kib = domain::wire::ROW_BYTES_MAX / 1024)]
    NoHeader(String),
    #[error("{name} cannot be used")]
    Header {
        name: String,
        #[source]
        source: HeaderError,
    },
    #[error(
        "{name} ends in the middle after {rows} rows, or is damaged there: the rows before it are sent; fetch the file again and send it anew, what is in already is passed over"
    )]
    Truncated {
        name: String,
        rows: u64,
        #[source]
        source: io::Error,
    },
    #[error(
        "cannot read {name} any further after {rows} rows: check the disk or whatever feeds it, and run it again"
    )]
    Read {
        name: String,
        rows: u64,
        #[source]
        source: io::Error,
    },
    #[error(
        "{name} {}, and it cannot be read from its start again: send it as a file, what is in already counts once", change.text()
    )]
    Changed { name: String, change: crate::position::Change },
}

impl From<InputError> for Exit {
    fn from(error: InputError) -> Self {
        let code = match &error {
            InputError::NoSuchFile(_)
            | InputError::NoFileIn(_)
            | InputError::Directory(_)
            | InputError::NoPermission(_) => Code::NoInput,
            InputError::Empty(_)
            | InputError::Binary { .. }
            | InputError::NoHeader(_)
            | InputError::Header { .. }
            | InputError::Truncated { .. }
            | InputError::Changed { .. } => Code::BadData,
            InputError::Read { .. } | InputError::Synthetic { .. } => Code::Io,
        };
        Self::from_error(code, error)
    }
}

/// An open input, decompressed.
pub struct Input {
    name: String,
    /// The first bytes once more, then the rest.
    reader: Chain<Cursor<Vec<u8>>, Box<dyn BufRead + Send>>,
    is_gzip: bool,
    /// The file, where it is one that can be opened again.
    file: Option<PathBuf>,
    file_bytes: Option<u64>,
    /// Bytes read of the file as it lies on disk.
    bytes_read: Counter,
}

/// Opens `path`; `-` is standard input. Gzip is told by its first bytes, not by the name.
pub fn open(path: &Path) -> Result<Input, InputError> {
    if path.as_os_str() == "-" {
        return Input::new("standard input".into(), Box::new(io::stdin()), None);
    }
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
            InputError::NoSuchFile(path.to_owned())
        }
        io::ErrorKind::PermissionDenied => InputError::NoPermission(path.to_owned()),
        _ => InputError::Read { name: path.display().to_string(), rows: 0, source },
    };
    let metadata = path.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(InputError::Directory(path.to_owned()));
    }
    let file = File::open(path).map_err(failed)?;
    // What is no regular file (a pipe with a name) is read once, as it comes.
    let regular = metadata.is_file().then(|| (path.to_owned(), metadata.len()));
    Input::new(path.display().to_string(), Box::new(file), regular)
}

impl Input {
    /// Any stream of bytes; `file` is where it can be opened again, and its size there.
    pub fn new(
        name: String,
        read: Box<dyn Read + Send>,
        file: Option<(PathBuf, u64)>,
    ) -> Result<Self, InputError> {
        let bytes_read = Counter::default();
        let mut raw = BufReader::with_capacity(READ_BYTES, Counted::new(read, bytes_read.clone()));
        let cannot_read = |name: &str, source| InputError::Read { name: name.to_owned(), rows: 0, source };
        let mut head = vec![0; GZIP_MAGIC.len()];
        let read = read_full(&mut raw, &mut head).map_err(|source| cannot_read(&name, source))?;
        head.truncate(read);
        let is_gzip = head == GZIP_MAGIC;
        let whole = Cursor::new(head).chain(raw);
        let rest: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(DECOMPRESSED_BYTES, MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        let (file, file_bytes) = file.unzip();
        let reader = Cursor::new(Vec::new()).chain(rest);
        let mut input = Self { name, reader, is_gzip, file, file_bytes, bytes_read };
        while input.head().len() < binary::MAGIC_BYTES_MAX && input.peek_more()? > 0 {}
        let head = input.head();
        if head.is_empty() {
            return Err(InputError::Empty(input.name));
        }
        match binary::kind(&head[..head.len().min(SNIFF_BYTES)]) {
            Some(kind) => Err(InputError::Binary { name: input.name, kind }),
            None => Ok(input),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same input from its start, where it can be opened again.
    pub fn reopen(&self) -> Option<Result<Self, InputError>> {
        self.file.as_deref().map(open)
    }

    pub(crate) fn is_rereadable(&self) -> bool {
        self.file.is_some()
    }

    /// Bytes of the file handled, and all of them where that is known: of the compressed file where it is one.
    /// `content` says how much of the content has been handled.
    pub(crate) fn bytes(&self, content: u64) -> (u64, Option<u64>) {
        (if self.is_gzip { self.bytes_read.get() } else { content }, self.file_bytes)
    }

    /// The content's first bytes, as far as they have been looked at; nothing has been consumed yet.
    pub(crate) fn head(&self) -> &[u8] {
        self.reader.get_ref().0.get_ref()
    }

    /// Looks further ahead; 0 at the end.
    pub(crate) fn peek_more(&mut self) -> Result<usize, InputError> {
        let (head, rest) = self.reader.get_mut();
        loop {
            match rest.fill_buf() {
                Ok(bytes) => {
                    let more = bytes.len();
                    head.get_mut().extend_from_slice(bytes);
                    rest.consume(more);
                    return Ok(more);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(0, error)),
            }
        }
    }

    /// The next bytes; none at the end.
    pub(crate) fn fill(&mut self, rows: u64) -> Result<&[u8], InputError> {
        // Asked twice, since a borrow that is returned from a loop would last for all of it.
        loop {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(rows, error)),
            }
        }
        self.reader.fill_buf().map_err(|source| InputError::Read { name: self.name.clone(), rows, source })
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    fn error(&self, rows: u64, source: io::Error) -> InputError {
        let name = self.name.clone();
        let is_damaged = matches!(
            source.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        );
        if self.is_gzip && is_damaged {
            InputError::Truncated { name, rows, source }
        } else {
            InputError::Read { name, rows, source }
        }
    }
}

/// Fills the buffer as far as there are bytes, however small the pieces they come in.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
