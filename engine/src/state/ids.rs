//! The set of ids already met: 16 bytes each, in insertion order for the changelog.

use hashbrown::HashSet;

#[cfg(feature = "disk")]
use super::disk::{DiskTable, Restored};
use super::{StateError, Store};

/// Ids seen, with those of the open transaction apart.
#[derive(Debug, Default)]
pub struct IdSet {
    committed: Committed,
    pending: HashSet<[u8; 16]>,
    failed: Option<StateError>,
}

#[derive(Debug)]
enum Committed {
    Memory(HashSet<[u8; 16]>),
    #[cfg(feature = "disk")]
    Disk(DiskTable, Restored),
}

impl Default for Committed {
    fn default() -> Self {
        Self::Memory(HashSet::new())
    }
}

impl Committed {
    fn contains(&self, id: &[u8; 16]) -> Result<bool, StateError> {
        match self {
            Self::Memory(ids) => Ok(ids.contains(id)),
            #[cfg(feature = "disk")]
            Self::Disk(table, _) => table.contains(id),
        }
    }
}

impl IdSet {
    /// The ids that lie in `store`.
    pub fn new(store: &Store) -> Self {
        let committed = match store {
            Store::Memory => Committed::default(),
            #[cfg(feature = "disk")]
            Store::Disk(store) => Committed::Disk(store.table(), Restored::default()),
        };
        Self { committed, ..Self::default() }
    }

    /// Adds an id to the open transaction; false where it was met before.
    pub fn insert(&mut self, id: [u8; 16]) -> bool {
        let is_known = self.committed.contains(&id).unwrap_or_else(|error| {
            self.failed = Some(error);
            false
        });
        !is_known && self.pending.insert(id)
    }

    /// A read that failed meanwhile: what was answered since is not to be trusted, nor committed.
    pub fn check(&mut self) -> Result<(), StateError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Adds an id that a changelog holds.
    pub fn restore(&mut self, id: [u8; 16]) -> Result<(), StateError> {
        match &mut self.committed {
            Committed::Memory(ids) => {
                ids.insert(id);
                Ok(())
            }
            #[cfg(feature = "disk")]
            Committed::Disk(table, restored) => restored.add(table, &id, Some(Vec::new())),
        }
    }

    /// The changelog has been read.
    pub fn restored(&mut self) -> Result<(), StateError> {
        match &mut self.committed {
            Committed::Memory(_) => Ok(()),
            #[cfg(feature = "disk")]
            Committed::Disk(table, restored) => restored.write(table),
        }
    }

    /// The ids of the open transaction, in no particular order.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &[u8; 16]> {
        self.pending.iter()
    }

    pub fn committed(&mut self) -> Result<(), StateError> {
        match &mut self.committed {
            Committed::Memory(ids) => {
                ids.extend(self.pending.drain());
                Ok(())
            }
            #[cfg(feature = "disk")]
            Committed::Disk(table, _) => {
                table.write(self.pending.drain().map(|id| (id.to_vec(), Some(Vec::new()))))
            }
        }
    }

    pub fn rolled_back(&mut self) {
        self.pending.clear();
    }
}
