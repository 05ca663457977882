//! A keyed store: the value of each key, with the changes of the open transaction over it.

use hashbrown::{HashMap, HashSet};

#[cfg(feature = "disk")]
use super::disk::{DiskTable, Restored};
use super::{StateError, Store};

/// How values become bytes on a disk, and values again.
#[derive(Clone, Copy, Debug)]
pub struct Codec<V> {
    pub write: fn(&V, &mut Vec<u8>),
    /// `None` for bytes that `write` did not write.
    pub read: fn(&[u8]) -> Option<V>,
}

impl<V> Codec<V> {
    #[cfg(feature = "disk")]
    fn bytes(&self, value: &V) -> Vec<u8> {
        let mut bytes = Vec::new();
        (self.write)(value, &mut bytes);
        bytes
    }
}

/// Values by key; `pending` holds the whole new value of each key changed since the last commit.
#[derive(Debug)]
pub struct KeyedStore<V> {
    committed: Committed<V>,
    pending: HashMap<Vec<u8>, V>,
    /// Keys that leave the store with the commit.
    leaving: HashSet<Vec<u8>>,
    failed: Option<StateError>,
}

#[derive(Debug)]
enum Committed<V> {
    Memory(HashMap<Vec<u8>, V>),
    #[cfg(feature = "disk")]
    Disk {
        table: DiskTable,
        restored: Restored,
        codec: Codec<V>,
    },
}

impl<V: Clone> Committed<V> {
    fn get(&self, key: &[u8]) -> Result<Option<V>, StateError> {
        match self {
            Self::Memory(values) => Ok(values.get(key).cloned()),
            #[cfg(feature = "disk")]
            Self::Disk { table, codec, .. } => table
                .get(key)?
                .map(|bytes| (codec.read)(bytes.as_ref()).ok_or_else(|| table.damaged()))
                .transpose(),
        }
    }
}

impl<V: Clone + Default> KeyedStore<V> {
    /// The values that lie in `store`.
    pub fn new(store: &Store, codec: Codec<V>) -> Self {
        let committed = match store {
            Store::Memory => {
                let _ = codec;
                Committed::Memory(HashMap::new())
            }
            #[cfg(feature = "disk")]
            Store::Disk(store) => {
                Committed::Disk { table: store.table(), restored: Restored::default(), codec }
            }
        };
        Self { committed, pending: HashMap::new(), leaving: HashSet::new(), failed: None }
    }

    /// The value of `key` to be changed in the open transaction; the default where there is none yet.
    pub fn change(&mut self, key: &[u8]) -> &mut V {
        let (committed, failed) = (&self.committed, &mut self.failed);
        self.pending.entry_ref(key).or_insert_with(|| {
            let value = committed.get(key).unwrap_or_else(|error| {
                *failed = Some(error);
                None
            });
            value.unwrap_or_default()
        })
    }

    /// The value of `key` as the open transaction sees it.
    pub fn get(&self, key: &[u8]) -> Result<Option<V>, StateError> {
        self.pending.get(key).map_or_else(|| self.committed.get(key), |value| Ok(Some(value.clone())))
    }

    /// A read that failed meanwhile: what was answered since is not to be trusted, nor committed.
    pub fn check(&mut self) -> Result<(), StateError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Sets a value that a changelog holds.
    pub fn restore(&mut self, key: &[u8], value: Option<V>) -> Result<(), StateError> {
        match &mut self.committed {
            Committed::Memory(values) => {
                match value {
                    Some(value) => values.insert(key.to_vec(), value),
                    None => values.remove(key),
                };
                Ok(())
            }
            #[cfg(feature = "disk")]
            Committed::Disk { table, restored, codec } => {
                restored.add(table, key, value.map(|value| codec.bytes(&value)))
            }
        }
    }

    /// The changelog has been read.
    pub fn restored(&mut self) -> Result<(), StateError> {
        match &mut self.committed {
            Committed::Memory(_) => Ok(()),
            #[cfg(feature = "disk")]
            Committed::Disk { table, restored, .. } => restored.write(table),
        }
    }

    /// What the open transaction changes.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = (&[u8], &V)> {
        self.pending.iter().map(|(key, value)| (key.as_slice(), value))
    }

    /// The key is of no more use behind the open transaction: its last value is written, and need not be kept.
    pub fn leave(&mut self, key: &[u8]) {
        self.leaving.insert(key.to_vec());
    }

    pub fn committed(&mut self) -> Result<(), StateError> {
        let (pending, leaving) = (&mut self.pending, &mut self.leaving);
        match &mut self.committed {
            Committed::Memory(values) => {
                values.extend(pending.drain());
                for key in leaving.drain() {
                    values.remove(&key);
                }
                Ok(())
            }
            #[cfg(feature = "disk")]
            Committed::Disk { table, codec, .. } => {
                let changed = pending.drain().filter(|(key, _)| !leaving.contains(key));
                table.write(changed.map(|(key, value)| (key, Some(codec.bytes(&value)))))?;
                table.write(leaving.drain().map(|key| (key, None)))
            }
        }
    }

    pub fn rolled_back(&mut self) {
        self.pending.clear();
        self.leaving.clear();
    }

    /// Hands out what is committed under keys that begin so.
    pub fn each(&self, prefix: &[u8], mut each: impl FnMut(&[u8], V)) -> Result<(), StateError> {
        match &self.committed {
            Committed::Memory(values) => {
                for (key, value) in values.iter().filter(|(key, _)| key.starts_with(prefix)) {
                    each(key, value.clone());
                }
                Ok(())
            }
            #[cfg(feature = "disk")]
            Committed::Disk { table, codec, .. } => table.each(prefix, |key, bytes| {
                each(key, (codec.read)(bytes).ok_or_else(|| table.damaged())?);
                Ok(())
            }),
        }
    }
}
