//! What a reader has collected since its last commit: rows, then open files, then files on their way up.

use std::collections::BTreeMap;
use std::time::Instant;

use arrow_schema::SchemaRef;
use delta::{Encoder, Encoding, file_schema};
use engine::record::Record;

use super::Target;
use crate::lake::LakeError;
use crate::lake::roller::{Bounds, Open, Roll, Roller};
use crate::lake::rows::{Rows, Year};
use crate::lake::store::TableStore;

/// Rows are encoded so many at a time: enough that a chunk of seventy years still has long columns…
const CHUNK_ROWS: usize = 16 * 1024;
/// …and few enough to fit a processor's cache, more or less.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;

pub(super) struct Collected<R> {
    rows: R,
    /// Bytes of the records behind `rows`.
    bytes: usize,
    files: BTreeMap<Year, Encoder>,
    roller: Roller<Year>,
    encoding: Encoding,
    schema: SchemaRef,
    partition_column: Option<&'static str>,
}

impl<R: Rows> Collected<R> {
    pub(super) fn new(target: &Target, bounds: Bounds) -> Self {
        let partition_columns: Vec<_> = target.partition_column.into_iter().collect();
        Self {
            rows: R::default(),
            bytes: 0,
            files: BTreeMap::new(),
            roller: Roller::new(bounds),
            encoding: Encoding::new(target.distinct),
            schema: file_schema(&target.schema, &partition_columns),
            partition_column: target.partition_column,
        }
    }

    /// False for a record that none of our stages wrote.
    pub(super) fn push(&mut self, topic: &str, record: Record<'_>) -> bool {
        self.bytes += record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        self.rows.push(topic, record)
    }

    pub(super) fn touch(&mut self, now: Instant) {
        self.roller.touch(now);
    }

    pub(super) fn tick(&self, now: Instant) -> Roll {
        self.roller.tick(now)
    }

    /// Encodes the rows where there are enough of them, and closes files that are large enough.
    pub(super) fn encode_if_full(&mut self, store: &mut TableStore) -> Result<(), LakeError> {
        if self.rows.len() < CHUNK_ROWS && self.bytes < CHUNK_BYTES {
            return Ok(());
        }
        self.encode()?;
        for year in self.roller.overfull() {
            self.close(year, store)?;
        }
        Ok(())
    }

    fn encode(&mut self) -> Result<(), LakeError> {
        self.bytes = 0;
        if self.rows.len() == 0 {
            return Ok(());
        }
        for (year, batch) in self.rows.finish()? {
            let mut encoder = match self.files.remove(&year) {
                Some(encoder) => encoder,
                None => self.encoder(year)?,
            };
            encoder.push(&batch)?;
            let open = Open { encoded_bytes: encoder.encoded_bytes(), memory_bytes: encoder.memory_bytes() };
            self.roller.add(year, open);
            self.files.insert(year, encoder);
        }
        Ok(())
    }

    fn encoder(&self, year: Year) -> Result<Encoder, LakeError> {
        let value = || year.map(|year| year.to_string());
        let partition: Vec<_> = self.partition_column.iter().map(|column| (*column, value())).collect();
        Ok(Encoder::new(&self.schema, &self.encoding, &partition)?)
    }

    fn close(&mut self, year: Year, store: &mut TableStore) -> Result<(), LakeError> {
        if let Some(encoder) = self.files.remove(&year) {
            let file = encoder.finish()?;
            self.roller.closed(&year, usize::try_from(file.size).unwrap_or(usize::MAX));
            store.upload(file);
        }
        Ok(())
    }

    /// Everything is on its way up afterwards, and nothing collected.
    pub(super) fn close_all(&mut self, store: &mut TableStore) -> Result<(), LakeError> {
        self.encode()?;
        let years: Vec<_> = self.files.keys().copied().collect();
        for year in years {
            self.close(year, store)?;
        }
        self.roller.reset();
        Ok(())
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.rows = R::default();
        self.bytes = 0;
        self.files.clear();
        self.roller.reset();
    }
}
