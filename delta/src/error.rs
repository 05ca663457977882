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
    #[error("{object} is not a commit of the Delta protocol")]
    Log {
        object: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "the table {table} needs a newer reader or writer (protocol {reader}/{writer}; this program knows 1/2)"
    )]
    Protocol { table: String, reader: u32, writer: u32 },
    #[error(
        "the table {table} has other columns than this version writes: use another lake folder or generation"
    )]
    Schema { table: String },
    #[error("a column of type {0} cannot be stored in a Delta table")]
    Type(String),
    #[error("rows cannot be written as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("rows cannot be put into columns")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error("the lake {url} cannot be opened: {why}")]
    Url { url: String, why: String },
}
