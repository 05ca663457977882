//! The head of a record of `ufo.seen-changelog`, for those who watch: what a partition of `ufo.raw` has come to.

/// `rows = sightings + rejects + duplicates`, since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub rows: u64,
    pub sightings: u64,
    pub rejects: u64,
    pub duplicates: u64,
    /// Sightings that came too late for their minute of arrival.
    pub late: u64,
}

/// The version whose head is read here; the whole record is the processor's own.
const VERSION: u8 = 2;

/// `None` for what begins otherwise.
pub fn decode_row_counts(value: &[u8]) -> Option<RowCounts> {
    let (&VERSION, rest) = value.split_first()? else { return None };
    let (counts, _) = rest.as_chunks::<8>();
    let &[rows, sightings, rejects, duplicates, late, ..] = counts else { return None };
    let [rows, sightings, rejects, duplicates, late] =
        [rows, sightings, rejects, duplicates, late].map(u64::from_le_bytes);
    Some(RowCounts { rows, sightings, rejects, duplicates, late })
}
