//! Documents that the server refuses, and records that are no document, kept in a local file of JSON lines with all
//! that is needed to send them again. A line is on disk before the record's offset is committed; after a crash in
//! between it is written once more, so a line may be there twice, never less than once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;

use super::error::IndexError;

/// One document that is not in the index.
#[derive(Debug, Serialize)]
pub struct Refusal {
    pub id: String,
    pub partition: u32,
    pub offset: u64,
    /// The server's; null where the record never became a document.
    pub status: Option<u16>,
    #[serde(rename = "type")]
    pub kind: String,
    pub reason: String,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Box<RawValue>>,
    /// The record's value in base64, where it is no document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    index: &'a str,
    topic: &'a str,
    #[serde(flatten)]
    refusal: &'a Refusal,
}

/// The file; made when there is something to write.
#[derive(Debug)]
pub(super) struct RefusedFile {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl RefusedFile {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), file: Mutex::new(None) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the lines and waits until the disk has them.
    pub(super) fn append(&self, index: &str, topic: &str, refusals: &[Refusal]) -> Result<(), IndexError> {
        let mut lines = Vec::new();
        for refusal in refusals {
            // A vector takes whatever is written, and every field is plain.
            let _ = serde_json::to_writer(&mut lines, &Line { index, topic, refusal });
            lines.push(b'\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut file, &lines)
            .map_err(|source| IndexError::RefusedFile { file: self.path.clone(), source })
    }

    fn write(&self, file: &mut Option<File>, lines: &[u8]) -> io::Result<()> {
        if file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            *file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        match file {
            Some(file) => file.write_all(lines).and_then(|()| file.sync_data()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_with_what_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/refused.ndjson");
        let refusal = Refusal {
            id: "a\n".into(),
            partition: 1,
            offset: 7,
            status: Some(400),
            kind: "document_parsing_exception".into(),
            reason: "no".into(),
            document: RawValue::from_string(r#"{"x":1}"#.into()).ok(),
            bytes: None,
        };
        for _ in 0..2 {
            RefusedFile::at(&path).append("i", "t", std::slice::from_ref(&refusal)).unwrap();
        }
        let line = r#"{"index":"i","topic":"t","id":"a\n","partition":1,"offset":7,"status":400,"type":"document_parsing_exception","reason":"no","document":{"x":1}}"#;
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{line}\n{line}\n"));
    }
}
