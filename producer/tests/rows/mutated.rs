//! No file makes the reader of rows panic, and how its bytes arrive makes no difference.

use crate::{Fields, file_of, next, stream};

#[path = "../../../fuzz/mutate.rs"]
mod mutate;

const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b";",
    b"\t",
    b"'",
    b"\"\n\"",
    b",,,,,,,,,,,,",
    b"longitude",
    b"=cmd|' /C calc'!A0",
    b"\x1f\x8b\x08",
];

/// All rows, and what ended them.
fn read(input: &[u8], piece: usize) -> (Vec<Fields>, Option<String>) {
    let mut rows = match stream(input, piece, None) {
        Ok(rows) => rows,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut found = Vec::new();
    // No row is shorter than a byte: more of them would never end.
    for _ in 0..=input.len() {
        match next(&mut rows) {
            Ok(Some(row)) => found.push(row),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error.to_string())),
        }
    }
    panic!("{} rows of {} bytes, and no end", found.len(), input.len());
}

#[test]
fn mutated_files_are_read_or_refused_whatever_pieces_they_come_in() {
    let plain = file_of(3);
    let quoted = format!("{}\"a \"\"b\"\"\",\"c,\nd\",,,,,,,,,\n", file_of(1));
    let carriages = plain.replace('\n', "\r\n");
    let corpus = [plain.as_bytes(), quoted.as_bytes(), carriages.as_bytes()];
    let mut rows = 0;
    mutate::each_mutated("mutated files", &corpus, TOKENS, |input| {
        let whole = read(input, usize::MAX);
        let pieces = read(input, 7);
        // Whether a file is no CSV at all is guessed from its first piece.
        if whole.1.is_none() && pieces.1.is_none() {
            assert_eq!(whole.0, pieces.0, "in pieces of seven bytes");
        }
        rows += whole.0.len();
    });
    assert!(rows > mutate::INPUTS / 2, "only {rows} rows came out of all inputs");
}
