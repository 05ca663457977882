//! The set of ids already met: 16 bytes each, in insertion order for the changelog.

use hashbrown::HashSet;

/// Ids seen, with those of the open transaction apart.
#[derive(Debug, Default)]
pub struct IdSet {
    committed: HashSet<[u8; 16]>,
    pending: HashSet<[u8; 16]>,
}

impl IdSet {
    /// Adds an id to the open transaction; false where it was met before.
    pub fn insert(&mut self, id: [u8; 16]) -> bool {
        !self.committed.contains(&id) && self.pending.insert(id)
    }

    /// Adds an id that a changelog holds.
    pub fn restore(&mut self, id: [u8; 16]) {
        self.committed.insert(id);
    }

    /// The ids of the open transaction, in no particular order.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &[u8; 16]> {
        self.pending.iter()
    }

    pub fn committed(&mut self) {
        self.committed.extend(self.pending.drain());
    }

    pub fn rolled_back(&mut self) {
        self.pending.clear();
    }

    pub fn len(&self) -> usize {
        self.committed.len() + self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rolled_back_was_never_met() {
        let mut ids = IdSet::default();
        assert!(ids.insert([1; 16]));
        assert!(!ids.insert([1; 16]));
        ids.rolled_back();
        assert!(ids.insert([1; 16]));
        ids.committed();
        ids.rolled_back();
        assert!(!ids.insert([1; 16]));
        assert_eq!(ids.len(), 1);
    }
}
