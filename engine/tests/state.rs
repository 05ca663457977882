//! What a store promises, in memory and on disk (`--features disk`).

use engine::record::{NextOffset, Partition};
use engine::state::{Codec, IdSet, KeyedStore, Store, Stores};

const CODEC: Codec<u64> = Codec {
    write: |number, out| out.extend_from_slice(&number.to_le_bytes()),
    read: |bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)),
};

fn open(stores: &Stores, stage: &str, committed: u64) -> Store {
    stores.open(stage, Partition(3), NextOffset::at(committed)).expect("opens")
}

fn keyed(store: &Store) -> KeyedStore<u64> {
    KeyedStore::new(store, CODEC)
}

fn all(store: &KeyedStore<u64>, prefix: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let mut found = Vec::new();
    store.each(prefix, |key, value| found.push((key.to_vec(), value))).expect("reads");
    found.sort();
    found
}

fn contract(stores: &Stores) {
    what_is_rolled_back_was_never_met(&open(stores, "ids", 0));
    a_rolled_back_change_leaves_the_committed_value(&open(stores, "changed", 0));
    what_leaves_stays_until_the_commit(&open(stores, "leaving", 0));
    what_is_restored_is_committed(&open(stores, "restored", 0), &open(stores, "restored ids", 0));
}

fn what_is_rolled_back_was_never_met(store: &Store) {
    let mut ids = IdSet::new(store);
    assert!(ids.insert([1; 16]));
    assert!(!ids.insert([1; 16]));
    ids.rolled_back();
    assert!(ids.insert([1; 16]));
    ids.committed().expect("commits");
    ids.rolled_back();
    assert!(!ids.insert([1; 16]));
    assert_eq!(ids.pending().len(), 0);
    ids.check().expect("nothing failed");
}

fn a_rolled_back_change_leaves_the_committed_value(store: &Store) {
    let mut store = keyed(store);
    *store.change(b"us") += 2;
    store.committed().expect("commits");
    *store.change(b"us") += 5;
    assert_eq!(store.get(b"us").expect("reads"), Some(7));
    assert_eq!(all(&store, b""), [(b"us".to_vec(), 2)]);
    store.rolled_back();
    assert_eq!(store.get(b"us").expect("reads"), Some(2));
    assert_eq!(store.get(b"ca").expect("reads"), None);
}

fn what_leaves_stays_until_the_commit(store: &Store) {
    let mut store = keyed(store);
    *store.change(b"us") += 2;
    store.leave(b"us");
    store.rolled_back();
    store.committed().expect("commits");
    assert_eq!(all(&store, b""), []);
    *store.change(b"us") += 2;
    *store.change(b"ca") += 1;
    store.committed().expect("commits");
    store.leave(b"us");
    assert_eq!(store.get(b"us").expect("reads"), Some(2));
    *store.change(b"us") += 1;
    store.committed().expect("commits");
    assert_eq!(all(&store, b""), [(b"ca".to_vec(), 1)]);
    assert_eq!(store.pending().len(), 0);
}

fn what_is_restored_is_committed(store: &Store, id_store: &Store) {
    let mut store = keyed(store);
    for (key, value) in [("us", Some(1)), ("ca", Some(4)), ("us", Some(2)), ("ca", None), ("ua", Some(9))] {
        store.restore(key.as_bytes(), value).expect("restores");
    }
    store.restored().expect("restores");
    assert_eq!(all(&store, b"u"), [(b"ua".to_vec(), 9), (b"us".to_vec(), 2)]);
    assert_eq!(store.get(b"ca").expect("reads"), None);
    store.rolled_back();
    assert_eq!(*store.change(b"us"), 2);

    // More than are collected before they are written.
    let mut ids = IdSet::new(id_store);
    let id = |number: u32| u128::from(number).to_le_bytes();
    for number in 0..40_000 {
        ids.restore(id(number)).expect("restores");
    }
    ids.restored().expect("restores");
    assert!((0..40_000).step_by(999).all(|number| !ids.insert(id(number))));
    assert!(ids.insert(id(40_000)));
}

#[test]
fn memory_keeps_the_contract() {
    contract(&Stores::Memory);
}

#[cfg(feature = "disk")]
mod disk {
    use std::fs;
    use std::path::Path;

    use engine::state::disk::DiskStores;

    use super::*;

    fn stores(folder: &Path) -> Stores {
        Stores::Disk(DiskStores::open(folder).expect("opens"))
    }

    /// State with one value, closed at this position.
    fn closed(stores: &Stores, value: u64, committed: u64) {
        let mut store = open(stores, "task", 0);
        let mut values = keyed(&store);
        *values.change(b"us") = value;
        values.committed().expect("commits");
        store.close(NextOffset::at(committed), b"note").expect("closes");
    }

    /// A journal is mostly zeros that were never written.
    fn copy_sparse(from: &Path, to: &Path) {
        let bytes = fs::read(from).expect("reads");
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        fs::write(to, &bytes[..end]).expect("writes");
        fs::File::options()
            .write(true)
            .open(to)
            .and_then(|file| file.set_len(bytes.len() as u64))
            .expect("as long");
    }

    /// What a killed process leaves: the files as they are while it works.
    fn killed(folder: &Path, left: &Path) {
        fs::create_dir_all(left).expect("a folder");
        for entry in fs::read_dir(folder).expect("lists") {
            let entry = entry.expect("an entry");
            let to = left.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                killed(&entry.path(), &to);
            } else {
                copy_sparse(&entry.path(), &to);
            }
        }
    }

    #[test]
    fn disk_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        contract(&stores(folder.path()));
    }

    #[test]
    fn a_clean_stop_needs_no_restore() {
        let folder = tempfile::tempdir().expect("a folder");
        closed(&stores(folder.path()), 7, 42);
        // In another process, and in the same one.
        let stores = stores(folder.path());
        for _ in 0..2 {
            let mut store = open(&stores, "task", 42);
            assert_eq!(store.note(), Some(&b"note"[..]));
            assert_eq!(keyed(&store).get(b"us").expect("reads"), Some(7));
            store.close(NextOffset::at(42), b"note").expect("closes");
        }
    }

    #[test]
    fn state_of_another_position_is_discarded() {
        let folder = tempfile::tempdir().expect("a folder");
        let stores = stores(folder.path());
        closed(&stores, 7, 42);
        for committed in [43, 42] {
            let store = open(&stores, "task", committed);
            assert_eq!(store.note(), None, "{committed}");
            assert_eq!(all(&keyed(&store), b""), []);
        }
    }

    #[test]
    fn unclean_stop_discards_local_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let left = tempfile::tempdir().expect("a folder");
        let working = stores(folder.path());
        closed(&working, 7, 42);
        let store = open(&working, "task", 42);
        let mut values = keyed(&store);
        *values.change(b"us") = 8;
        values.committed().expect("commits");
        killed(folder.path(), left.path());

        let restarted = stores(left.path());
        let store = open(&restarted, "task", 42);
        assert_eq!(store.note(), None);
        assert_eq!(all(&keyed(&store), b""), []);
    }

    #[test]
    fn a_task_that_lost_its_partition_does_not_write_to_its_successor() {
        let folder = tempfile::tempdir().expect("a folder");
        let stores = stores(folder.path());
        let (first, mut second) = (open(&stores, "task", 5), open(&stores, "task", 5));
        let (mut of_first, mut of_second) = (keyed(&first), keyed(&second));
        *of_first.change(b"us") = 1;
        of_first.committed().expect("commits");
        assert_eq!(all(&of_second, b""), []);
        *of_second.change(b"us") = 2;
        of_second.committed().expect("commits");
        second.close(NextOffset::at(6), b"").expect("closes");
        drop((of_first, first, of_second, second));
        assert_eq!(all(&keyed(&open(&stores, "task", 6)), b""), [(b"us".to_vec(), 2)]);
    }

    #[test]
    fn what_cannot_be_read_is_restored() {
        let folder = tempfile::tempdir().expect("a folder");
        closed(&stores(folder.path()), 7, 42);
        for entry in fs::read_dir(folder.path()).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::write(path, b"nothing that was written here").expect("writes");
            }
        }
        assert_eq!(open(&stores(folder.path()), "task", 42).note(), None);
    }
}
