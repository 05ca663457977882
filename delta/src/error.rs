//! What can go wrong with a table.

/// An error of a table or of the store below it.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    #[error("cannot {action} {object}")]
    Store {
        action: &'static str,
        object: String,
        #[source]
        source: object_store::Error,
    },
    #[error("{object} is damaged: {why}")]
    Damaged { object: String, why: String },
    /// The request that would have made this version was not answered, and the log does not tell either. Its data
    /// files must stay: the commit may still land.
    #[error(
        "whether {table} has this commit as version {version} is not known: open the table again and go on from its transactions"
    )]
    InDoubt {
        table: String,
        version: u64,
        #[source]
        source: Box<DeltaError>,
    },
    #[error(
        "{table} was overtaken by other writers {tries} times in a row: fewer writers, or larger commits"
    )]
    Contended { table: String, tries: usize },
    #[error(
        "{table} needs a newer {role} (protocol reader {reader}, writer {writer}, features {features:?}; this program knows reader 1, writer 2)"
    )]
    Protocol { table: String, role: &'static str, reader: u32, writer: u32, features: Vec<String> },
    #[error("{table} uses {what}, which this program does not know")]
    Unsupported { table: String, what: String },
    #[error("the column {column} of {table} {why}: use another lake folder or generation")]
    Column { table: String, column: String, why: String },
    #[error("{table} is partitioned by {found:?}, not by {wanted:?}: use another lake folder or generation")]
    Partitioning { table: String, found: Vec<String>, wanted: Vec<String> },
    #[error("{table} has no column {column}")]
    NoColumn { table: String, column: String },
    #[error("the column {column} is of type {data_type}, which a Delta table cannot hold")]
    Type { column: String, data_type: String },
    #[error(
        "files younger than {retention_min_s} s may belong to a commit that is under way: keep them, or say that nobody writes to {table}"
    )]
    Retention { table: String, retention_min_s: u64 },
    #[error("rows cannot be written or read as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("rows cannot be put into columns")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error("the lake {url} cannot be opened: {why}")]
    Url { url: String, why: String },
}

impl DeltaError {
    pub(crate) fn store(
        action: &'static str,
        object: &object_store::path::Path,
        source: object_store::Error,
    ) -> Self {
        Self::Store { action, object: object.to_string(), source }
    }

    pub(crate) fn damaged(object: &impl ToString, why: impl ToString) -> Self {
        Self::Damaged { object: object.to_string(), why: why.to_string() }
    }
}
