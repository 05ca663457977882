//! Identities: 128 bits of BLAKE3, so that nobody can make a row that hides another one.

use std::fmt;
use std::str::FromStr;

/// Rows up to this size (nearly all) are hashed in one call over a buffer on the stack.
const STACK_BYTES: usize = 1024;

/// Identity of a row: the first 128 bits of the BLAKE3 hash of the eleven values as found, in the order of
/// [`crate::COLUMNS`], each behind its length in bytes as a little-endian `u32`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SightingId([u8; 16]);

impl SightingId {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// 32 lower-case hexadecimal digits: the key of the row's record.
    pub fn to_hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (index, byte) in self.0.iter().enumerate() {
            hex[2 * index] = DIGITS[usize::from(byte >> 4)];
            hex[2 * index + 1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    pub(crate) fn of_columns(values: [&[u8]; 11]) -> Self {
        let total: usize = values.iter().map(|value| value.len() + 4).sum();
        if total > STACK_BYTES {
            let mut hasher = blake3::Hasher::new();
            values.iter().for_each(|value| update(&mut hasher, value));
            return Self::truncated(hasher.finalize());
        }
        let mut buffer = [0; STACK_BYTES];
        let mut end = 0;
        for value in values {
            buffer[end..end + 4].copy_from_slice(&length_prefix(value));
            end += 4;
            buffer[end..end + value.len()].copy_from_slice(value);
            end += value.len();
        }
        Self::truncated(blake3::hash(&buffer[..end]))
    }

    fn truncated(hash: blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self(bytes)
    }
}

/// Records larger than 4 GiB do not exist: a broker's limit is some megabytes.
fn length_prefix(value: &[u8]) -> [u8; 4] {
    u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes()
}

fn update(hasher: &mut blake3::Hasher, value: &[u8]) {
    hasher.update(&length_prefix(value));
    hasher.update(value);
}

// Each kind of record hashes in a domain of its own, so that none can take the identity of a row.
const MISFIT: &str = "ufo-sightings 2026-11 row with the wrong number of fields";
const OVERSIZED: &str = "ufo-sightings 2026-11 row over the size limit";
const OVERSIZED_BYTES: &str = "ufo-sightings 2026-11 bytes of a row over the size limit";
const UNREADABLE: &str = "ufo-sightings 2026-11 record that is no row";

/// A row with the wrong number of fields: the count, then each field behind its length.
pub(crate) fn misfit_id(fields: impl ExactSizeIterator<Item = impl AsRef<[u8]>>) -> SightingId {
    let mut hasher = blake3::Hasher::new_derive_key(MISFIT);
    hasher.update(&(fields.len() as u64).to_le_bytes());
    fields.for_each(|field| update(&mut hasher, field.as_ref()));
    SightingId::truncated(hasher.finalize())
}

pub(crate) fn oversized_id(length: u64, hash: SightingId) -> SightingId {
    let mut hasher = blake3::Hasher::new_derive_key(OVERSIZED);
    hasher.update(&length.to_le_bytes()).update(&hash.0);
    SightingId::truncated(hasher.finalize())
}

/// What is no well-formed row is told apart by all of its record, so that it neither hides a good row nor is
/// hidden by one.
pub(crate) fn unreadable_id(key: Option<&[u8]>, value: Option<&[u8]>) -> SightingId {
    let mut hasher = blake3::Hasher::new_derive_key(UNREADABLE);
    for part in [key, value] {
        hasher.update(&[u8::from(part.is_some())]);
        update(&mut hasher, part.unwrap_or_default());
    }
    SightingId::truncated(hasher.finalize())
}

/// Hashes a row that is never held in memory, piece by piece.
#[derive(Clone, Debug)]
pub struct OversizedHasher {
    hasher: blake3::Hasher,
    length: u64,
}

impl OversizedHasher {
    pub(crate) fn new() -> Self {
        Self { hasher: blake3::Hasher::new_derive_key(OVERSIZED_BYTES), length: 0 }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were hashed so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn finish(self) -> SightingId {
        SightingId::truncated(self.hasher.finalize())
    }
}

impl fmt::Display for SightingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_hex()).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for SightingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is no sighting id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a sighting id: expected 32 lower-case hexadecimal digits")]
pub struct IdError;

impl FromStr for SightingId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| IdError)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, IdError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(IdError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: &'static str, second: &'static str) -> [&'static [u8]; 11] {
        let mut values = [b"".as_slice(); 11];
        (values[0], values[1]) = (first.as_bytes(), second.as_bytes());
        values
    }

    #[test]
    fn the_length_in_front_keeps_neighbours_apart() {
        assert_ne!(SightingId::of_columns(row("ab", "c")), SightingId::of_columns(row("a", "bc")));
    }

    #[test]
    fn short_and_long_rows_hash_alike() {
        let long = "x".repeat(STACK_BYTES);
        for length in [0, 1, STACK_BYTES - 45, STACK_BYTES - 44, STACK_BYTES - 43, STACK_BYTES] {
            let mut values = [b"".as_slice(); 11];
            values[7] = &long.as_bytes()[..length];
            let mut hasher = blake3::Hasher::new();
            values.iter().for_each(|value| update(&mut hasher, value));
            assert_eq!(SightingId::of_columns(values), SightingId::truncated(hasher.finalize()), "{length}");
        }
    }

    /// Written down so that no later change gives stored rows a new identity.
    #[test]
    fn the_identity_of_a_row_is_for_ever() {
        let id = SightingId::of_columns(row("10/10/1949 20:30", "san marcos"));
        assert_eq!(id.to_string(), "4aebf49fc4ea7e5e122281172f6c6de0");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("XY".parse::<SightingId>().is_err());
    }

    #[test]
    fn kinds_of_records_never_share_an_identity() {
        let fields = row("a", "b");
        assert_ne!(SightingId::of_columns(fields), misfit_id(fields.iter()));
        assert_ne!(unreadable_id(None, Some(b"")), unreadable_id(Some(b""), None));
        assert_ne!(unreadable_id(Some(b""), Some(b"")), unreadable_id(None, Some(b"")));
    }
}
