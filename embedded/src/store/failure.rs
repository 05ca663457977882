//! What the database says about the disk below it, in words that say what to do.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use engine::log::{Cause, Failure, LogError};

pub(super) fn refused(message: String) -> LogError {
    LogError::new(Failure::Unknown, Cause::Storage, message)
}

/// What went wrong first on an open log. The database refuses all that follows, only a new start tells what is
/// committed: whoever comes later is told the same.
#[derive(Default)]
pub(super) struct FirstFailure(OnceLock<&'static str>);

impl FirstFailure {
    pub(super) fn storage(&self, error: impl Into<redb::Error>) -> LogError {
        let error = error.into();
        let message = match &error {
            redb::Error::Io(error) if is_full(error) => {
                "the disk of the data folder is full: make room and start again, what was committed is kept"
            }
            redb::Error::Io(error) if is_read_only(error) => {
                "the data folder is read-only: make it writable and start again, or choose another with --data"
            }
            redb::Error::Corrupted(_) => return damaged().with_source(error),
            _ => "the log in the data folder cannot be read or written: look after its disk and start again",
        };
        refused((*self.0.get_or_init(|| message)).to_owned()).with_source(error)
    }
}

pub(super) fn damaged() -> LogError {
    refused("the log is damaged: remove the data folder and send the file again".to_owned())
}

/// A log that cannot be opened.
pub(super) fn unopened(error: redb::Error, folder: &Path) -> LogError {
    let folder = folder.display();
    let message = match &error {
        redb::Error::DatabaseAlreadyOpen => {
            let message = "stop it, or choose another folder with --data";
            return refused(format!("another process uses {folder}: {message}"));
        }
        redb::Error::Io(error) if is_full(error) => {
            format!("cannot open the log in {folder}: its disk is full, make room and start again")
        }
        redb::Error::Io(error) if is_read_only(error) => {
            format!("cannot write in {folder}: make it writable, or choose another folder with --data")
        }
        redb::Error::TableTypeMismatch { .. } | redb::Error::UpgradeRequired(_) => format!(
            "the log in {folder} is of another version of this program: choose another folder with --data, or remove this one and send the file again"
        ),
        _ => format!(
            "the log in {folder} is damaged, or no log: choose another folder with --data, or remove this one and send the file again"
        ),
    };
    refused(message).with_source(error)
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
