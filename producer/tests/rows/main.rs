//! What reading an input promises: the same rows as any other CSV reader gives, the place behind each, and nothing held
//! in memory.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod bad_input;
mod mutated;
mod resume;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use producer::input::{self, Input, InputError};
use producer::position::{Beginning, Change, FilePosition};
use producer::rows::{Row, Rows};
use proptest::prelude::*;
use service::Exit;
use service::exit::Code;
use tempfile::TempDir;

const HEADER: [&str; 11] = [
    "datetime",
    "city",
    "state",
    "country",
    "shape",
    "duration (seconds)",
    "duration (hours/min)",
    "comments",
    "date posted",
    "latitude",
    "longitude ",
];

type Fields = Vec<Vec<u8>>;

/// Gives its bytes in pieces, then ends or fails.
struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    piece: usize,
    failure: Option<io::ErrorKind>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = buffer.len().min(self.piece);
        match (self.bytes.read(&mut buffer[..piece])?, self.failure) {
            (0, Some(kind)) => Err(kind.into()),
            (read, _) => Ok(read),
        }
    }
}

fn stream(bytes: &[u8], piece: usize, failure: Option<io::ErrorKind>) -> Result<Rows, InputError> {
    let read = Pieces { bytes: io::Cursor::new(bytes.to_vec()), piece, failure };
    Rows::new(Input::new("a stream".into(), Box::new(read), None)?)
}

fn opened(file: &Path) -> Rows {
    Rows::new(input::open(file).unwrap()).unwrap()
}

/// The fields of the next row; an oversized one is told by its length.
fn next(rows: &mut Rows) -> Result<Option<Fields>, InputError> {
    Ok(rows.next()?.map(|row| match row {
        Row::Fields(fields) => fields.map(<[u8]>::to_vec).collect(),
        Row::Oversized { head, length, .. } => vec![head.to_vec(), length.to_string().into_bytes()],
    }))
}

fn rest(rows: &mut Rows) -> Vec<Fields> {
    std::iter::from_fn(|| next(rows).unwrap()).collect()
}

fn row(number: usize) -> String {
    format!(
        "10/10/1949 20:30,san marcos,tx,us,cylinder,2700,45 minutes,it hovered {number},4/27/2004,29.88,-97.94\n"
    )
}

fn file_of(rows: usize) -> String {
    (0..rows).fold(HEADER.join(",") + "\n", |text, number| text + &row(number))
}

fn written(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    file
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => proptest::collection::vec(any::<u8>().prop_filter("binary", |byte| *byte != 0), 0..20),
        2 => proptest::collection::vec(proptest::sample::select(b"\",\r\n x\xef\xbb\xbf".to_vec()), 0..8),
        1 => Just(Vec::new()),
    ]
}

/// A file as the csv crate writes it, and where each row ends.
#[derive(Debug)]
struct Written {
    content: Vec<u8>,
    rows: Vec<Fields>,
    ends: Vec<u64>,
}

fn write_csv(rows: Vec<Fields>, has_crlf: bool, is_open: bool) -> Written {
    let terminator = if has_crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new().flexible(true).terminator(terminator).from_writer(Vec::new());
    writer.write_record(HEADER).unwrap();
    let mut ends = Vec::new();
    for row in &rows {
        writer.write_record(row).unwrap();
        writer.flush().unwrap();
        // Of \r\n the \n belongs to what follows.
        ends.push(writer.get_ref().len() as u64 - u64::from(has_crlf));
    }
    let mut content = writer.into_inner().unwrap();
    if is_open && !rows.is_empty() {
        content.truncate(content.len() - if has_crlf { 2 } else { 1 });
        *ends.last_mut().unwrap() = content.len() as u64;
    }
    Written { content, rows, ends }
}

fn any_file() -> impl Strategy<Value = Written> {
    let rows = proptest::collection::vec(proptest::collection::vec(field(), 1..14), 0..20);
    (rows, any::<bool>(), any::<bool>())
        .prop_map(|(rows, has_crlf, is_open)| write_csv(rows, has_crlf, is_open))
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back_with_the_place_behind_each_row(
        file in any_file(), piece in 1_usize..300,
    ) {
        let mut rows = stream(&file.content, piece, None).unwrap();
        for (number, (fields, end)) in file.rows.iter().zip(&file.ends).enumerate() {
            prop_assert_eq!(&next(&mut rows).unwrap().unwrap(), fields);
            let place = rows.position().place;
            prop_assert_eq!((place.row, place.byte), (number as u64 + 1, *end));
        }
        prop_assert_eq!(next(&mut rows).unwrap(), None);
    }

    #[test]
    fn from_any_place_exactly_the_remaining_rows_follow(
        file in any_file(), from in any::<prop::sample::Index>(), piece in 1_usize..300, is_gzip in any::<bool>(),
    ) {
        let from = from.index(file.rows.len() + 1);
        let mut first = stream(&file.content, piece, None).unwrap();
        for _ in 0..from {
            next(&mut first).unwrap();
        }
        let known = first.position();
        let content = if is_gzip { gzipped(&file.content) } else { file.content.clone() };
        let again = stream(&content, piece, None).unwrap();
        prop_assert_eq!(again.identity(), &known.identity);
        let (mut again, begun) = again.behind(Some(&known)).unwrap();
        let expected = Beginning::From { row: from as u64, byte: known.place.byte };
        prop_assert_eq!(begun, expected);
        prop_assert_eq!(again.count(), from as u64);
        prop_assert_eq!(&again.position().place, &known.place);
        prop_assert_eq!(rest(&mut again), &file.rows[from..]);
        prop_assert_eq!(again.position().place, { rest(&mut first); first.position().place });
    }
}

#[test]
fn headers_of_every_kind_are_read() {
    let names = HEADER.join(",").to_uppercase();
    for header in [
        format!("\u{feff}{names}\r\n"),
        format!("\u{feff}\"{}\"\n", names.replace(',', "\",\"")),
        format!("\n\n{names}\n"),
    ] {
        for piece in [1, 1000] {
            let mut rows = stream(format!("{header}{}", row(1)).as_bytes(), piece, None).unwrap();
            assert_eq!((rows.header().width(), rest(&mut rows).len()), (11, 1), "{header:?}");
        }
    }
}

#[test]
fn a_header_alone_is_an_input_without_rows() {
    for header in [HEADER.join(","), HEADER.join(",") + "\r\n\r\n"] {
        assert!(rest(&mut stream(header.as_bytes(), 10, None).unwrap()).is_empty());
    }
}

#[test]
fn a_row_of_many_mebibytes_is_told_by_its_beginning_and_length() {
    let long = row(1).replace("hovered", &format!("\"{}\"", "x\n".repeat(8 << 20)));
    let text = HEADER.join(",") + "\n" + &row(0) + &long.replace("it ", "") + &row(2);
    let mut rows = stream(text.as_bytes(), 1 << 20, None).unwrap();
    assert_eq!(next(&mut rows).unwrap().unwrap().len(), 11);
    let oversized = next(&mut rows).unwrap().unwrap();
    assert_eq!(oversized[0].len(), domain::wire::OVERSIZED_HEAD_BYTES);
    assert_eq!(oversized[1], (long.len() - "it \n".len()).to_string().into_bytes());
    let known = rows.position();
    assert_eq!(next(&mut rows).unwrap().unwrap()[7], b"it hovered 2");
    let (mut again, _) = stream(text.as_bytes(), 1 << 20, None).unwrap().behind(Some(&known)).unwrap();
    assert_eq!(rest(&mut again).len(), 1);
}

#[test]
fn an_unclosed_quote_swallows_what_follows_as_one_row_and_no_memory() {
    let text = HEADER.join(",") + "\n" + &row(0).replace("it hovered", "\"it hovered") + &file_of(20_000);
    let mut rows = stream(text.as_bytes(), 1 << 20, None).unwrap();
    let only = rest(&mut rows);
    assert_eq!((only.len(), only[0].len()), (1, 2), "oversized");
    assert_eq!(rows.position().place.byte, text.len() as u64);
}

#[test]
fn bytes_are_counted_in_the_file_as_it_lies_there() {
    let folder = TempDir::new().unwrap();
    let content = file_of(100);
    let mut plain = opened(&written(&folder, "a.csv", content.as_bytes()));
    assert_eq!(plain.bytes(), HEADER.join(",").len() as u64 + 1);
    rest(&mut plain);
    assert_eq!((plain.bytes(), plain.bytes_total()), (content.len() as u64, Some(content.len() as u64)));
    let zipped = gzipped(content.as_bytes());
    let mut gzip = opened(&written(&folder, "a.csv.gz", &zipped));
    rest(&mut gzip);
    assert_eq!((gzip.bytes(), gzip.bytes_total()), (zipped.len() as u64, Some(zipped.len() as u64)));
    let stream = stream(content.as_bytes(), 10, None).unwrap();
    assert_eq!((stream.bytes_total(), stream.is_rereadable(), plain.is_rereadable()), (None, false, true));
}

#[test]
fn gzip_of_several_members_is_one_content() {
    let text = file_of(50);
    let (one, two) = text.split_at(333);
    let members = [gzipped(one.as_bytes()), gzipped(b""), gzipped(two.as_bytes())].concat();
    for piece in [1, 7, 100_000] {
        assert_eq!(rest(&mut stream(&members, piece, None).unwrap()).len(), 50);
    }
}
