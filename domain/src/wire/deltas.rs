//! The repartition topic's blocks: many deltas in one record, and one aggregate alone for a local store.
//!
//! ```text
//! block:     version 1, then for each delta: key length, key, aggregate
//! aggregate: which of the optional numbers are there (a bit each), then the numbers; all numbers LEB128
//! ```

use super::WireError;
use crate::aggregate::Aggregate;
use crate::civil::CivilTime;

const VERSION: u8 = 1;
/// 128 bits in groups of seven.
const NUMBER_BYTES_MAX: usize = 19;

/// Appends a block of deltas to `out`.
pub fn encode_deltas<'d>(deltas: impl IntoIterator<Item = (&'d [u8], &'d Aggregate)>, out: &mut Vec<u8>) {
    out.push(VERSION);
    for (key, aggregate) in deltas {
        write_number(key.len() as u128, out);
        out.extend_from_slice(key);
        encode_compact(aggregate, out);
    }
}

/// Reads what [`encode_deltas`] wrote, delta by delta; ends after the first error.
pub fn decode_deltas(block: &[u8]) -> impl Iterator<Item = Result<(&[u8], Aggregate), WireError>> {
    let (is_known, mut rest) = match block.split_first() {
        Some((&VERSION, rest)) => (true, rest),
        _ => (false, block),
    };
    let mut is_done = false;
    std::iter::from_fn(move || {
        if is_done || (is_known && rest.is_empty()) {
            return None;
        }
        let delta = if is_known { read_delta(&mut rest) } else { None };
        is_done = delta.is_none();
        Some(delta.ok_or(WireError::Deltas))
    })
}

fn read_delta<'b>(rest: &mut &'b [u8]) -> Option<(&'b [u8], Aggregate)> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (key, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((key, read_compact(rest)?))
}

/// Appends one aggregate to `out` in a few bytes.
pub fn encode_compact(aggregate: &Aggregate, out: &mut Vec<u8>) {
    let options = [
        aggregate.max_duration_ms.map(u128::from),
        aggregate.max_plausible_ms.map(u128::from),
        aggregate.first_occurred_at.map(zigzag),
        aggregate.last_occurred_at.map(zigzag),
    ];
    let there = options
        .iter()
        .enumerate()
        .fold(0, |bits, (index, option)| bits | u8::from(option.is_some()) << index);
    out.push(there);
    for number in [aggregate.count, aggregate.with_duration, aggregate.implausible] {
        write_number(number.into(), out);
    }
    write_number(aggregate.total_duration_ms, out);
    write_number(aggregate.total_plausible_ms, out);
    options.into_iter().flatten().for_each(|number| write_number(number, out));
}

/// Reads what [`encode_compact`] wrote.
pub fn decode_compact(mut bytes: &[u8]) -> Result<Aggregate, WireError> {
    read_compact(&mut bytes).filter(|_| bytes.is_empty()).ok_or(WireError::Deltas)
}

fn read_compact(rest: &mut &[u8]) -> Option<Aggregate> {
    let (&there, after) = rest.split_first()?;
    *rest = after;
    let small = |rest: &mut &[u8]| u64::try_from(read_number(rest)?).ok();
    let mut aggregate = Aggregate {
        count: small(rest)?,
        with_duration: small(rest)?,
        implausible: small(rest)?,
        total_duration_ms: read_number(rest)?,
        total_plausible_ms: read_number(rest)?,
        ..Aggregate::empty()
    };
    if there & 1 != 0 {
        aggregate.max_duration_ms = Some(small(rest)?);
    }
    if there & 2 != 0 {
        aggregate.max_plausible_ms = Some(small(rest)?);
    }
    if there & 4 != 0 {
        aggregate.first_occurred_at = Some(unzigzag(small(rest)?)?);
    }
    if there & 8 != 0 {
        aggregate.last_occurred_at = Some(unzigzag(small(rest)?)?);
    }
    (there < 16).then_some(aggregate)
}

/// Small numbers of either sign become small numbers.
fn zigzag(time: CivilTime) -> u128 {
    let seconds = time.seconds();
    u128::from((seconds << 1 ^ seconds >> 63).cast_unsigned())
}

fn unzigzag(number: u64) -> Option<CivilTime> {
    CivilTime::from_seconds((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

fn write_number(mut number: u128, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u128> {
    let mut number = 0u128;
    for (index, byte) in rest.iter().take(NUMBER_BYTES_MAX).enumerate() {
        let group = u128::from(byte & 0x7f);
        let shifted = group << (7 * index);
        if shifted >> (7 * index) != group {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_cut_anywhere_is_an_error_and_never_a_wrong_sum() {
        let aggregate = Aggregate {
            count: 300,
            total_duration_ms: u128::MAX,
            max_duration_ms: Some(u64::MAX),
            first_occurred_at: CivilTime::from_seconds(-62_135_596_800),
            ..Aggregate::empty()
        };
        let mut block = Vec::new();
        encode_deltas([(&b"key"[..], &aggregate), (b"", &Aggregate::empty())], &mut block);
        let read: Vec<_> = decode_deltas(&block).map(Result::unwrap).collect();
        assert_eq!(read, [(&b"key"[..], aggregate), (b"", Aggregate::empty())]);
        let first = block.len() - 7;
        for end in 0..block.len() {
            let is_whole = [1, first].contains(&end);
            assert_eq!(decode_deltas(&block[..end]).all(|delta| delta.is_ok()), is_whole, "cut at {end}");
        }
        assert!(decode_deltas(&[2]).any(|delta| delta.is_err()));
        // A bit that no version has written, and bytes behind the end.
        assert!(decode_compact(&[0, 0, 0, 0, 0, 0]).is_ok());
        assert!(decode_compact(&[16, 0, 0, 0, 0, 0]).is_err());
        assert!(decode_compact(&[0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
