//! A keyed store: the value of each key, with the changes of the open transaction over it.

use hashbrown::{HashMap, HashSet};

/// Values by key; `pending` holds the whole new value of each key changed since the last commit.
#[derive(Debug)]
pub struct KeyedStore<V> {
    committed: HashMap<Vec<u8>, V>,
    pending: HashMap<Vec<u8>, V>,
    /// Keys that leave the store with the commit.
    leaving: HashSet<Vec<u8>>,
}

impl<V> Default for KeyedStore<V> {
    fn default() -> Self {
        Self { committed: HashMap::new(), pending: HashMap::new(), leaving: HashSet::new() }
    }
}

impl<V: Clone + Default> KeyedStore<V> {
    /// The value of `key` to be changed in the open transaction; the default where there is none yet.
    pub fn change(&mut self, key: &[u8]) -> &mut V {
        let committed = &self.committed;
        self.pending.entry_ref(key).or_insert_with(|| committed.get(key).cloned().unwrap_or_default())
    }

    /// The value of `key` as the open transaction sees it.
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.pending.get(key).or_else(|| self.committed.get(key))
    }

    /// Sets a value that a changelog holds.
    pub fn restore(&mut self, key: &[u8], value: Option<V>) {
        match value {
            Some(value) => {
                self.committed.insert(key.to_vec(), value);
            }
            None => {
                self.committed.remove(key);
            }
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

    pub fn committed(&mut self) {
        self.committed.extend(self.pending.drain());
        for key in self.leaving.drain() {
            self.committed.remove(&key);
        }
    }

    pub fn rolled_back(&mut self) {
        self.pending.clear();
        self.leaving.clear();
    }

    pub fn len(&self) -> usize {
        self.committed.len()
    }

    pub fn is_empty(&self) -> bool {
        self.committed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rolled_back_change_leaves_the_committed_value() {
        let mut store = KeyedStore::<u64>::default();
        *store.change(b"us") += 2;
        store.committed();
        *store.change(b"us") += 5;
        assert_eq!(store.get(b"us"), Some(&7));
        store.rolled_back();
        assert_eq!(store.get(b"us"), Some(&2));
    }

    #[test]
    fn what_leaves_stays_until_the_commit() {
        let mut store = KeyedStore::<u64>::default();
        *store.change(b"us") += 2;
        store.leave(b"us");
        store.rolled_back();
        assert!(store.is_empty());
        *store.change(b"us") += 2;
        store.committed();
        store.leave(b"us");
        assert_eq!(store.get(b"us"), Some(&2));
        store.committed();
        assert!(store.is_empty());
    }
}
