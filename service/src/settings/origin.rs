//! Where a value came from, in words that help to find it again.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    /// The settings file, and the table in it where it is not above all tables.
    File {
        path: PathBuf,
        table: Option<String>,
    },
    Variable(String),
    Flag(String),
    /// The content of a file that `by` names.
    Content {
        path: PathBuf,
        by: Box<Origin>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, table: None } => write!(f, "{}", path.display()),
            Self::File { path, table: Some(table) } => write!(f, "{} [{table}]", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
            Self::Content { path, by } => write!(f, "{}, named by {by}", path.display()),
        }
    }
}

/// The variable of a setting: `commit_rows_max` and `commit-rows-max` are `UFO_COMMIT_ROWS_MAX`.
pub(super) fn variable_of(key: &str) -> String {
    format!("UFO_{}", key.replace('-', "_").to_uppercase())
}
