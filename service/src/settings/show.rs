//! The settings in force, for people: TOML that could be read again, but for the secrets in it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use toml::{Table, Value};

use super::secret::HIDDEN;
use super::tiers::Tiers;
use super::{Loaded, Settings};

/// Each setting with where it came from, those that are tables at the end.
pub(super) fn toml<S: Settings>(tiers: &Tiers, loaded: &Loaded<S>) -> String {
    let mut text = format!("# settings in force of `{}` ({})\n", S::TABLE, tiers.file());
    let mut all = table_of(&loaded.settings);
    all.extend(table_of(&loaded.process));
    let (tables, values): (Table, Table) = all.into_iter().partition(|(_, value)| value.is_table());
    for (key, value) in values.into_iter().chain(tables) {
        let origin = tiers.origin(&key);
        let is_table = value.is_table();
        let shown = Table::from_iter([(key, redacted(value))]).to_string();
        let _ = match is_table {
            true => writeln!(text, "\n# {origin}\n{}", shown.trim_end()),
            false => writeln!(text, "{}  # {origin}", shown.trim_end()),
        };
    }
    text
}

fn table_of(fields: &impl Serialize) -> Table {
    Table::try_from(fields).expect("settings are plain structs of plain values")
}

fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_password(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(redacted).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, value)| (key, redacted(value))).collect())
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value,
    }
}

/// A URL without the user and password in it, for logs and messages: `http://***@host:9200`. Other text is left as it is.
pub fn without_password(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]).into(),
        None => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_cut_out_of_urls_only() {
        assert_eq!(without_password("http://u:p@w@host:1/a@b"), "http://***@host:1/a@b");
        for text in ["http://host:1/a@b", "a@b", "/data/@home", "http://host?a@b", "http://host#a@b"] {
            assert_eq!(without_password(text), text);
        }
    }
}
