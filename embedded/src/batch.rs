//! Many records in one value, so that the database's cost is per batch.
//!
//! ```text
//! value:  CRC-32 of the rest (4 bytes, little endian), 0 or 1, records as they are (0) or as an lz4 block with its length in front (1)
//! record: offset and timestamp as differences to the record before, key length + 1 (0: none), key, value likewise; LEB128
//! ```

use std::ops::ControlFlow;

use engine::record::{NewRecord, Partition, Record};

/// A batch is closed when its records pass this size: what a reader holds at a time.
pub(crate) const BATCH_BYTES: usize = 512 * 1024;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const HEAD_BYTES: usize = CHECKSUM_BYTES + 1;

/// Records being collected.
#[derive(Default)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
    records: u64,
    last_offset: u64,
    last_timestamp_ms: i64,
}

impl Builder {
    /// Adds a record at `offset` (counted from the batch's base).
    pub(crate) fn push(&mut self, offset: u64, record: NewRecord<'_>) {
        write_number(offset - self.last_offset, &mut self.bytes);
        write_number(zigzag(record.timestamp_ms.wrapping_sub(self.last_timestamp_ms)), &mut self.bytes);
        self.last_offset = offset;
        self.last_timestamp_ms = record.timestamp_ms;
        for field in [record.key, record.value] {
            write_number(field.map_or(0, |field| field.len() as u64 + 1), &mut self.bytes);
            self.bytes.extend_from_slice(field.unwrap_or_default());
        }
        self.records += 1;
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    pub(crate) fn finish(self) -> Encoded {
        let compressed = lz4_flex::compress_prepend_size(&self.bytes);
        // What hardly shrinks is cheaper to read as it is.
        let is_smaller = compressed.len() < self.bytes.len() - self.bytes.len() / 16;
        let (tag, body) = if is_smaller { (LZ4, compressed) } else { (PLAIN, self.bytes) };
        let mut value = Vec::with_capacity(body.len() + HEAD_BYTES);
        value.extend_from_slice(&[0; CHECKSUM_BYTES]);
        value.push(tag);
        value.extend_from_slice(&body);
        let checksum = crc32fast::hash(&value[CHECKSUM_BYTES..]);
        value[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
        Encoded { value, records: self.records, span: self.last_offset + 1 }
    }
}

/// A batch as it is stored.
pub(crate) struct Encoded {
    pub(crate) value: Vec<u8>,
    pub(crate) records: u64,
    /// One past the last record's offset, counted from the base.
    pub(crate) span: u64,
}

/// A batch as it is read.
pub(crate) struct Batch {
    base: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Batch {
    /// `None` for bytes that no [`Builder`] wrote.
    pub(crate) fn decode(base: u64, value: &[u8]) -> Option<Self> {
        let (checksum, rest) = value.split_first_chunk::<CHECKSUM_BYTES>()?;
        if crc32fast::hash(rest).to_le_bytes() != *checksum {
            return None;
        }
        let bytes = match rest.split_first()? {
            (&PLAIN, body) => body.to_vec(),
            (&LZ4, body) => lz4_flex::decompress_size_prepended(body).ok()?,
            _ => return None,
        };
        let mut batch = Self { base, end: base, bytes };
        let mut end = None;
        let is_whole = batch.walk(&mut |offset, _, _, _| {
            end = Some(offset + 1);
            ControlFlow::Continue(())
        });
        batch.end = end.filter(|_| is_whole)?;
        Some(batch)
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// One past its last record.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Hands out the records from `from` on.
    pub(crate) fn each(
        &self,
        partition: Partition,
        from: u64,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) {
        self.walk(&mut |offset, timestamp_ms, key, value| {
            if offset < from {
                return ControlFlow::Continue(());
            }
            each(Record { partition, offset, timestamp_ms, key, value })
        });
    }

    /// False where the bytes end in the middle of a record.
    fn walk(&self, each: Visit<'_>) -> bool {
        let mut rest = self.bytes.as_slice();
        let (mut offset, mut timestamp_ms) = (self.base, 0_i64);
        while !rest.is_empty() {
            let Some((offset_step, time_step, key, value)) = read_record(&mut rest) else { return false };
            offset += offset_step;
            timestamp_ms = timestamp_ms.wrapping_add(unzigzag(time_step));
            if each(offset, timestamp_ms, key, value).is_break() {
                return true;
            }
        }
        true
    }
}

/// Takes offset, timestamp, key and value.
type Visit<'v> = &'v mut dyn FnMut(u64, i64, Option<&[u8]>, Option<&[u8]>) -> ControlFlow<()>;
type RawRecord<'b> = (u64, u64, Option<&'b [u8]>, Option<&'b [u8]>);

fn read_record<'b>(rest: &mut &'b [u8]) -> Option<RawRecord<'b>> {
    Some((read_number(rest)?, read_number(rest)?, read_field(rest)?, read_field(rest)?))
}

fn read_field<'b>(rest: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    let Some(length) = read_number(rest)?.checked_sub(1) else { return Some(None) };
    let (field, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(field))
}

fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_shrink_is_stored_as_it_is() {
        let stored = |value: &[u8]| {
            let mut builder = Builder::default();
            builder.push(
                0,
                NewRecord { partition: Partition(0), timestamp_ms: 0, key: None, value: Some(value) },
            );
            let encoded = builder.finish();
            let batch = Batch::decode(0, &encoded.value).expect("decodes");
            let mut is_same = false;
            batch.each(Partition(0), 0, &mut |record| {
                is_same = record.value == Some(value);
                ControlFlow::Continue(())
            });
            assert!(is_same);
            encoded.value.len()
        };
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let noise: Vec<u8> = (0..10_000).map(|_| noise()).collect();
        assert!((10_000..10_020).contains(&stored(&noise)));
        assert!(stored(&[7; 10_000]) < 1_000);
    }

    #[test]
    fn records_come_back_as_they_were() {
        let records = [
            (0, 1_700_000_000_000, Some(b"key".as_slice()), Some(b"value".as_slice())),
            (1, 1_600_000_000_000, None, Some(b"".as_slice())),
            (7, -5, Some(b"".as_slice()), None),
        ];
        let mut builder = Builder::default();
        for (offset, timestamp_ms, key, value) in records {
            builder.push(offset, NewRecord { partition: Partition(2), timestamp_ms, key, value });
        }
        let encoded = builder.finish();
        assert_eq!((encoded.records, encoded.span), (3, 8));
        let batch = Batch::decode(100, &encoded.value).expect("decodes");
        assert_eq!(batch.end(), 108);
        let mut found = Vec::new();
        batch.each(Partition(2), 101, &mut |record| {
            found.push((
                record.offset - 100,
                record.timestamp_ms,
                record.key.is_some(),
                record.value.is_some(),
            ));
            ControlFlow::Continue(())
        });
        assert_eq!(found, [(1, 1_600_000_000_000, false, true), (7, -5, true, false)]);
        for place in 0..encoded.value.len() {
            assert!(Batch::decode(0, &encoded.value[..place]).is_none(), "cut at {place}");
            let mut damaged = encoded.value.clone();
            damaged[place] ^= 1;
            assert!(Batch::decode(0, &damaged).is_none(), "changed at {place}");
        }
    }
}
