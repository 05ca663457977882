//! A checkpoint: the whole state of a table as one Parquet file, so that readers need not replay the log from its
//! beginning. Each row is one action; each kind of action is a column.

mod column;
mod read;
mod write;

use bytes::Bytes;

pub(crate) use read::decode;
pub(crate) use write::encode;

/// A checkpoint's bytes.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) actions: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;
    use crate::snapshot::tests::{add, creation, remove, txn};

    #[test]
    fn a_checkpoint_holds_the_whole_state() {
        let mut actions = creation();
        if let Some(metadata) = actions[1].meta_data.as_mut() {
            metadata.partition_columns = vec!["year".into()];
            metadata.configuration.insert("delta.checkpointInterval".into(), "20".into());
        }
        let mut partitioned = add("year=2014/p");
        if let Some(add) = partitioned.add.as_mut() {
            add.partition_values = [("year".into(), Some("2014".into())), ("null".into(), None)].into();
            add.tags = Some([("k".into(), None)].into());
        }
        let mut bare = add("bare");
        if let Some(add) = bare.add.as_mut() {
            add.stats = None;
        }
        actions.extend([partitioned, bare, remove("gone", 1_000), txn("a", -5), txn("b", i64::MAX)]);
        // More than one batch of rows.
        actions.extend((0..5_000).map(|file| add(&format!("f{file}"))));
        let before = Snapshot::new(7, actions).expect("replays");

        let encoded = encode(&before, 1_000).expect("encodes");
        assert_eq!(encoded.actions, 5_000 + 7);
        let after = Snapshot::new(7, decode(encoded.bytes).expect("decodes")).expect("replays");
        assert_eq!(after.files, before.files);
        assert_eq!(after.transactions, before.transactions);
        assert_eq!(after.tombstones.keys().collect::<Vec<_>>(), ["gone"]);
        assert_eq!(after.tombstones["gone"].deletion_timestamp, Some(1_000));
        assert_eq!((after.metadata, after.protocol), (before.metadata, before.protocol));
    }

    #[test]
    fn what_is_no_checkpoint_is_damaged() {
        assert!(decode(Bytes::from_static(b"PAR1 not")).is_err());
    }
}
