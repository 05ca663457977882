//! What a table is at a version: its columns, its files, and how far each application is. Replayed from the log.

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;

use crate::action::{Action, MetaData, Protocol, Remove, Txn};
use crate::schema::arrow_schema;
use crate::stats::FileStats;

/// The newest protocol that is known here.
pub(crate) const READER_VERSION: u32 = 1;
pub(crate) const WRITER_VERSION: u32 = 2;

/// A data file of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFile {
    pub size: u64,
    pub partition_values: BTreeMap<String, Option<String>>,
    /// `None` where its writer left no statistics.
    pub rows: Option<u64>,
    pub modified_at_ms: i64,
    pub(crate) stats: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
}

impl LiveFile {
    /// The columns' bounds, for passing over files.
    pub fn stats(&self) -> Option<FileStats> {
        FileStats::parse(self.stats.as_deref()?)
    }
}

/// A table at a version.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub version: u64,
    pub protocol: Protocol,
    pub metadata: MetaData,
    /// All columns, the partition columns among them.
    pub schema: SchemaRef,
    /// By path, as the log writes it.
    pub files: BTreeMap<String, LiveFile>,
    pub(crate) transactions: BTreeMap<String, Txn>,
    /// Files that were removed: kept for those who still read an older version.
    pub(crate) tombstones: BTreeMap<String, Remove>,
}

impl Snapshot {
    /// The table whose whole log up to `version` is `actions`; the error says what is wrong with them.
    pub(crate) fn new(version: u64, actions: Vec<Action>) -> Result<Self, String> {
        let protocol = actions.iter().filter_map(|action| action.protocol.clone()).next_back();
        let metadata = actions.iter().filter_map(|action| action.meta_data.clone()).next_back();
        let mut snapshot = Self {
            version,
            protocol: protocol.ok_or("it has no protocol")?,
            metadata: metadata.ok_or("it has no metadata")?,
            schema: SchemaRef::new(arrow_schema::Schema::empty()),
            files: BTreeMap::new(),
            transactions: BTreeMap::new(),
            tombstones: BTreeMap::new(),
        };
        snapshot.apply(version, actions)?;
        Ok(snapshot)
    }

    /// Replays the commit that follows. After an error the snapshot is the one before.
    pub(crate) fn apply(&mut self, version: u64, actions: Vec<Action>) -> Result<(), String> {
        let protocol = actions.iter().filter_map(|action| action.protocol.as_ref()).next_back();
        let protocol = protocol.unwrap_or(&self.protocol).clone();
        if let Some(metadata) = actions.iter().filter_map(|action| action.meta_data.as_ref()).next_back() {
            // A newer protocol may bring types that are not known here: its tables are refused, not damaged.
            if protocol.min_reader_version <= READER_VERSION {
                self.schema = arrow_schema(&metadata.schema_string)?;
            }
            self.metadata = metadata.clone();
        }
        (self.version, self.protocol) = (version, protocol);
        for action in actions {
            if let Some(txn) = action.txn {
                self.transactions.insert(txn.app_id.clone(), txn);
            }
            if let Some(remove) = action.remove {
                self.files.remove(&remove.path);
                self.tombstones.insert(remove.path.clone(), remove);
            }
            if let Some(add) = action.add {
                self.tombstones.remove(&add.path);
                let rows =
                    add.stats.as_deref().and_then(FileStats::parse).and_then(|stats| stats.num_records);
                let file = LiveFile {
                    size: add.size,
                    partition_values: add.partition_values,
                    rows,
                    modified_at_ms: add.modification_time,
                    stats: add.stats,
                    tags: add.tags,
                };
                self.files.insert(add.path, file);
            }
        }
        Ok(())
    }

    /// How far the application is; `None` where it never committed.
    pub fn transaction(&self, app_id: &str) -> Option<i64> {
        self.transactions.get(app_id).map(|txn| txn.version)
    }

    /// All applications and how far they are.
    pub fn transactions(&self) -> impl Iterator<Item = (&str, i64)> {
        self.transactions.iter().map(|(app_id, txn)| (app_id.as_str(), txn.version))
    }

    pub fn partition_columns(&self) -> &[String] {
        &self.metadata.partition_columns
    }

    /// Rows of all files; `None` where a file's writer left no statistics.
    pub fn rows(&self) -> Option<u64> {
        self.files.values().map(|file| file.rows).sum()
    }

    /// A setting of the table.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.metadata.configuration.get(key).map(String::as_str)
    }

    pub(crate) fn is_append_only(&self) -> bool {
        self.property("delta.appendOnly") == Some("true")
    }

    /// The removals that are younger than the table's `delta.deletedFileRetentionDuration`.
    pub(crate) fn tombstones_at(&self, now_ms: i64) -> impl Iterator<Item = &Remove> {
        let cutoff_ms = self.tombstone_cutoff_ms(now_ms);
        self.tombstones.values().filter(move |remove| is_kept(remove, cutoff_ms))
    }

    /// A writer that replaces files for weeks would remember all of them.
    pub(crate) fn forget_old_tombstones(&mut self, now_ms: i64) {
        let cutoff_ms = self.tombstone_cutoff_ms(now_ms);
        self.tombstones.retain(|_, remove| is_kept(remove, cutoff_ms));
    }

    fn tombstone_cutoff_ms(&self, now_ms: i64) -> i64 {
        let retention_ms = self.property("delta.deletedFileRetentionDuration").and_then(interval_ms);
        now_ms.saturating_sub(retention_ms.unwrap_or(TOMBSTONE_RETENTION_MS))
    }
}

fn is_kept(remove: &Remove, cutoff_ms: i64) -> bool {
    remove.deletion_timestamp.unwrap_or(0) >= cutoff_ms
}

/// The protocol's default: a week.
const TOMBSTONE_RETENTION_MS: i64 = 7 * 24 * 3_600_000;

/// Milliseconds of a table setting such as `interval 1 week`.
fn interval_ms(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace().peekable();
    words.next_if(|word| word.eq_ignore_ascii_case("interval"));
    let mut sum = 0_i64;
    while let Some(count) = words.next() {
        let unit_ms = match words.next()?.to_ascii_lowercase().trim_end_matches('s') {
            "millisecond" => 1,
            "second" => 1_000,
            "minute" => 60_000,
            "hour" => 3_600_000,
            "day" => 86_400_000,
            "week" => 7 * 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(count.parse::<i64>().ok()?.checked_mul(unit_ms)?)?;
    }
    Some(sum)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::action::{Add, Format};
    use proptest::prelude::*;

    pub(crate) const LONG_N: &str =
        r#"{"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"metadata":{}}]}"#;

    pub(crate) fn creation() -> Vec<Action> {
        let protocol = Protocol {
            min_reader_version: 1,
            min_writer_version: 2,
            reader_features: None,
            writer_features: None,
        };
        let meta_data = MetaData {
            id: "t".into(),
            name: None,
            description: None,
            format: Format { provider: "parquet".into(), options: BTreeMap::new() },
            schema_string: LONG_N.into(),
            partition_columns: vec![],
            configuration: BTreeMap::new(),
            created_time: Some(1),
        };
        vec![Action::protocol(protocol), Action::meta_data(meta_data)]
    }

    pub(crate) fn add(path: &str) -> Action {
        Action::add(Add {
            path: path.into(),
            partition_values: BTreeMap::new(),
            size: 3,
            modification_time: 4,
            data_change: true,
            stats: Some("{\"numRecords\":5}".into()),
            tags: None,
        })
    }

    pub(crate) fn remove(path: &str, at_ms: i64) -> Action {
        Action::remove(Remove {
            path: path.into(),
            deletion_timestamp: Some(at_ms),
            data_change: true,
            extended_file_metadata: None,
            partition_values: None,
            size: None,
        })
    }

    pub(crate) fn txn(app_id: &str, version: i64) -> Action {
        Action::txn(Txn { app_id: app_id.into(), version, last_updated: None })
    }

    #[test]
    fn a_log_without_a_beginning_is_damaged() {
        assert!(Snapshot::new(0, vec![add("a")]).is_err());
        assert!(Snapshot::new(0, creation().split_off(1)).is_err());
    }

    #[test]
    fn old_tombstones_go() {
        let mut actions = creation();
        actions.extend([remove("old", 1_000), remove("young", TOMBSTONE_RETENTION_MS)]);
        let mut snapshot = Snapshot::new(0, actions).expect("replays");
        let now_ms = TOMBSTONE_RETENTION_MS + 1_001;
        assert_eq!(snapshot.tombstones_at(now_ms - 1).count(), 2);
        assert!(snapshot.tombstones_at(now_ms).map(|kept| &kept.path).eq(["young"]));
        snapshot.forget_old_tombstones(now_ms);
        assert!(snapshot.tombstones.keys().eq(["young"]));
    }

    #[test]
    fn intervals_are_read() {
        assert_eq!(interval_ms("interval 1 week"), Some(604_800_000));
        assert_eq!(interval_ms("interval 2 days 3 hours"), Some(183_600_000));
        assert_eq!(interval_ms("interval a week"), None);
        assert_eq!(interval_ms("1 month"), None);
    }

    /// A step of a log: adds or removes one of few files, or moves one of few applications.
    fn step() -> impl Strategy<Value = Action> {
        prop_oneof![
            (0..6_u8).prop_map(|file| add(&format!("f{file}"))),
            (0..6_u8).prop_map(|file| remove(&format!("f{file}"), 1)),
            (0..3_u8, 0..100_i64).prop_map(|(app, version)| txn(&format!("a{app}"), version)),
        ]
    }

    proptest! {
        /// The last word on a file or an application counts, however the log is cut into commits.
        #[test]
        fn replay_is_the_last_word(steps in proptest::collection::vec(step(), 0..60), cut in 1..7_usize) {
            let mut snapshot = Snapshot::new(0, creation()).expect("replays");
            for (commit, actions) in steps.chunks(cut).enumerate() {
                snapshot.apply(commit as u64 + 1, actions.to_vec()).expect("replays");
            }
            for file in (0..6_u8).map(|file| format!("f{file}")) {
                let last = steps.iter().rev().find_map(|action| {
                    let is_added = action.add.as_ref().is_some_and(|add| add.path == file);
                    let is_removed = action.remove.as_ref().is_some_and(|remove| remove.path == file);
                    (is_added || is_removed).then_some(is_added)
                });
                prop_assert_eq!(snapshot.files.contains_key(&file), last == Some(true));
                prop_assert_eq!(snapshot.tombstones.contains_key(&file), last == Some(false));
            }
            for app in (0..3_u8).map(|app| format!("a{app}")) {
                let last = steps.iter().rev().find_map(|action| {
                    action.txn.as_ref().filter(|txn| txn.app_id == app).map(|txn| txn.version)
                });
                prop_assert_eq!(snapshot.transaction(&app), last);
            }
        }
    }
}
