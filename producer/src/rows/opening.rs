//! The beginning of an input: its header, and what it is known by.

use domain::wire::{OVERSIZED_HEAD_BYTES, ROW_BYTES_MAX};
use domain::{Header, HeaderError};

use super::records::{Fed, Records};

/// What the first bytes say.
#[derive(Debug)]
pub(super) enum Opening {
    /// Where the first row ends is not known yet.
    TooShort,
    /// There is not even a header.
    Empty,
    /// The first line does not end.
    NoHeader,
    Found {
        header: Result<Header, HeaderError>,
        identity: String,
    },
}

/// Looks for the header and the first row. `is_all`: there are no more bytes than these.
///
/// The identity is the hash of both without their line ends: it survives renaming, growing, and a last row that gains
/// its line end. Of a long first row only the beginning counts.
pub(super) fn opening(head: &[u8], is_all: bool) -> Opening {
    let mut records = Records::new();
    let Some((used, is_whole)) = next(&mut records, head, is_all) else { return Opening::Empty };
    if records.oversized().is_some() || (!is_whole && head.len() > ROW_BYTES_MAX) {
        return Opening::NoHeader;
    }
    if !is_whole {
        return Opening::TooShort;
    }
    let header = Header::parse(records.fields());
    let mut hasher = blake3::Hasher::new();
    hasher.update(records.found());
    hasher.update(b"\n");
    let rest = &head[used..];
    let is_whole = match next(&mut records, rest, is_all) {
        None => true,
        Some((_, is_whole)) => {
            let row = records.found();
            hasher.update(&row[..row.len().min(OVERSIZED_HEAD_BYTES)]);
            is_whole || row.len() >= OVERSIZED_HEAD_BYTES
        }
    };
    if !is_whole && header.is_ok() {
        return Opening::TooShort;
    }
    Opening::Found { header, identity: hasher.finalize().to_hex().as_str()[..32].to_owned() }
}

/// The next record: how many bytes it takes, and whether it is whole. `None`: there is none.
fn next(records: &mut Records, bytes: &[u8], is_all: bool) -> Option<(usize, bool)> {
    let mut used = 0;
    while used < bytes.len() {
        let (read, fed) = records.feed(&bytes[used..]);
        used += read;
        if let Fed::Record { .. } = fed {
            return Some((used, true));
        }
    }
    match is_all.then(|| records.feed(b"").1) {
        Some(Fed::Record { .. }) => Some((used, true)),
        Some(Fed::End | Fed::More) => None,
        None => Some((used, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,date posted,latitude,longitude ";

    fn identity(text: &str) -> String {
        match opening(text.as_bytes(), true) {
            Opening::Found { header: Ok(_), identity } => identity,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_identity_survives_growing_and_line_ends() {
        let known = identity(&format!("{HEADER}\n1,2"));
        for grown in ["\n1,2\n", "\r\n1,2\r\n", "\n1,2\n3,4\n", "\n\n1,2\n3"] {
            assert_eq!(identity(&format!("{HEADER}{grown}")), known, "{grown:?}");
        }
        for other in ["\n", "\n1,3\n", "\n1,2,\n", "\n\"1\",2\n"] {
            assert_ne!(identity(&format!("{HEADER}{other}")), known, "{other:?}");
        }
    }

    #[test]
    fn more_is_looked_at_until_the_first_row_is_whole() {
        let text = format!("{HEADER}\n1,\"a\nb\"\n3");
        for length in 0..text.len() - 1 {
            assert!(matches!(opening(&text.as_bytes()[..length], false), Opening::TooShort), "{length}");
        }
        let whole = identity(&text);
        assert!(
            matches!(opening(text.as_bytes(), false), Opening::Found { identity, .. } if identity == whole)
        );
    }

    #[test]
    fn of_a_long_first_row_the_beginning_is_enough() {
        let long = format!("{HEADER}\n{}", "x".repeat(OVERSIZED_HEAD_BYTES));
        let Opening::Found { identity: found, .. } = opening(long.as_bytes(), false) else {
            panic!("not found")
        };
        for more in [1, 100, ROW_BYTES_MAX, 2 << 20] {
            assert_eq!(identity(&format!("{long}{}\n1,2\n", "y".repeat(more))), found, "{more}");
        }
    }

    #[test]
    fn no_header_no_rows_and_nothing() {
        assert!(matches!(opening(b"\r\n\n", true), Opening::Empty));
        assert!(matches!(opening(&b"x".repeat(ROW_BYTES_MAX + 1), false), Opening::NoHeader));
        assert!(matches!(opening(&b"x".repeat(ROW_BYTES_MAX + 2), true), Opening::NoHeader));
        let missing = opening(b"datetime,city\n1,", false);
        assert!(matches!(missing, Opening::Found { header: Err(error), .. } if error.missing.len() == 9));
        assert!(matches!(opening(HEADER.as_bytes(), true), Opening::Found { header: Ok(_), .. }));
    }
}
