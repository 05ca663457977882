//! Names in the log's folder.

/// An object of the log's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFile {
    Commit(u64),
    /// A checkpoint of one file.
    Checkpoint(u64),
    /// A checkpoint in parts or of the newer kind, or a checksum: of use to others.
    Other(u64),
}

pub(crate) const FOLDER: &str = "_delta_log";
pub(crate) const LAST_CHECKPOINT: &str = "_last_checkpoint";

pub(crate) fn commit(version: u64) -> String {
    format!("{version:020}.json")
}

pub(crate) fn checkpoint(version: u64) -> String {
    format!("{version:020}.checkpoint.parquet")
}

impl LogFile {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (digits, rest) = name.split_at_checked(20)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let version = digits.parse().ok()?;
        match rest {
            ".json" => Some(Self::Commit(version)),
            ".checkpoint.parquet" => Some(Self::Checkpoint(version)),
            ".crc" => Some(Self::Other(version)),
            _ if rest.starts_with(".checkpoint.") => Some(Self::Other(version)),
            _ => None,
        }
    }

    pub(crate) fn version(self) -> u64 {
        match self {
            Self::Commit(version) | Self::Checkpoint(version) | Self::Other(version) => version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        assert_eq!(LogFile::parse(&commit(42)), Some(LogFile::Commit(42)));
        assert_eq!(LogFile::parse(&checkpoint(0)), Some(LogFile::Checkpoint(0)));
        let part = "00000000000000000010.checkpoint.0000000001.0000000003.parquet";
        assert_eq!(LogFile::parse(part), Some(LogFile::Other(10)));
        for strange in
            ["_last_checkpoint", "00000000000000000010.json#1", "x", "0000000000000000001é.json", ""]
        {
            assert_eq!(LogFile::parse(strange), None, "{strange}");
        }
    }
}
