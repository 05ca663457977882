//! What a commit changes, and what becomes of it when another writer was first: a pure decision.

use crate::encode::EncodedFile;
use crate::snapshot::Snapshot;

/// An application's step: the rows of this commit cover what lies between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub app_id: String,
    /// Where the application was when these rows were collected.
    pub from: Option<i64>,
    pub to: i64,
}

/// Changes that come to pass together or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    pub adds: Vec<EncodedFile>,
    /// Paths of live files.
    pub removes: Vec<String>,
    pub transactions: Vec<Transaction>,
}

/// What to do with a commit, given the table as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitDecision {
    /// Write it as this version.
    Write { version: u64 },
    /// It is there: only its answer was lost.
    AlreadyCommitted,
    /// Another writer has covered these rows: this one's must be dropped.
    Conflict { app_id: String, expected: Option<i64>, found: Option<i64> },
    /// Another writer has replaced a file that this commit replaces.
    Replaced { path: String },
}

/// Decides. The same function before the first try and after each lost race.
pub fn resolve(snapshot: &Snapshot, id: &str, commit: &Commit) -> CommitDecision {
    if snapshot.commit_ids.contains(id) {
        return CommitDecision::AlreadyCommitted;
    }
    for step in &commit.transactions {
        let found = snapshot.transaction(&step.app_id);
        if found != step.from {
            return CommitDecision::Conflict { app_id: step.app_id.clone(), expected: step.from, found };
        }
    }
    if let Some(path) = commit.removes.iter().find(|path| !snapshot.files.contains_key(*path)) {
        return CommitDecision::Replaced { path: path.clone() };
    }
    CommitDecision::Write { version: snapshot.version.map_or(0, |version| version + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Action, CommitInfo, Txn};

    fn at(app_id: &str, version: i64) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let txn = Txn { app_id: app_id.into(), version, last_updated: None };
        let info = CommitInfo { txn_id: Some("first".into()), ..CommitInfo::default() };
        let actions = vec![
            Action { txn: Some(txn), ..Action::default() },
            Action { commit_info: Some(info), ..Action::default() },
        ];
        snapshot.apply(4, actions);
        snapshot
    }

    fn step(from: Option<i64>, to: i64) -> Commit {
        let transactions = vec![Transaction { app_id: "raw/0".into(), from, to }];
        Commit { transactions, ..Commit::default() }
    }

    #[test]
    fn a_step_from_where_the_application_is_goes_on() {
        let decision = resolve(&at("raw/0", 10), "second", &step(Some(10), 20));
        assert_eq!(decision, CommitDecision::Write { version: 5 });
    }

    #[test]
    fn a_zombie_neither_loses_nor_doubles() {
        for (from, to) in [(Some(5), 12), (None, 10), (Some(12), 20)] {
            let decision = resolve(&at("raw/0", 10), "second", &step(from, to));
            let expected =
                CommitDecision::Conflict { app_id: "raw/0".into(), expected: from, found: Some(10) };
            assert_eq!(decision, expected);
        }
    }

    #[test]
    fn a_commit_whose_answer_was_lost_is_recognised() {
        assert_eq!(resolve(&at("raw/0", 10), "first", &step(Some(5), 10)), CommitDecision::AlreadyCommitted);
    }

    #[test]
    fn a_file_can_be_replaced_once() {
        let commit = Commit { removes: vec!["gone.parquet".into()], ..Commit::default() };
        let decision = resolve(&at("raw/0", 10), "second", &commit);
        assert_eq!(decision, CommitDecision::Replaced { path: "gone.parquet".into() });
    }
}
