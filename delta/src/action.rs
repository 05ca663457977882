//! The actions of a commit, as the protocol writes them: one JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::DeltaError;

/// A line of a commit. What we do not know is passed over: the protocol adds fields, not meanings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_info: Option<CommitInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta_data: Option<MetaData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) add: Option<Add>,
}

/// What a program must know to read or write the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    pub min_reader_version: u32,
    pub min_writer_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_features: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_features: Option<Vec<String>>,
}

/// The table's columns and settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetaData {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub format: Format,
    /// The columns, the partition columns among them, as JSON.
    pub schema_string: String,
    pub partition_columns: Vec<String>,
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<i64>,
}

/// How the data files are encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    pub provider: String,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    /// Below the table's root, URI-encoded.
    pub(crate) path: String,
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    pub(crate) size: u64,
    pub(crate) modification_time: i64,
    pub(crate) data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_timestamp: Option<i64>,
    pub(crate) data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extended_file_metadata: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub(crate) app_id: String,
    pub(crate) version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_updated: Option<i64>,
}

/// Where a commit comes from. Other writers put anything here, so nothing but our own fields may matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CommitInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    pub(crate) operation_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub(crate) read_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub(crate) is_blind_append: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub(crate) engine_info: Option<String>,
    /// Unique to this commit: recognises one whose answer was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txn_id: Option<String>,
}

impl Action {
    pub(crate) fn commit_info(info: CommitInfo) -> Self {
        Self { commit_info: Some(info), ..Self::default() }
    }

    pub(crate) fn protocol(protocol: Protocol) -> Self {
        Self { protocol: Some(protocol), ..Self::default() }
    }

    pub(crate) fn meta_data(meta_data: MetaData) -> Self {
        Self { meta_data: Some(meta_data), ..Self::default() }
    }

    pub(crate) fn txn(txn: Txn) -> Self {
        Self { txn: Some(txn), ..Self::default() }
    }

    pub(crate) fn remove(remove: Remove) -> Self {
        Self { remove: Some(remove), ..Self::default() }
    }

    pub(crate) fn add(add: Add) -> Self {
        Self { add: Some(add), ..Self::default() }
    }
}

/// The bytes of a commit.
pub(crate) fn encode(actions: &[Action]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut bytes, action).expect("maps with string keys always have a JSON form");
        bytes.push(b'\n');
    }
    bytes
}

/// Reads the bytes of a commit; `object` is what an error calls them.
pub(crate) fn decode(bytes: &[u8], object: &impl ToString) -> Result<Vec<Action>, DeltaError> {
    // A store that lost power may leave the name without the bytes: no commit of ours is empty.
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(DeltaError::damaged(
            object,
            "it is empty, as after a power failure while it was written: without it the table is the one before",
        ));
    }
    let lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Action>();
    lines.collect::<Result<_, _>>().map_err(|error| DeltaError::damaged(object, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_beside_is_passed_over() {
        let line = br#"{"commitInfo":{"timestamp":5,"operation":"MERGE","operationParameters":{"a":[1]},"readVersion":"x"}}
            {"cdc":{"path":"c"}}
            {"domainMetadata":{"domain":"d"}}"#;
        let actions = decode(line, &"x").expect("reads");
        assert_eq!(actions.len(), 3);
        assert_eq!(actions[0].commit_info.as_ref().and_then(|info| info.timestamp), Some(5));
        assert_eq!(actions[1], Action::default());
    }

    #[test]
    fn half_a_commit_is_an_error() {
        for damaged in ["", "\n", "{\"add\":{\"path\":\"a\"", "{\"txn\":{\"appId\":\"a\"}}"] {
            assert!(decode(damaged.as_bytes(), &"x").is_err(), "{damaged:?}");
        }
    }
}
