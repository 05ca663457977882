//! The changelog of the ids met: one record a commit, with the task's counters and the new ids.
//!
//! ```text
//! version 2, rows, sightings, rejects, duplicates, late (u64, little endian, since the beginning),
//! stream time (i64, the smallest for none), then 16 bytes for each new id
//! ```

use domain::SightingId;
use engine::window::Intake;

use crate::arrivals::{decode_time, encode_time};

const VERSION: u8 = 2;
const HEADER_BYTES: usize = 1 + 6 * 8;
const ID_BYTES: usize = 16;

/// What a partition of `ufo.raw` has come to: `rows = sightings + rejects + duplicates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub rows: u64,
    pub sightings: u64,
    pub rejects: u64,
    pub duplicates: u64,
    /// The partition's time, and how many of its sightings came too late for their minute of arrival.
    pub arrivals: Intake,
}

/// A record of the changelog, decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct SeenBlock<'a> {
    /// As of this commit.
    pub counters: Counters,
    ids: &'a [[u8; ID_BYTES]],
}

impl SeenBlock<'_> {
    /// The ids met for the first time in this commit.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = SightingId> {
        self.ids.iter().map(|id| SightingId::from_bytes(*id))
    }
}

pub fn encode_seen<'i>(
    counters: &Counters,
    ids: impl ExactSizeIterator<Item = &'i [u8; ID_BYTES]>,
    out: &mut Vec<u8>,
) {
    out.reserve(HEADER_BYTES + ids.len() * ID_BYTES);
    out.push(VERSION);
    let Counters { rows, sightings, rejects, duplicates, arrivals } = counters;
    for count in [rows, sightings, rejects, duplicates, &arrivals.late] {
        out.extend_from_slice(&count.to_le_bytes());
    }
    out.extend_from_slice(&encode_time(arrivals.time));
    for id in ids {
        out.extend_from_slice(id);
    }
}

/// `None` for bytes that [`encode_seen`] did not write.
pub fn decode_seen(value: &[u8]) -> Option<SeenBlock<'_>> {
    let (&version, rest) = value.split_first()?;
    let (counts, ids) = rest.split_at_checked(HEADER_BYTES - 1)?;
    let (counts, _) = counts.as_chunks::<8>();
    let &[rows, sightings, rejects, duplicates, late, time] = counts else { return None };
    let arrivals = Intake { time: decode_time(time), late: u64::from_le_bytes(late) };
    let [rows, sightings, rejects, duplicates] =
        [rows, sightings, rejects, duplicates].map(u64::from_le_bytes);
    let (ids, odd) = ids.as_chunks::<ID_BYTES>();
    (version == VERSION && odd.is_empty())
        .then_some(SeenBlock { counters: Counters { rows, sightings, rejects, duplicates, arrivals }, ids })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::window::StreamTime;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(
            counts in any::<[u64; 5]>(),
            time in any::<Option<i64>>(),
            ids in prop::collection::vec(any::<[u8; 16]>(), 0..20),
        ) {
            let [rows, sightings, rejects, duplicates, late] = counts;
            let time = time.map(StreamTime::at).unwrap_or_default();
            let counters = Counters { rows, sightings, rejects, duplicates, arrivals: Intake { time, late } };
            let mut bytes = Vec::new();
            encode_seen(&counters, ids.iter(), &mut bytes);
            let block = decode_seen(&bytes).expect("decodes");
            prop_assert_eq!(block.counters, counters);
            prop_assert_eq!(block.ids().map(SightingId::to_bytes).collect::<Vec<_>>(), ids);
            let watched = domain::wire::decode_row_counts(&bytes).expect("those who watch read its head");
            prop_assert_eq!([watched.rows, watched.sightings, watched.rejects, watched.duplicates, watched.late], counts);
            bytes.push(0);
            prop_assert_eq!(decode_seen(&bytes), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode_seen(&bytes);
        }
    }
}
