//! Tells what is no text by its first bytes.

/// The longest of them.
pub(super) const MAGIC_BYTES_MAX: usize = 16;
const KINDS: [(&[u8], &str); 10] = [
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\x1f\x8b", "gzip inside gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "PDF"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
];

/// What kind of binary file begins like this; `None` for what may be text.
pub(super) fn kind(head: &[u8]) -> Option<&'static str> {
    let known = KINDS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    known.or_else(|| head.contains(&0).then_some("it holds NUL bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_are_named_and_text_is_none() {
        assert_eq!(kind(b"PAR1\x15\x04"), Some("Parquet"));
        assert_eq!(kind(b"\xff\xfed\0a\0"), Some("UTF-16 text: save it as UTF-8"));
        assert_eq!(kind(b"datetime,\0"), Some("it holds NUL bytes"));
        assert_eq!(kind(b"datetime,city\n"), None);
        assert_eq!(kind("\u{feff}datetime".as_bytes()), None, "a byte-order mark of UTF-8 is text");
        assert_eq!(kind(b"caf\xe9"), None, "Windows-1252 is text");
    }
}
