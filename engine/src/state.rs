//! State of a stage: what is committed, and over it the changes of the open transaction. It lies in memory or on disk;
//! stages do not see which.

#[cfg(feature = "disk")]
pub mod disk;
mod ids;
mod keyed;

use std::path::PathBuf;

pub use ids::IdSet;
pub use keyed::{Codec, KeyedStore};

use crate::record::{NextOffset, Partition};

/// State that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(
        "the changelog holds a record at offset {offset} that is not ours ({what}): is another program writing to this topic?"
    )]
    Corrupt { offset: u64, what: String },
    #[error("cannot keep state in {folder}: check the disk, or choose another folder")]
    Disk {
        folder: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the state in {folder} is not what was written there: remove the folder, and it is restored")]
    Damaged { folder: PathBuf },
}

/// Where the tasks of a process keep their state.
#[derive(Clone, Debug, Default)]
pub enum Stores {
    #[default]
    Memory,
    #[cfg(feature = "disk")]
    Disk(disk::DiskStores),
}

impl Stores {
    /// The state of one task, whose input goes on at `committed`: what lies on the disk, if it is whole as of there.
    pub fn open(
        &self,
        stage: &str,
        partition: Partition,
        committed: NextOffset,
    ) -> Result<Store, StateError> {
        match self {
            Self::Memory => {
                let _ = (stage, partition, committed);
                Ok(Store::Memory)
            }
            #[cfg(feature = "disk")]
            Self::Disk(stores) => stores.open_task(stage, partition, committed).map(Store::Disk),
        }
    }
}

/// The state of one task. What is not closed is thrown away: state is only as good as its last clean checkpoint.
#[derive(Debug, Default)]
pub enum Store {
    #[default]
    Memory,
    #[cfg(feature = "disk")]
    Disk(disk::DiskStore),
}

impl Store {
    /// What was noted when the state was closed, where it is whole: no changelog has to be read then.
    pub fn note(&self) -> Option<&[u8]> {
        match self {
            Self::Memory => None,
            #[cfg(feature = "disk")]
            Self::Disk(store) => store.note(),
        }
    }

    /// The error of a note that nobody here has written.
    pub fn damaged(&self) -> StateError {
        match self {
            Self::Memory => unreachable!("memory has no notes"),
            #[cfg(feature = "disk")]
            Self::Disk(store) => store.damaged(),
        }
    }

    /// Whether what is closed can be opened again: then nothing of it need be held in memory meanwhile.
    pub fn is_on_disk(&self) -> bool {
        match self {
            Self::Memory => false,
            #[cfg(feature = "disk")]
            Self::Disk(_) => true,
        }
    }

    /// Notes that the state is whole as of this position of the input, with what lies beside its tables.
    pub fn close(&mut self, committed: NextOffset, note: &[u8]) -> Result<(), StateError> {
        match self {
            Self::Memory => {
                let _ = (committed, note);
                Ok(())
            }
            #[cfg(feature = "disk")]
            Self::Disk(store) => store.close(committed, note),
        }
    }
}
