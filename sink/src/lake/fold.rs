//! The current aggregates of one partition of the compacted topic. Pure.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Aggregate, Key, View, wire};
use engine::record::{NextOffset, Record};

/// Folded from the beginning of the partition.
#[derive(Debug)]
pub(super) struct Fold {
    current: BTreeMap<View, BTreeMap<Vec<u8>, (Key, Aggregate)>>,
    changed: BTreeSet<View>,
    next: NextOffset,
    /// The end of the partition when the fold began.
    whole_at: NextOffset,
    is_whole: bool,
}

impl Fold {
    pub(super) fn new(whole_at: NextOffset) -> Self {
        let (current, changed) = (BTreeMap::new(), BTreeSet::new());
        Self { current, changed, next: NextOffset::START, whole_at, is_whole: false }
    }

    pub(super) fn next(&self) -> NextOffset {
        self.next
    }

    /// The partition has nothing more, for now.
    pub(super) fn reached_end(&mut self) {
        self.is_whole = true;
    }

    /// Compaction removes a record once its key has a later one. A fold that has not come to the later one lacks the
    /// key: written, it would make a value go back.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole || self.next >= self.whole_at
    }

    /// False for a record that none of our stages wrote.
    pub(super) fn apply(&mut self, record: Record<'_>) -> bool {
        // After a seek a client may still hand out what it had fetched before.
        if record.offset < self.next.get() {
            return true;
        }
        self.next = NextOffset::after(record.offset);
        let Some((record_key, view)) = record.key.and_then(|key| Some((key, View::of_record_key(key)?)))
        else {
            return false;
        };
        let rows = self.current.entry(view).or_default();
        match record.value.map(wire::decode_aggregate) {
            Some(Ok((_, key, aggregate))) => match rows.get_mut(record_key) {
                Some(found) => found.1 = aggregate,
                None => drop(rows.insert(record_key.to_vec(), (key, aggregate))),
            },
            Some(Err(_)) => return false,
            None => drop(rows.remove(record_key)),
        }
        self.changed.insert(view);
        true
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<View> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What was taken could not be written.
    pub(super) fn mark_changed(&mut self, view: View) {
        self.changed.insert(view);
    }

    /// The view's rows, by record key.
    pub(super) fn rows(&self, view: View) -> impl Iterator<Item = (&[u8], &Key, &Aggregate)> + Clone {
        let rows = self.current.get(&view).into_iter().flatten();
        rows.map(|(record_key, (key, aggregate))| (record_key.as_slice(), key, aggregate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Part;
    use engine::record::Partition;

    fn apply(fold: &mut Fold, offset: u64, key: &[u8], count: Option<u64>) -> bool {
        let mut value = Vec::new();
        let view = View::of_record_key(key).unwrap_or(View::Country);
        let aggregate = Aggregate { count: count.unwrap_or(0), ..Aggregate::empty() };
        wire::encode_aggregate(view, key, &aggregate, &mut value);
        let value = count.map(|_| value.as_slice());
        fold.apply(Record { partition: Partition(0), offset, timestamp_ms: 0, key: Some(key), value })
    }

    fn counts(fold: &Fold) -> Vec<(Key, u64)> {
        fold.rows(View::Country).map(|(_, key, aggregate)| (key.clone(), aggregate.count)).collect()
    }

    fn country(code: &str) -> Key {
        Key(vec![Part::Text(code.into())])
    }

    #[test]
    fn the_last_record_of_a_key_counts_and_a_tombstone_removes_it() {
        let mut fold = Fold::new(NextOffset::START);
        assert!(apply(&mut fold, 0, br#"["country","us"]"#, Some(1)));
        assert!(apply(&mut fold, 2, br#"["country","de"]"#, Some(5)));
        assert!(apply(&mut fold, 7, br#"["country","us"]"#, Some(2)));
        assert_eq!(counts(&fold), [(country("de"), 5), (country("us"), 2)]);
        assert!(apply(&mut fold, 8, br#"["country","de"]"#, None));
        assert_eq!(counts(&fold), [(country("us"), 2)]);
        assert_eq!(fold.take_changed(), BTreeSet::from([View::Country]));
        assert!(fold.take_changed().is_empty());
    }

    #[test]
    fn what_was_seen_before_changes_nothing() {
        let mut fold = Fold::new(NextOffset::START);
        apply(&mut fold, 7, br#"["country","us"]"#, Some(2));
        assert!(apply(&mut fold, 3, br#"["country","us"]"#, Some(1)));
        assert_eq!(counts(&fold), [(country("us"), 2)]);
        assert_eq!(fold.next(), NextOffset::after(7));
    }

    #[test]
    fn a_fold_that_lacks_later_records_is_not_whole() {
        let mut fold = Fold::new(NextOffset::at(10));
        apply(&mut fold, 8, br#"["country","us"]"#, Some(1));
        assert!(!fold.is_whole());
        apply(&mut fold, 9, br#"["country","us"]"#, Some(2));
        assert!(fold.is_whole());
        // The last offsets may be markers, which are never handed out.
        let mut fold = Fold::new(NextOffset::at(10));
        fold.reached_end();
        assert!(fold.is_whole());
    }

    #[test]
    fn a_strange_record_is_told_and_passed_over() {
        let mut fold = Fold::new(NextOffset::START);
        assert!(!apply(&mut fold, 0, b"us", Some(1)));
        assert!(!apply(&mut fold, 1, br#"["planet","us"]"#, Some(1)));
        let key: &[u8] = br#"["country","us"]"#;
        let record = Record {
            partition: Partition(0),
            offset: 2,
            timestamp_ms: 0,
            key: Some(key),
            value: Some(b"{}"),
        };
        assert!(!fold.apply(record));
        assert_eq!((counts(&fold), fold.next()), (vec![], NextOffset::after(2)));
    }
}
