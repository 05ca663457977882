//! What a commit changes, and what becomes of it when another writer was first: a pure decision.

use std::collections::BTreeSet;

use crate::action::{Action, Add, CommitInfo, Remove, Txn};
use crate::encode::DataFile;
use crate::schema::{Misfit, file_schema, fit};
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
#[derive(Clone, Debug, Default)]
pub struct Commit {
    pub adds: Vec<DataFile>,
    /// Paths of live files.
    pub removes: Vec<String>,
    /// At most one step for each application.
    pub transactions: Vec<Transaction>,
}

/// Why a commit is not made. Nothing of it is in the table, nor will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another writer has covered these rows.
    Conflict { app_id: String, expected: Option<i64>, found: Option<i64> },
    /// Another writer has replaced a file that this commit replaces.
    Replaced { path: String },
    /// The table's columns are not, or no longer, those of the rows.
    SchemaChanged(Misfit),
    /// The table takes no removals.
    AppendOnly,
}

/// What to do with a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitDecision {
    /// Write it as this version.
    Write {
        version: u64,
    },
    /// It is there as this version: only its answer was lost.
    Committed {
        version: u64,
    },
    Refuse(Refusal),
}

/// What is known when a commit is decided on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The table as it was last read.
    pub snapshot: &'a Snapshot,
    /// Where the log has shown this commit's own id.
    pub found_at: Option<u64>,
    /// False for files that hold the same rows in another shape.
    pub changes_data: bool,
}

/// Decides. The same function before the first try and after each lost race.
pub fn resolve(facts: Facts<'_>, commit: &Commit) -> CommitDecision {
    let snapshot = facts.snapshot;
    // First of all: a commit that is there has moved its own applications and removed its own files.
    if let Some(version) = facts.found_at {
        return CommitDecision::Committed { version };
    }
    for step in &commit.transactions {
        let found = snapshot.transaction(&step.app_id);
        if found != step.from {
            let (app_id, expected) = (step.app_id.clone(), step.from);
            return CommitDecision::Refuse(Refusal::Conflict { app_id, expected, found });
        }
    }
    if let Some(path) = commit.removes.iter().find(|path| !snapshot.files.contains_key(*path)) {
        return CommitDecision::Refuse(Refusal::Replaced { path: path.clone() });
    }
    if facts.changes_data && !commit.removes.is_empty() && snapshot.is_append_only() {
        return CommitDecision::Refuse(Refusal::AppendOnly);
    }
    if let Some(misfit) = commit.adds.iter().find_map(|file| misfit(file, snapshot)) {
        return CommitDecision::Refuse(Refusal::SchemaChanged(misfit));
    }
    CommitDecision::Write { version: snapshot.version + 1 }
}

/// The column for which a file's rows do not fit the table. A column that the table does not have would be lost
/// without a word.
fn misfit(file: &DataFile, snapshot: &Snapshot) -> Option<Misfit> {
    let partition_columns = snapshot.partition_columns();
    let is_other = |column: &&String| !partition_columns.contains(column);
    let missing = partition_columns.iter().find(|column| !file.partition_values.contains_key(*column));
    if let Some(column) = missing.or_else(|| file.partition_values.keys().find(is_other)) {
        let why = "is a partition column on one side only".into();
        return Some(Misfit { column: column.clone(), why });
    }
    match fit(&file.schema, &file_schema(&snapshot.schema, partition_columns)) {
        Err(misfit) => Some(misfit),
        Ok(gained) => {
            let column = gained.first()?.name().clone();
            Some(Misfit { column, why: "is not there".into() })
        }
    }
}

impl Commit {
    /// What breaks a rule of the protocol, whatever the table holds.
    pub(crate) fn contradiction(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        let app_ids = self.transactions.iter().map(|step| ("two steps of the application", &step.app_id));
        let removes = self.removes.iter().map(|path| ("two removals of", path));
        let adds = self.adds.iter().map(|file| ("two files of the name", &file.path));
        let twice = app_ids.chain(removes).chain(adds).find(|entry| !seen.insert(*entry))?;
        Some(format!("{} {} in one commit", twice.0, twice.1))
    }
}

/// The commit as the log writes it.
pub(crate) fn actions(
    commit: &Commit,
    info: CommitInfo,
    changes_data: bool,
    snapshot: &Snapshot,
) -> Vec<Action> {
    let now_ms = info.timestamp.unwrap_or(0);
    let mut actions = vec![Action::commit_info(info)];
    for step in &commit.transactions {
        let txn = Txn { app_id: step.app_id.clone(), version: step.to, last_updated: Some(now_ms) };
        actions.push(Action::txn(txn));
    }
    for path in &commit.removes {
        let file = snapshot.files.get(path);
        actions.push(Action::remove(Remove {
            path: path.clone(),
            deletion_timestamp: Some(now_ms),
            data_change: changes_data,
            extended_file_metadata: Some(file.is_some()),
            partition_values: file.map(|file| file.partition_values.clone()),
            size: file.map(|file| file.size),
        }));
    }
    for file in &commit.adds {
        actions.push(Action::add(Add {
            path: file.path.clone(),
            partition_values: file.partition_values.clone(),
            size: file.size,
            modification_time: now_ms,
            data_change: changes_data,
            stats: Some(file.stats.clone()),
            tags: None,
        }));
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::{add, creation, remove, txn};
    use proptest::prelude::*;

    fn table(actions: Vec<Action>) -> Snapshot {
        let mut snapshot = Snapshot::new(3, creation()).expect("replays");
        snapshot.apply(4, actions).expect("replays");
        snapshot
    }

    fn facts(snapshot: &Snapshot) -> Facts<'_> {
        Facts { snapshot, found_at: None, changes_data: true }
    }

    fn step(from: Option<i64>, to: i64) -> Commit {
        let transactions = vec![Transaction { app_id: "raw/0".into(), from, to }];
        Commit { transactions, ..Commit::default() }
    }

    #[test]
    fn a_step_from_where_the_application_is_goes_on() {
        let snapshot = table(vec![txn("raw/0", 10)]);
        assert_eq!(resolve(facts(&snapshot), &step(Some(10), 20)), CommitDecision::Write { version: 5 });
    }

    #[test]
    fn a_zombie_neither_loses_nor_doubles() {
        let snapshot = table(vec![txn("raw/0", 10)]);
        for (from, to) in [(Some(5), 12), (None, 10), (Some(12), 20)] {
            let conflict = Refusal::Conflict { app_id: "raw/0".into(), expected: from, found: Some(10) };
            assert_eq!(resolve(facts(&snapshot), &step(from, to)), CommitDecision::Refuse(conflict));
        }
    }

    #[test]
    fn a_commit_whose_answer_was_lost_is_recognised() {
        let snapshot = table(vec![txn("raw/0", 10)]);
        let facts = Facts { found_at: Some(4), ..facts(&snapshot) };
        assert_eq!(resolve(facts, &step(Some(5), 10)), CommitDecision::Committed { version: 4 });
    }

    #[test]
    fn a_file_can_be_replaced_once() {
        let snapshot = table(vec![add("there"), remove("gone", 1)]);
        let commit = |path: &str| Commit { removes: vec![path.into()], ..Commit::default() };
        assert_eq!(resolve(facts(&snapshot), &commit("there")), CommitDecision::Write { version: 5 });
        let replaced = CommitDecision::Refuse(Refusal::Replaced { path: "gone".into() });
        assert_eq!(resolve(facts(&snapshot), &commit("gone")), replaced);
    }

    #[test]
    fn an_append_only_table_may_be_compacted_and_not_changed() {
        let mut snapshot = table(vec![add("there")]);
        snapshot.metadata.configuration.insert("delta.appendOnly".into(), "true".into());
        let commit = Commit { removes: vec!["there".into()], ..Commit::default() };
        assert_eq!(resolve(facts(&snapshot), &commit), CommitDecision::Refuse(Refusal::AppendOnly));
        let compaction = Facts { changes_data: false, ..facts(&snapshot) };
        assert_eq!(resolve(compaction, &commit), CommitDecision::Write { version: 5 });
    }

    #[test]
    fn two_steps_of_one_application_contradict() {
        let mut commit = step(None, 1);
        assert_eq!(commit.contradiction(), None);
        commit.transactions.extend(step(Some(1), 2).transactions);
        assert!(commit.contradiction().is_some());
    }

    /// One try of a writer: which writer, how many offsets it takes, whether it looks at the table first, and what the
    /// store does to its request.
    #[derive(Clone, Debug)]
    struct Try {
        writer: usize,
        offsets: i64,
        looks_first: bool,
        answer_is_lost: bool,
    }

    fn a_try() -> impl Strategy<Value = Try> {
        (0..3_usize, 1..5_i64, any::<bool>(), any::<bool>()).prop_map(
            |(writer, offsets, looks_first, answer_is_lost)| Try {
                writer,
                offsets,
                looks_first,
                answer_is_lost,
            },
        )
    }

    proptest! {
        /// Writers of the same application, some of them zombies with an old view, some with lost answers: every offset
        /// is in the log once.
        #[test]
        fn every_offset_is_covered_once(tries in proptest::collection::vec(a_try(), 1..60)) {
            let mut log = vec![creation()];
            let mut views = vec![Snapshot::new(0, creation()).expect("replays"); 3];
            let mut covered = Vec::new();
            for a_try in tries {
                let view = &mut views[a_try.writer];
                let catch_up = |view: &mut Snapshot, log: &[Vec<Action>]| {
                    for version in view.version + 1..log.len() as u64 {
                        view.apply(version, log[version as usize].clone()).expect("replays");
                    }
                };
                if a_try.looks_first {
                    catch_up(view, &log);
                }
                let from = view.transaction("raw/0");
                let to = from.unwrap_or(0) + a_try.offsets;
                let commit = step(from, to);
                let mut found_at = None;
                loop {
                    match resolve(Facts { found_at, ..facts(view) }, &commit) {
                        CommitDecision::Write { version } if version == log.len() as u64 => {
                            log.push(vec![txn("raw/0", to)]);
                            covered.extend(from.unwrap_or(0)..to);
                            if a_try.answer_is_lost {
                                catch_up(view, &log);
                                found_at = Some(version);
                                continue;
                            }
                            break;
                        }
                        CommitDecision::Write { .. } => catch_up(view, &log),
                        CommitDecision::Committed { version } => {
                            prop_assert!(a_try.answer_is_lost && version == log.len() as u64 - 1);
                            break;
                        }
                        CommitDecision::Refuse(refusal) => {
                            let is_conflict = matches!(refusal, Refusal::Conflict { .. });
                            prop_assert!(is_conflict);
                            break;
                        }
                    }
                }
            }
            prop_assert!(covered.iter().copied().eq(0..covered.last().map_or(0, |last| last + 1)));
        }
    }
}
