//! The content as it goes by: how much of it belongs to rows handed out, and the hash of that.

use std::mem;

/// Content is hashed in pieces of this size: many rows at once are hashed several times faster than one by one.
const HASH_BYTES: usize = 128 * 1024;

pub(super) struct Content {
    /// Of what is accepted, apart from what is pending.
    hasher: blake3::Hasher,
    pending: Vec<u8>,
    accepted: usize,
    byte: u64,
    /// Of a row too large to be held, with all that is before it.
    ahead: Option<Box<blake3::Hasher>>,
    ahead_bytes: u64,
}

impl Content {
    pub(super) fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            pending: Vec::with_capacity(2 * HASH_BYTES),
            accepted: 0,
            byte: 0,
            ahead: None,
            ahead_bytes: 0,
        }
    }

    /// Bytes that belong to the next row.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.ahead_bytes += bytes.len() as u64;
        if self.pending.len() - self.accepted > HASH_BYTES {
            self.flush();
            let ahead = self.ahead.get_or_insert_with(|| Box::new(self.hasher.clone()));
            ahead.update(&self.pending);
            self.pending.clear();
        }
    }

    /// The next row is handed out.
    pub(super) fn accept(&mut self) {
        self.byte += mem::take(&mut self.ahead_bytes);
        if let Some(mut ahead) = self.ahead.take() {
            ahead.update(&self.pending);
            self.hasher = *ahead;
            self.pending.clear();
        }
        self.accepted = self.pending.len();
        if self.accepted >= HASH_BYTES {
            self.flush();
        }
    }

    /// Bytes that are passed over: all of them are accepted.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.flush();
        self.hasher.update(bytes);
        self.byte += bytes.len() as u64;
    }

    /// Bytes of the rows handed out.
    pub(super) fn byte(&self) -> u64 {
        self.byte
    }

    /// 128 bits of their hash, in hex.
    pub(super) fn hash(&mut self) -> String {
        self.flush();
        self.hasher.finalize().to_hex().as_str()[..32].to_owned()
    }

    fn flush(&mut self) {
        self.hasher.update(&self.pending[..self.accepted]);
        self.pending.drain(..self.accepted);
        self.accepted = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> String {
        blake3::hash(bytes).to_hex().as_str()[..32].to_owned()
    }

    #[test]
    fn only_rows_handed_out_count() {
        let mut content = Content::new();
        content.push(b"ab");
        content.push(b"c");
        content.accept();
        content.push(b"half a row");
        assert_eq!((content.byte(), content.hash()), (3, hash(b"abc")));
    }

    #[test]
    fn a_row_of_any_size_and_many_rows_hash_alike() {
        let mut content = Content::new();
        let mut all = Vec::new();
        for (number, size) in
            [7, HASH_BYTES, 5 * HASH_BYTES + 3, 1, 2 * HASH_BYTES, 99].into_iter().enumerate()
        {
            let row = vec![u8::try_from(number).unwrap(); size];
            for piece in row.chunks(50_000) {
                content.push(piece);
                assert_eq!(content.byte(), all.len() as u64);
            }
            if number == 4 {
                assert_eq!(content.hash(), hash(&all), "in the middle of a long row");
            }
            content.accept();
            all.extend_from_slice(&row);
            assert_eq!((content.byte(), content.hash()), (all.len() as u64, hash(&all)), "{number}");
        }
        content.pass(b"passed over");
        all.extend_from_slice(b"passed over");
        assert_eq!((content.byte(), content.hash()), (all.len() as u64, hash(&all)));
    }
}
