//! What a table is at a version: its files, and how far each application transaction is.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::{Action, MetaData};

/// A data file of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFile {
    pub size: u64,
    pub partition_values: BTreeMap<String, Option<String>>,
    pub rows: Option<u64>,
}

/// A table at a version.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// `None` before the first commit.
    pub version: Option<u64>,
    pub files: BTreeMap<String, LiveFile>,
    pub(crate) transactions: BTreeMap<String, i64>,
    pub(crate) commit_ids: BTreeSet<String>,
    pub(crate) meta_data: Option<MetaData>,
    /// The highest protocol versions asked for.
    pub(crate) protocol: (u32, u32),
}

impl Snapshot {
    /// How far the application is; `None` where it never committed.
    pub fn transaction(&self, app_id: &str) -> Option<i64> {
        self.transactions.get(app_id).copied()
    }

    pub(crate) fn apply(&mut self, version: u64, actions: Vec<Action>) {
        self.version = Some(version);
        for action in actions {
            if let Some(protocol) = action.protocol {
                self.protocol = (protocol.min_reader_version, protocol.min_writer_version);
            }
            if let Some(meta_data) = action.meta_data {
                self.meta_data = Some(meta_data);
            }
            if let Some(remove) = action.remove {
                self.files.remove(&remove.path);
            }
            if let Some(add) = action.add {
                let rows = add.stats.as_deref().and_then(rows_of);
                let file = LiveFile { size: add.size, partition_values: add.partition_values, rows };
                self.files.insert(add.path, file);
            }
            if let Some(txn) = action.txn {
                self.transactions.insert(txn.app_id, txn.version);
            }
            if let Some(id) = action.commit_info.and_then(|info| info.txn_id) {
                self.commit_ids.insert(id);
            }
        }
    }
}

fn rows_of(stats: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(stats).ok()?.get("numRecords")?.as_u64()
}
