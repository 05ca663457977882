//! The target side: the windows that are open, by what their sources have told, and what a transaction closes.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::{StreamTime, Window, Windows};

/// The keys of the open windows; their values lie in a store of the stage's own. What the open transaction adds lies
/// apart until it is committed.
#[derive(Debug)]
pub struct OpenWindows {
    windows: Windows,
    sources: Vec<StreamTime>,
    keys: BTreeMap<Window, HashSet<Vec<u8>>>,
    pending_sources: BTreeMap<u32, StreamTime>,
    pending_keys: BTreeMap<Window, HashSet<Vec<u8>>>,
}

impl OpenWindows {
    /// Open until each of `sources` sources has passed them.
    pub fn new(windows: Windows, sources: u32) -> Self {
        Self {
            windows,
            sources: vec![StreamTime::default(); sources as usize],
            keys: BTreeMap::new(),
            pending_sources: BTreeMap::new(),
            pending_keys: BTreeMap::new(),
        }
    }

    /// Opens the window for this key where it is not open yet. False where it is closed: nothing may be changed then.
    #[must_use]
    pub fn open(&mut self, window: Window, key: &[u8]) -> bool {
        let is_closed = self.windows.is_closed(window, self.time());
        if !is_closed && !contains(&self.keys, window, key) {
            self.pending_keys.entry(window).or_default().get_or_insert_with(key, <[u8]>::to_vec);
        }
        !is_closed
    }

    /// A source has come so far, and will send nothing more for windows that are closed by then. False for a source
    /// that does not exist.
    pub fn advance(&mut self, source: u32, time: StreamTime) -> bool {
        let Some(committed) = self.sources.get(source as usize) else { return false };
        if time > *committed {
            self.pending_sources.entry(source).or_default().advance(time);
        }
        true
    }

    /// What every source has come to.
    pub fn time(&self) -> StreamTime {
        self.times().min().unwrap_or_default()
    }

    /// The keys whose windows the open transaction closes, oldest first: their values are final now. The same until
    /// the transaction has ended, and then never again.
    pub fn closing(&self) -> impl Iterator<Item = (Window, &[u8])> {
        let keys = [&self.keys, &self.pending_keys];
        let windows: BTreeSet<Window> = match self.windows.oldest_open(self.time()) {
            Some(oldest) => {
                keys.iter().flat_map(|keys| keys.range(..oldest)).map(|(window, _)| *window).collect()
            }
            None => BTreeSet::new(),
        };
        windows.into_iter().flat_map(move |window| {
            let keys = keys.into_iter().filter_map(move |keys| keys.get(&window)).flatten();
            keys.map(move |key| (window, key.as_slice()))
        })
    }

    /// Whether the open transaction brings a source forward: the changelog has to know then.
    pub fn has_advanced(&self) -> bool {
        !self.pending_sources.is_empty()
    }

    /// What each source has come to, as the open transaction sees it.
    pub fn times(&self) -> impl Iterator<Item = StreamTime> {
        (0..).zip(&self.sources).map(|(source, committed)| {
            self.pending_sources.get(&source).map_or(*committed, |pending| *pending.max(committed))
        })
    }

    pub fn committed(&mut self) {
        for (source, time) in std::mem::take(&mut self.pending_sources) {
            self.sources[source as usize].advance(time);
        }
        for (window, keys) in std::mem::take(&mut self.pending_keys) {
            self.keys.entry(window).or_default().extend(keys);
        }
        self.drop_closed();
    }

    pub fn rolled_back(&mut self) {
        self.pending_sources.clear();
        self.pending_keys.clear();
    }

    /// Takes a source's time from the changelog.
    pub fn restore_source(&mut self, source: u32, time: StreamTime) -> bool {
        let known = self.sources.get_mut(source as usize).map(|known| known.advance(time));
        known.is_some()
    }

    /// Takes a key whose window was open when the changelog's record was written.
    pub fn restore_open(&mut self, window: Window, key: &[u8]) {
        self.keys.entry(window).or_default().insert(key.to_vec());
    }

    /// Takes a key whose final result is in the changelog.
    pub fn restore_closed(&mut self, window: Window, key: &[u8]) {
        if let Some(keys) = self.keys.get_mut(&window) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&window);
            }
        }
    }

    /// How many keys have an open window.
    pub fn len(&self) -> usize {
        self.keys.values().chain(self.pending_keys.values()).map(HashSet::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn drop_closed(&mut self) {
        if let Some(oldest) = self.windows.oldest_open(self.time()) {
            self.keys = self.keys.split_off(&oldest);
        }
    }
}

fn contains(keys: &BTreeMap<Window, HashSet<Vec<u8>>>, window: Window, key: &[u8]) -> bool {
    keys.get(&window).is_some_and(|keys| keys.contains(key))
}
