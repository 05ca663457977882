//! What can go wrong with a table.

/// What is wrong in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The store does not answer.
    Unreachable,
    /// The store refuses the credentials.
    Denied,
    /// A missing bucket, another table at this place, a setting that fits nothing.
    Misfit,
    /// The disk or the bytes on it.
    Storage,
}

/// An error of a table or of the store below it.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    #[error("cannot {action} {object}: {}", advice(source))]
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

impl DeltaError {
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Store { source, .. } => trouble_of(source),
            Self::Protocol { .. } | Self::Schema { .. } | Self::Type(_) | Self::Url { .. } => Trouble::Misfit,
            Self::Log { .. } | Self::Parquet(_) | Self::Arrow(_) => Trouble::Storage,
        }
    }
}

fn trouble_of(error: &object_store::Error) -> Trouble {
    use object_store::Error;
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Trouble::Denied,
        Error::NotFound { .. } => Trouble::Misfit,
        // A forbidden request of an unknown user has no kind of its own.
        Error::Generic { store: "S3", source } if source.to_string().contains("403") => Trouble::Denied,
        Error::Generic { store: "S3", .. } => Trouble::Unreachable,
        _ => Trouble::Storage,
    }
}

fn advice(error: &object_store::Error) -> &'static str {
    match trouble_of(error) {
        Trouble::Unreachable => "the store does not answer; is it running? (AWS_ENDPOINT_URL)",
        Trouble::Denied => "the store refuses the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        Trouble::Misfit => "there is no such bucket or folder (--lake / UFO_LAKE)",
        Trouble::Storage => "is the disk full, or the folder read-only?",
    }
}
