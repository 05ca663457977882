//! Small files into large ones, partition by partition. The rows stay the same, so that running writers are not in the
//! way: whoever replaces one of the files first wins, and the loser's work is dropped.

use std::collections::BTreeMap;

use crate::commit::{Commit, Refusal};
use crate::encode::Encoding;
use crate::error::DeltaError;
use crate::schema::file_schema;
use crate::snapshot::{LiveFile, Snapshot};
use crate::table::{Outcome, Purpose, Table};

/// What a compaction has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    pub files_before: u64,
    pub files_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    /// Groups of files that another writer replaced meanwhile; the next run looks at them again.
    pub groups_lost: u64,
}

/// Files of one partition that become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) paths: Vec<String>,
    pub(crate) bytes: u64,
}

/// Which files to put together: those below three quarters of the target, oldest first, up to the target. What is
/// larger stays, so that rows are not rewritten again and again for little.
pub(crate) fn plan(snapshot: &Snapshot, target_bytes: u64) -> Vec<Group> {
    let mut partitions: BTreeMap<_, Vec<(&String, &LiveFile)>> = BTreeMap::new();
    let is_small = |file: &LiveFile| file.size < target_bytes / 4 * 3;
    for (path, file) in snapshot.files.iter().filter(|(_, file)| is_small(file)) {
        partitions.entry(&file.partition_values).or_default().push((path, file));
    }
    let mut groups = Vec::new();
    for mut files in partitions.into_values() {
        files.sort_by_key(|(path, file)| (file.modified_at_ms, *path));
        let mut group = Group { paths: Vec::new(), bytes: 0 };
        for (path, file) in files {
            if group.bytes + file.size > target_bytes {
                groups.push(std::mem::replace(&mut group, Group { paths: Vec::new(), bytes: 0 }));
            }
            group.bytes += file.size;
            group.paths.push(path.clone());
        }
        groups.push(group);
    }
    groups.retain(|group| group.paths.len() > 1);
    groups
}

impl Table {
    /// Puts small files together into files of about `target_bytes`, in bounded memory, one commit for each new file.
    pub async fn compact(
        &mut self,
        target_bytes: u64,
        encoding: &Encoding,
        now_ms: i64,
    ) -> Result<Compacted, DeltaError> {
        self.refresh().await?;
        self.check_writable()?;
        let mut done = Compacted::default();
        for group in plan(self.snapshot(), target_bytes) {
            let is_there = |path: &String| self.snapshot().files.contains_key(path);
            if !group.paths.iter().all(is_there) {
                done.groups_lost += 1;
                continue;
            }
            let commit = self.rewrite(group.paths.clone(), encoding).await?;
            let bytes_after: u64 = commit.adds.iter().map(|file| file.size).sum();
            match self.commit_for(Purpose::Compact, &commit, now_ms).await? {
                Outcome::Committed { .. } => {
                    done.files_before += group.paths.len() as u64;
                    done.files_after += commit.adds.len() as u64;
                    done.bytes_before += group.bytes;
                    done.bytes_after += bytes_after;
                }
                Outcome::Refused(Refusal::Replaced { .. } | Refusal::SchemaChanged(_)) => {
                    done.groups_lost += 1
                }
                Outcome::Refused(Refusal::AppendOnly | Refusal::Conflict { .. }) => {
                    unreachable!("a compaction changes no data and moves no application")
                }
            }
        }
        Ok(done)
    }

    /// One new file with the rows of the files.
    async fn rewrite(&self, paths: Vec<String>, encoding: &Encoding) -> Result<Commit, DeltaError> {
        let snapshot = self.snapshot();
        let schema = file_schema(&snapshot.schema, snapshot.partition_columns());
        let columns: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let values =
            paths.first().and_then(|path| snapshot.files.get(path)).map(|file| &file.partition_values);
        let partition: Vec<_> = snapshot
            .partition_columns()
            .iter()
            .map(|column| (column.as_str(), values.and_then(|values| values.get(column)).cloned().flatten()))
            .collect();
        let mut reader = self.read_files(paths.iter().map(String::as_str), &columns)?;
        let mut writer = self.writer_of(&schema, encoding, &partition)?;
        loop {
            let copied = match reader.next().await {
                Ok(Some(batch)) => writer.push(&batch).await,
                Ok(None) => break,
                Err(error) => Err(error),
            };
            if let Err(error) = copied {
                // The first error is the one to tell.
                let _ = writer.abort().await;
                return Err(error);
            }
        }
        let file = writer.finish().await?;
        let expected: Option<u64> =
            paths.iter().map(|path| snapshot.files.get(path).and_then(|file| file.rows)).sum();
        if expected.is_some_and(|expected| expected != file.rows) {
            let why = format!("its small files hold {} rows, and the log says {expected:?}", file.rows);
            return Err(DeltaError::damaged(self.root(), why));
        }
        Ok(Commit { adds: vec![file], removes: paths, transactions: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::{add, creation};
    use proptest::prelude::*;

    fn table(files: &[(u8, u64)]) -> Snapshot {
        let mut actions = creation();
        for (number, (partition, size)) in files.iter().enumerate() {
            let mut action = add(&format!("f{number:03}"));
            if let Some(add) = action.add.as_mut() {
                add.size = *size;
                add.modification_time = i64::try_from(number).expect("few files");
                add.partition_values = [("p".into(), Some(partition.to_string()))].into();
            }
            actions.push(action);
        }
        Snapshot::new(0, actions).expect("replays")
    }

    proptest! {
        #[test]
        fn groups_are_worth_it_and_of_one_partition(
            files in proptest::collection::vec((0..3_u8, 1..150_u64), 0..60),
        ) {
            let snapshot = table(&files);
            let mut seen = std::collections::BTreeSet::new();
            for group in plan(&snapshot, 100) {
                prop_assert!(group.paths.len() > 1 && group.bytes <= 100);
                let of = |path: &String| snapshot.files[path].partition_values.clone();
                for path in &group.paths {
                    prop_assert!(seen.insert(path.clone()), "twice");
                    prop_assert_eq!(of(path), of(&group.paths[0]));
                    prop_assert!(snapshot.files[path].size < 75);
                }
            }
        }
    }

    #[test]
    fn a_single_small_file_stays() {
        assert_eq!(plan(&table(&[(0, 5), (1, 5), (1, 99)]), 100), []);
        assert_eq!(plan(&table(&[(0, 5), (0, 5), (1, 99)]), 100).len(), 1);
    }
}
