//! The view `arrivals`: sightings per minute of arrival (the raw record's timestamp) and country, in windows.
//!
//! What comes too late is decided by the order of its own partition of `ufo.raw`, in stage *clean*; so a replay decides
//! the same, and sightings = arrivals + late. Stage *aggregate* closes a minute when every partition has passed it.
//!
//! ```text
//! notice (record key in the repartition topic): source partition (u32), its stream time (i64)
//! changelog (one record a task):                version 1, late (u64), stream time of each source (i64)
//! ```
//! All numbers little endian; the smallest time stands for none.

use std::time::Duration;

use domain::{Aggregate, Country, arrivals_key};
use engine::record::Partition;
use engine::window::{StreamTime, Window, Windows};
use hashbrown::HashMap;

use crate::combine::Combiner;

/// A minute takes what comes up to ten minutes behind its end: producers' clocks and retries differ by less.
pub const WINDOWS: Windows = Windows::tumbling(Duration::from_secs(60), Duration::from_secs(600));

/// The only key of a task's part of the changelog.
pub(crate) const CHANGELOG_KEY: &[u8] = b"windows";
const VERSION: u8 = 1;

/// What the open transaction adds to each minute and country. Few keys, so they are written out only at the commit.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(HashMap<(Window, Option<Country>), Aggregate>);

impl Arrivals {
    pub(crate) fn add(&mut self, window: Window, country: Option<Country>, delta: &Aggregate) {
        self.0.entry((window, country)).or_default().merge(delta);
    }

    /// Moves all to the other views' deltas. `key` is where keys are written.
    pub(crate) fn drain_into(&mut self, combiner: &mut Combiner, key: &mut Vec<u8>) {
        for ((window, country), delta) in self.0.drain() {
            arrivals_key(country, window.start_ms(), key);
            combiner.add(key, &delta);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The key of a record that says how far a partition of `ufo.raw` has come.
pub(crate) fn encode_notice(source: Partition, time: StreamTime) -> [u8; 12] {
    let mut notice = [0; 12];
    notice[..4].copy_from_slice(&source.0.to_le_bytes());
    notice[4..].copy_from_slice(&encode_time(time));
    notice
}

pub(crate) fn decode_notice(key: &[u8]) -> Option<(u32, StreamTime)> {
    let (source, time) = key.split_first_chunk()?;
    Some((u32::from_le_bytes(*source), decode_time(*time.as_array()?)))
}

/// What an aggregate task knows of its windows beside their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowsState {
    /// Sightings that reached a minute after it was closed: none, unless grace was made longer meanwhile.
    pub late: u64,
    /// By partition of `ufo.raw`.
    pub times: Vec<StreamTime>,
}

pub(crate) fn encode_windows(late: u64, times: impl Iterator<Item = StreamTime>, out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend_from_slice(&late.to_le_bytes());
    times.for_each(|time| out.extend_from_slice(&encode_time(time)));
}

/// `None` for bytes that no processor wrote.
pub fn decode_windows(value: &[u8]) -> Option<WindowsState> {
    let (&VERSION, rest) = value.split_first()? else { return None };
    let (late, times) = rest.split_first_chunk()?;
    let (times, odd) = times.as_chunks::<8>();
    let times = times.iter().map(|time| decode_time(*time)).collect();
    odd.is_empty().then_some(WindowsState { late: u64::from_le_bytes(*late), times })
}

pub(crate) fn encode_time(time: StreamTime) -> [u8; 8] {
    time.get().unwrap_or(i64::MIN).to_le_bytes()
}

pub(crate) fn decode_time(bytes: [u8; 8]) -> StreamTime {
    match i64::from_le_bytes(bytes) {
        i64::MIN => StreamTime::default(),
        time_ms => StreamTime::at(time_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back_and_what_is_cut_does_not() {
        let times = [StreamTime::default(), StreamTime::at(-1), StreamTime::at(1_795_512_138_999)];
        for time in times {
            let notice = encode_notice(Partition(7), time);
            assert_eq!(decode_notice(&notice), Some((7, time)));
            assert_eq!(decode_notice(&notice[..11]), None);
        }
        let mut value = Vec::new();
        encode_windows(3, times.into_iter(), &mut value);
        assert_eq!(decode_windows(&value), Some(WindowsState { late: 3, times: times.to_vec() }));
        value.push(0);
        assert_eq!(decode_windows(&value), None);
        assert_eq!(decode_windows(&[2, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
