//! Names of data files. The log holds them URI-encoded; a partition's folder has its value in the Hive way, so that a
//! space in a value is `%20` in the object's name and `%2520` in the log.

use object_store::path::Path;

use crate::error::DeltaError;

/// The folder of a partition column without a value.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";
/// File systems take names of 255 bytes. The value that counts is in the log; a long one is cut off in the folder.
const FOLDER_BYTES_MAX: usize = 200;

/// A new file's name as the log writes it.
pub(crate) fn data_file(partition: &[(&str, Option<String>)]) -> String {
    let folders: String = partition.iter().map(|(column, value)| folder(column, value.as_deref())).collect();
    uri_encode(&format!("{folders}part-{}.zstd.parquet", uuid::Uuid::new_v4()))
}

fn folder(column: &str, value: Option<&str>) -> String {
    let value = value.map_or_else(|| NULL_FOLDER.to_owned(), hive_escape);
    let mut folder = format!("{}={value}", hive_escape(column));
    if folder.len() > FOLDER_BYTES_MAX {
        // Of three neighbouring places one is not inside a %XX.
        let is_between = |at: &usize| !folder.as_bytes()[at - 2..*at].contains(&b'%');
        let cut = (FOLDER_BYTES_MAX - 2..=FOLDER_BYTES_MAX).rev().find(is_between);
        folder.truncate(cut.unwrap_or(FOLDER_BYTES_MAX));
    }
    folder.push('/');
    folder
}

fn hive_escape(text: &str) -> String {
    percent_encode(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn uri_encode(text: &str) -> String {
    percent_encode(text, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=' | b'/')
    })
}

fn percent_encode(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn uri_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The object of a name in the log.
pub(crate) fn object(root: &Path, logged: &str) -> Result<Path, DeltaError> {
    let unsupported =
        || DeltaError::Unsupported { table: root.to_string(), what: format!("the file name {logged:?}") };
    // Shallow clones name files of other tables, by scheme or from the root.
    if logged.starts_with('/') || logged.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(unsupported());
    }
    let name = uri_decode(logged).ok_or_else(unsupported)?;
    let full = if root.is_root() { name } else { format!("{root}/{name}") };
    Path::parse(full).map_err(|_| unsupported())
}

/// An object's name below the root, decoded; `None` for an object elsewhere.
pub(crate) fn below<'p>(root: &Path, object: &'p Path) -> Option<&'p str> {
    let name = object.as_ref();
    if root.is_root() { Some(name) } else { name.strip_prefix(root.as_ref())?.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_blanks_and_slashes_is_one_folder() {
        let name = data_file(&[("city", Some("St. Louis/é 100%".into())), ("year", None)]);
        assert!(name.starts_with(
            "city=St.%2520Louis%252F%25C3%25A9%2520100%2525/year=__HIVE_DEFAULT_PARTITION__/part-"
        ));
        let object = object(&Path::from("lake/t"), &name).expect("an object");
        assert!(object.as_ref().starts_with("lake/t/city=St.%20Louis%2F%C3%A9%20100%25/year="));
        assert_eq!(below(&Path::from("lake/t"), &object), uri_decode(&name).as_deref());
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        for letters in 0..4 {
            let name = data_file(&[("c", Some(format!("{}{}", "a".repeat(letters), "é".repeat(200))))]);
            let folder = name.split('/').next().and_then(uri_decode).expect("a folder");
            assert!(folder.len() <= FOLDER_BYTES_MAX, "{folder}");
            assert!(object(&Path::default(), &name).is_ok());
        }
    }

    #[test]
    fn files_of_other_tables_are_refused() {
        for name in ["s3://other/part.parquet", "/other/part.parquet", "file:/x", "a/../b", "a%2"] {
            assert!(object(&Path::from("t"), name).is_err(), "{name}");
        }
        assert!(object(&Path::from("t"), "year=2014/a:b.parquet").is_ok());
    }
}
