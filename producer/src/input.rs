//! Opens an input: a file, a gzipped file, standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use domain::HeaderError;
use flate2::bufread::MultiGzDecoder;
use service::exit::{Code, Exit};

/// A read is as large as the pipes and the page cache like it.
const READ_BYTES: usize = 256 * 1024;
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
    #[error("no permission to read {}", .0.display())]
    NoPermission(PathBuf),
    #[error("{0} is empty: a header and rows are needed")]
    Empty(String),
    #[error("{name} is a binary file, not CSV (.csv and .csv.gz are read)")]
    Binary { name: String },
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
    #[error("cannot read {name}")]
    Read {
        name: String,
        #[source]
        source: io::Error,
    },
}

impl From<InputError> for Exit {
    fn from(error: InputError) -> Self {
        let code = match &error {
            InputError::NoSuchFile(_) | InputError::Directory(_) | InputError::NoPermission(_) => {
                Code::NoInput
            }
            InputError::Empty(_) | InputError::Binary { .. } | InputError::Header { .. } => Code::BadData,
            InputError::Truncated { .. } => Code::BadData,
            InputError::Read { .. } => Code::Io,
        };
        Self::from_error(code, error)
    }
}

/// An open input, decompressed.
pub struct Input {
    pub name: String,
    pub reader: Box<dyn BufRead + Send>,
    pub is_gzip: bool,
    /// Bytes of the file as it lies on disk, where it is one.
    pub file_bytes: Option<u64>,
}

/// Opens `path`; `-` is standard input. Gzip is told by its first bytes, not by the name.
pub fn open(path: &Path) -> Result<Input, InputError> {
    if path.as_os_str() == "-" {
        return sniffed("standard input".into(), Box::new(io::stdin()), None);
    }
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => InputError::NoSuchFile(path.to_owned()),
        io::ErrorKind::PermissionDenied => InputError::NoPermission(path.to_owned()),
        _ => InputError::Read { name: path.display().to_string(), source },
    };
    let metadata = path.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(InputError::Directory(path.to_owned()));
    }
    let file = File::open(path).map_err(failed)?;
    sniffed(path.display().to_string(), Box::new(file), metadata.is_file().then_some(metadata.len()))
}

fn sniffed(name: String, read: Box<dyn Read + Send>, file_bytes: Option<u64>) -> Result<Input, InputError> {
    let read_error = |name: &str, source| InputError::Read { name: name.to_owned(), source };
    let mut reader = BufReader::with_capacity(READ_BYTES, read);
    let first = reader.fill_buf().map_err(|source| read_error(&name, source))?;
    let is_gzip = first.starts_with(&GZIP_MAGIC);
    let mut reader: Box<dyn BufRead + Send> = if is_gzip {
        Box::new(BufReader::with_capacity(READ_BYTES, MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    };
    let first = match reader.fill_buf() {
        Ok(first) => first,
        Err(source) if is_gzip => return Err(InputError::Truncated { name, rows: 0, source }),
        Err(source) => return Err(read_error(&name, source)),
    };
    if first.is_empty() {
        return Err(InputError::Empty(name));
    }
    if first[..first.len().min(SNIFF_BYTES)].contains(&0) {
        return Err(InputError::Binary { name });
    }
    Ok(Input { name, reader, is_gzip, file_bytes })
}
