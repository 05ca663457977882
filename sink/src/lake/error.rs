//! What can go wrong with the lake, and the exit code that it ends the process with.

use std::error::Error;
use std::io::{self, ErrorKind};

use arrow_schema::ArrowError;
use delta::{DeltaError, Refusal};
use engine::log::LogError;
use service::exit::{Code, Exit};

#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Delta(#[from] DeltaError),
    #[error(
        "{table} was changed by another program ({refusal:?}): start again, or use another lake folder or generation"
    )]
    Changed { table: String, refusal: Refusal },
    #[error("rows cannot be put into columns")]
    Rows(#[from] ArrowError),
    #[error("no runtime for the lake's requests can be started")]
    Runtime(#[source] io::Error),
}

impl From<LakeError> for Exit {
    fn from(error: LakeError) -> Self {
        let code = match error {
            LakeError::Log(error) => return error.into(),
            LakeError::Delta(ref error) => code_of(error),
            LakeError::Changed { .. } => Code::Config,
            LakeError::Rows(_) | LakeError::Runtime(_) => Code::Software,
        };
        Self::from_error(code, error)
    }
}

fn code_of(error: &DeltaError) -> Code {
    match error {
        DeltaError::Store { source, .. } => code_of_store(source),
        DeltaError::InDoubt { source, .. } => code_of(source),
        DeltaError::Contended { .. } => Code::Unavailable,
        DeltaError::Damaged { .. } => Code::BadData,
        DeltaError::Url { why, .. } => code_of_answer(why),
        DeltaError::Protocol { .. }
        | DeltaError::Unsupported { .. }
        | DeltaError::Column { .. }
        | DeltaError::Partitioning { .. } => Code::Config,
        DeltaError::Retention { .. } => Code::Usage,
        DeltaError::NoColumn { .. }
        | DeltaError::Type { .. }
        | DeltaError::Parquet(_)
        | DeltaError::Arrow(_) => Code::Software,
    }
}

/// The first question to a bucket is answered in words.
fn code_of_answer(why: &str) -> Code {
    if why.contains("credentials are refused") {
        return Code::Denied;
    }
    if why.contains("no useful answer") { Code::Unavailable } else { Code::Config }
}

fn code_of_store(error: &object_store::Error) -> Code {
    use object_store::Error as Store;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(ErrorKind::PermissionDenied) => return Code::Denied,
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem) => {
                return Code::Io;
            }
            _ => cause = error.source(),
        }
    }
    match error {
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => Code::Denied,
        Store::Generic { store: "LocalFileSystem", .. } => Code::Io,
        // Every object that is asked for was there before: what is missing is the bucket, or was removed by hand.
        Store::NotFound { .. } => Code::Config,
        _ => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: object_store::Error) -> Code {
        let error = DeltaError::Store { action: "write", object: "bronze/raw/x".into(), source };
        Exit::from(LakeError::from(error)).code()
    }

    fn generic(store: &'static str, kind: ErrorKind) -> object_store::Error {
        object_store::Error::Generic { store, source: Box::new(io::Error::from(kind)) }
    }

    #[test]
    fn who_must_act_is_told_by_the_exit_code() {
        let denied = object_store::Error::PermissionDenied { path: "x".into(), source: "no such key".into() };
        assert_eq!(code(denied), Code::Denied);
        assert_eq!(code(generic("S3", ErrorKind::ConnectionRefused)), Code::Unavailable);
        assert_eq!(code(generic("LocalFileSystem", ErrorKind::StorageFull)), Code::Io);
        assert_eq!(code(generic("LocalFileSystem", ErrorKind::PermissionDenied)), Code::Denied);
    }
}
