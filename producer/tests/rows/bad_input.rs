//! Every kind of bad input: its rows first, then its own message and exit code.

use super::*;

/// The rows up to the error, and the error.
fn until_error(mut rows: Rows) -> (u64, InputError) {
    loop {
        match next(&mut rows) {
            Ok(row) => assert!(row.is_some(), "the input ended well after {} rows", rows.count()),
            Err(error) => return (rows.count(), error),
        }
    }
}

pub(super) fn refused(result: Result<Rows, InputError>) -> (Code, String) {
    let exit = Exit::from(result.err().expect("an error"));
    (exit.code(), exit.to_string())
}

fn refused_file(name: &str, content: &[u8]) -> (Code, String) {
    let folder = TempDir::new().unwrap();
    let file = written(&folder, name, content);
    refused(input::open(&file).and_then(Rows::new))
}

#[test]
fn a_truncated_gzip_gives_every_row_before_the_break_and_then_says_so() {
    let text = file_of(5_000);
    let whole = gzipped(text.as_bytes());
    for cut in [whole.len() / 3, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        // What a plain decompressor can still read of it.
        let mut readable = Vec::new();
        let _ = flate2::read::GzDecoder::new(&whole[..cut]).read_to_end(&mut readable);
        let complete = readable.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
        let (rows, error) = until_error(stream(&whole[..cut], 1000, None).unwrap());
        assert!(matches!(error, InputError::Truncated { rows: told, .. } if told == rows), "{error}");
        assert_eq!(rows, complete, "cut at {cut}");
        assert_eq!(Exit::from(error).code(), Code::BadData);
    }
    let (code, text) = refused_file("a.csv.gz", &whole[..20]);
    assert_eq!(code, Code::BadData);
    assert!(text.contains("ends in the middle after 0 rows"), "{text}");
}

#[test]
fn a_damaged_gzip_gives_rows_and_then_says_so() {
    let mut whole = gzipped(file_of(50_000).as_bytes());
    let at = whole.len() - 5_000;
    whole[at..at + 100].fill(0xff);
    let (rows, error) = until_error(stream(&whole, 100_000, None).unwrap());
    assert!(matches!(error, InputError::Truncated { .. }), "{error}");
    assert!(rows > 40_000, "{rows}");
}

#[test]
fn a_disk_that_fails_in_the_middle_gives_the_rows_before() {
    let text = file_of(100);
    for kind in [io::ErrorKind::Other, io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData] {
        let rows = stream(&text.as_bytes()[..text.len() - 5], 1000, Some(kind)).unwrap();
        let (rows, error) = until_error(rows);
        assert_eq!(rows, 99);
        assert!(error.to_string().contains("cannot read a stream any further after 99 rows"), "{error}");
        assert_eq!(Exit::from(error).code(), Code::Io);
    }
}

#[test]
fn each_bad_input_has_its_own_message_and_code() {
    let folder = TempDir::new().unwrap();
    let (code, text) = refused(input::open(&folder.path().join("none.csv")).and_then(Rows::new));
    assert_eq!(code, Code::NoInput);
    assert!(text.contains("no such file") && text.contains("none.csv"), "{text}");
    let (code, text) = refused(input::open(folder.path()).and_then(Rows::new));
    assert_eq!(code, Code::NoInput);
    assert!(text.contains("is a directory"), "{text}");

    let long_line = "x".repeat(300 * 1024);
    let cases: [(&[u8], &str); 9] = [
        (b"", "is empty"),
        (b"\n\r\n", "is empty"),
        (
            b"datetime,city,state,country,shape\n1,2,3,4,5\n",
            "lacks duration (seconds), duration (hours/min), comments, date posted, latitude, longitude",
        ),
        (b"PAR1\x15\x04", "a binary file (Parquet)"),
        (b"PK\x03\x04\x14", "a zip archive"),
        (b"datetime\0city", "NUL bytes"),
        (b"\xff\xfed\0a\0", "UTF-16"),
        (long_line.as_bytes(), "has no header"),
        (b"\x1f", "lacks datetime"),
    ];
    for (content, message) in cases {
        let (code, text) = refused_file("a.csv", content);
        assert_eq!(code, Code::BadData, "{message}");
        assert!(text.contains(message), "{message}: {text}");
    }
    let (_, text) = refused_file("a.csv.gz", &gzipped(b""));
    assert!(text.contains("is empty"), "{text}");
    let (_, text) = refused_file("a.csv.gz", &gzipped(&gzipped(b"datetime")));
    assert!(text.contains("gzip inside gzip"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let file = written(&folder, "a.csv", file_of(1).as_bytes());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever may read everything cannot see this.
    if fs::File::open(&file).is_err() {
        let (code, text) = refused(input::open(&file).and_then(Rows::new));
        assert_eq!(code, Code::NoInput);
        assert!(text.contains("no permission"), "{text}");
    }
}
