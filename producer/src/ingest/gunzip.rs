//! Unpacks a body in bounded memory: a small one may hold gigabytes. Pure.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// A body that cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GunzipError {
    /// It is no gzip, or breaks off in the middle.
    Damaged,
    /// It holds more than is taken.
    TooLarge,
}

/// What the gzip holds, if that is not more than `bytes_max`; no more than that is ever unpacked.
pub(super) fn gunzip(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, GunzipError> {
    let mut out = Vec::new();
    let mut unpacked = MultiGzDecoder::new(body).take(bytes_max as u64 + 1);
    unpacked.read_to_end(&mut out).map_err(|_| GunzipError::Damaged)?;
    if out.len() > bytes_max { Err(GunzipError::TooLarge) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_is_refused_and_not_unpacked() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        assert_eq!(gunzip(&bomb, 1 << 20), Err(GunzipError::TooLarge));
        let many = gzip(&vec![0; 1 << 20]).repeat(64);
        assert_eq!(gunzip(&many, 1 << 20), Err(GunzipError::TooLarge), "members add up");
        assert_eq!(gunzip(&gzip(&vec![7; 1 << 20]), 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn what_is_damaged_is_told() {
        let whole = gzip(b"some rows");
        assert_eq!(gunzip(&whole, 100).unwrap(), b"some rows");
        for cut in 1..whole.len() {
            assert_eq!(gunzip(&whole[..cut], 100), Err(GunzipError::Damaged), "{cut}");
        }
        assert_eq!(gunzip(b"no gzip", 100), Err(GunzipError::Damaged));
    }
}
