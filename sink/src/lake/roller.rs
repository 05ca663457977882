//! When files are closed and committed. Pure: it is told the sizes and the time, and answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How much may be open, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// An open file of this size is closed; it waits for the next commit.
    pub file_bytes: usize,
    /// What the open files may take in memory together; beyond it the largest are closed.
    pub memory_bytes: usize,
    /// So much encoded is committed at once: what a crash makes read again.
    pub commit_bytes: usize,
    /// Rows wait no longer than this.
    pub age: Duration,
    /// Where no rows have come for this long, none are expected.
    pub idle: Duration,
}

/// What to do with everything that is not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roll {
    Keep,
    /// Close all files and commit them.
    Close(Reason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Size,
    Age,
    Idle,
}

/// An open file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    pub encoded_bytes: usize,
    pub memory_bytes: usize,
}

/// What is collected for one commit: open files by the value of the partition column, and those that were closed.
#[derive(Clone, Debug)]
pub struct Roller<K> {
    bounds: Bounds,
    open: BTreeMap<K, Open>,
    closed_bytes: usize,
    /// When the first and the last rows came.
    times: Option<(Instant, Instant)>,
}

impl<K: Ord + Clone> Roller<K> {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, open: BTreeMap::new(), closed_bytes: 0, times: None }
    }

    /// Rows have come, encoded or not yet.
    pub fn touch(&mut self, now: Instant) {
        self.times = Some((self.times.map_or(now, |(first, _)| first), now));
    }

    /// An open file has grown to this.
    pub fn add(&mut self, file: K, open: Open) {
        self.open.insert(file, open);
    }

    /// The files that must be closed now. The commit does not wait for them, nor they for it.
    pub fn overfull(&self) -> Vec<K> {
        let mut kept: Vec<_> = self.open.iter().collect();
        let mut full: Vec<K> = Vec::new();
        kept.retain(|(file, open)| {
            let is_full = open.encoded_bytes >= self.bounds.file_bytes;
            if is_full {
                full.push((*file).clone());
            }
            !is_full
        });
        let mut memory: usize = kept.iter().map(|(_, open)| open.memory_bytes).sum();
        // The largest first: few good files rather than many small ones.
        kept.sort_by_key(|(_, open)| open.memory_bytes);
        while memory > self.bounds.memory_bytes
            && let Some((file, open)) = kept.pop()
        {
            memory -= open.memory_bytes;
            full.push(file.clone());
        }
        full
    }

    /// The file was closed with this size.
    pub fn closed(&mut self, file: &K, size: usize) {
        self.open.remove(file);
        self.closed_bytes += size;
    }

    pub fn tick(&self, now: Instant) -> Roll {
        let Some((first, last)) = self.times else { return Roll::Keep };
        let open: usize = self.open.values().map(|open| open.encoded_bytes).sum();
        if self.closed_bytes + open >= self.bounds.commit_bytes {
            return Roll::Close(Reason::Size);
        }
        if now.saturating_duration_since(first) >= self.bounds.age {
            return Roll::Close(Reason::Age);
        }
        if now.saturating_duration_since(last) >= self.bounds.idle {
            return Roll::Close(Reason::Idle);
        }
        Roll::Keep
    }

    /// Everything is on its way, or dropped.
    pub fn reset(&mut self) {
        *self = Self::new(self.bounds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use service::clock;

    fn bounds() -> Bounds {
        Bounds {
            file_bytes: 100,
            memory_bytes: 500,
            commit_bytes: 300,
            age: Duration::from_secs(60),
            idle: Duration::from_secs(10),
        }
    }

    fn open(encoded_bytes: usize, memory_bytes: usize) -> Open {
        Open { encoded_bytes, memory_bytes }
    }

    #[test]
    fn nothing_collected_is_kept_for_ever() {
        let roller = Roller::<u32>::new(bounds());
        assert_eq!(roller.tick(clock::now() + Duration::from_secs(1_000_000)), Roll::Keep);
    }

    #[test]
    fn rows_wait_no_longer_than_the_age_however_they_trickle() {
        let mut roller = Roller::<u32>::new(bounds());
        let start = clock::now();
        for second in (0..60).step_by(5) {
            let now = start + Duration::from_secs(second);
            roller.touch(now);
            assert_eq!(roller.tick(now), Roll::Keep);
        }
        assert_eq!(roller.tick(start + Duration::from_secs(60)), Roll::Close(Reason::Age));
    }

    #[test]
    fn an_idle_topic_is_closed_before_the_age() {
        let mut roller = Roller::<u32>::new(bounds());
        let start = clock::now();
        roller.touch(start);
        assert_eq!(roller.tick(start + Duration::from_millis(9_999)), Roll::Keep);
        assert_eq!(roller.tick(start + Duration::from_secs(10)), Roll::Close(Reason::Idle));
    }

    #[test]
    fn open_and_closed_files_count_for_the_commit() {
        let mut roller = Roller::new(bounds());
        let now = clock::now();
        roller.touch(now);
        roller.add(1, open(150, 0));
        assert_eq!(roller.overfull(), [1]);
        roller.closed(&1, 149);
        roller.add(2, open(99, 0));
        roller.add(3, open(51, 0));
        assert_eq!(roller.tick(now), Roll::Keep);
        roller.add(3, open(52, 0));
        assert_eq!(roller.tick(now), Roll::Close(Reason::Size));
        roller.reset();
        assert_eq!(roller.tick(now + Duration::from_secs(99)), Roll::Keep);
    }

    proptest! {
        #[test]
        fn what_stays_open_is_bounded_and_the_largest_go_first(
            sizes in proptest::collection::vec((0..120_usize, 0..200_usize), 0..80),
        ) {
            let mut roller = Roller::new(bounds());
            for (year, (encoded, memory)) in sizes.iter().enumerate() {
                roller.add(year, open(*encoded, *memory));
            }
            let closed = roller.overfull();
            let memory = |years: &[usize]| years.iter().map(|year| sizes[*year].1).sum::<usize>();
            let kept: Vec<_> = (0..sizes.len()).filter(|year| !closed.contains(year)).collect();
            prop_assert!(memory(&kept) <= 500);
            prop_assert!(kept.iter().all(|year| sizes[*year].0 < 100));
            let for_memory: Vec<_> = closed.iter().copied().filter(|year| sizes[*year].0 < 100).collect();
            if let Some(last) = for_memory.last() {
                // Not one more than needed, and none smaller than one that stays.
                prop_assert!(memory(&kept) + sizes[*last].1 > 500);
                prop_assert!(kept.iter().all(|year| for_memory.iter().all(|gone| sizes[*year].1 <= sizes[*gone].1)));
            }
            closed.iter().for_each(|year| roller.closed(year, 0));
            prop_assert!(roller.overfull().is_empty());
        }
    }
}
