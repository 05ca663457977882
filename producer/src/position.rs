//! How far a file has been sent, and what that means for the file that is there now. Pure.

use serde::{Deserialize, Serialize};

/// A place in an input, in bytes of its (decompressed) content, behind a whole row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// Hash of the header and the first row: survives renaming and growing.
    pub identity: String,
    /// Rows before this place, the header not counted.
    pub row: u64,
    pub byte: u64,
    /// Hash of the rows before this place, line ends apart: an edited file is noticed.
    pub content: String,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Not sent before.
    Start,
    /// What lies before has been sent.
    Behind { row: u64 },
    /// What was sent before is not what the file begins with now.
    Changed { row: u64 },
}

/// Decides. `known` is the last position committed for this identity; `content` the hash of the file's first
/// `known.row` rows, or `None` where the file has fewer.
pub fn resume(known: Option<&FilePosition>, content: Option<&str>) -> Resume {
    match known {
        None => Resume::Start,
        Some(known) if content == Some(known.content.as_str()) => Resume::Behind { row: known.row },
        Some(known) => Resume::Changed { row: known.row },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_beginning_is_passed_over() {
        let known = FilePosition { identity: "i".into(), row: 3, byte: 90, content: "abc".into() };
        assert_eq!(resume(None, None), Resume::Start);
        assert_eq!(resume(Some(&known), Some("abc")), Resume::Behind { row: 3 });
        assert_eq!(resume(Some(&known), Some("abd")), Resume::Changed { row: 3 });
        assert_eq!(resume(Some(&known), None), Resume::Changed { row: 3 });
    }
}
