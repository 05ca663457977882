//! The settings file: one for all programs. Above its tables stands what they share, in the table `[sink]` what only the
//! sink reads, or reads otherwise.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use toml::{Table, Value};

use super::tiers::FILE_SUFFIX;
use crate::exit::{Code, Exit};

/// The programs that share the file.
const TABLES: [&str; 6] = ["producer", "processor", "sink", "verify", "dashboards", "local"];
/// Keys that may stand above the tables even if the program that reads the file has no use for them.
const SHARED_KEYS: [&str; 23] = [
    "brokers",
    "data",
    "elasticsearch",
    "elasticsearch_api_key",
    "elasticsearch_ca",
    "elasticsearch_password",
    "elasticsearch_user",
    "generation",
    "kafka_ca",
    "kafka_certificate",
    "kafka_key",
    "kafka_key_password",
    "kafka_mechanism",
    "kafka_password",
    "kafka_security",
    "kafka_token_url",
    "kafka_user",
    "lake",
    "partitions",
    "prefix",
    "properties",
    "replication",
    "kibana",
];
/// Settings are small; this keeps a wrong path (`--config /dev/zero`) from filling the memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What of the file concerns one program.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) shared: Table,
    pub(super) own: Table,
}

/// Reads the file. A key that the program does not know is an error: a typing error would go unseen otherwise.
pub(super) fn read(path: &Path, table: &str, is_known: impl Fn(&str) -> bool) -> Result<File, Exit> {
    let shown = path.display();
    let bad = |message: String| Exit::new(Code::Config, message);
    let text = text_of(path)
        .map_err(|error| bad(format!("cannot read the settings file {shown}")).caused_by(&error))?;
    let parsed: Table = toml::from_str(&text).map_err(|error| {
        // Not the error's own text: that quotes the line, which may hold a secret.
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        bad(format!("{shown}, line {line}: {}", error.message()))
    })?;
    let file = split(parsed, table, &is_known);
    file.map_err(|key| bad(unknown(path, table, &key, &is_known)))
}

/// A pipe will do too (`--config <(decrypt …)`).
fn text_of(path: &Path) -> io::Result<String> {
    bounded(&mut fs::File::open(path)?)
}

fn bounded(reader: &mut impl Read) -> io::Result<String> {
    let mut text = String::new();
    reader.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("it is too large for settings"));
    }
    Ok(text)
}

/// The shared part and the program's own, or the key that does not belong where it is.
fn split(mut parsed: Table, table: &str, is_known: &impl Fn(&str) -> bool) -> Result<File, Misplaced> {
    let own = match parsed.remove(table) {
        Some(Value::Table(own)) => own,
        Some(other) => Table::from_iter([(table.to_owned(), other)]),
        None => Table::new(),
    };
    if let Some(key) = own.keys().find(|key| !is_known(key)) {
        return Err(Misplaced { key: key.clone(), table: Some(table.to_owned()) });
    }
    let of_others = |key: &str, value: &Value| is_shared(key) || (value.is_table() && TABLES.contains(&key));
    if let Some((key, _)) = parsed.iter().find(|(key, value)| !is_known(key) && !of_others(key, value)) {
        return Err(Misplaced { key: key.clone(), table: None });
    }
    Ok(File { shared: parsed, own })
}

/// Also the name of a file with a shared secret.
fn is_shared(key: &str) -> bool {
    SHARED_KEYS.contains(&key.strip_suffix(FILE_SUFFIX).unwrap_or(key))
}

/// A key that is not known where it stands.
struct Misplaced {
    key: String,
    table: Option<String>,
}

fn unknown(path: &Path, table: &str, misplaced: &Misplaced, is_known: &impl Fn(&str) -> bool) -> String {
    let Misplaced { key, table: found_in } = misplaced;
    let place = match found_in {
        Some(found_in) => format!("{} [{found_in}]", path.display()),
        None => path.display().to_string(),
    };
    let under_scored = key.replace('-', "_");
    let advice = if under_scored != *key && is_known(&under_scored) {
        format!("it is written `{under_scored}`")
    } else if found_in.is_none() {
        format!("correct or remove it; what is of one program only stands in its table, as [{table}]")
    } else {
        "correct or remove it; `--print` shows the settings there are".to_owned()
    };
    format!("`{key}` in {place} is no setting of `{table}`: {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_settings_file_does_not_fill_the_memory() {
        let mut endless = io::repeat(b' ').take(3 * FILE_BYTES_MAX);
        assert!(bounded(&mut endless).is_err());
        assert_eq!(endless.limit(), 2 * FILE_BYTES_MAX - 1, "it was not read to its end");
        assert!(bounded(&mut io::repeat(b' ').take(FILE_BYTES_MAX)).is_ok());
    }
}
