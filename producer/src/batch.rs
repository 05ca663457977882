//! Rows that are sent together: each a record of `ufo.raw` under its id, all in one piece of memory.

use domain::SightingId;

/// Rows as they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    rows: Vec<(SightingId, usize)>,
    values: Vec<u8>,
}

impl Batch {
    /// Appends what `encode` writes, and gives the row's id, unless `judge` gives a reason against it.
    pub(crate) fn push<E>(
        &mut self,
        encode: impl FnOnce(&mut Vec<u8>) -> SightingId,
        judge: impl FnOnce(SightingId, &[u8]) -> Result<(), E>,
    ) -> Result<SightingId, E> {
        let start = self.values.len();
        let id = encode(&mut self.values);
        match judge(id, &self.values[start..]) {
            Ok(()) => {
                self.rows.push((id, self.values.len()));
                Ok(id)
            }
            Err(reason) => {
                self.values.truncate(start);
                Err(reason)
            }
        }
    }

    /// Each row's id and its record's value.
    pub fn rows(&self) -> impl Iterator<Item = (SightingId, &[u8])> {
        let starts = std::iter::once(0).chain(self.rows.iter().map(|(_, end)| *end));
        self.rows.iter().zip(starts).map(|((id, end), start)| (*id, &self.values[start..*end]))
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What it takes of memory, about.
    pub fn bytes(&self) -> usize {
        self.values.len() + self.rows.len() * size_of::<(SightingId, usize)>()
    }
}
