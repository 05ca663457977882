//! Coordinates in millionths of a degree, and how they are written.

use super::super::text::push_number;

/// How a coordinate is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Whole seconds of arc, in seven decimals.
    Gazetteer,
    /// Six decimals, without zeros at the end nor one in front.
    Geocoder,
}

/// Millionths of a degree. One product and one rounding: the same on every machine.
pub(super) fn micro(degrees: f64) -> i64 {
    (degrees * 1e6).round() as i64
}

pub(super) fn push_degrees(value: i64, source: Source, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    match source {
        Source::Gazetteer => {
            let seconds = (value * 3_600 + 500_000) / 1_000_000;
            let decimals = (seconds % 3_600 * 10_000_000 + 1_800) / 3_600;
            push_number(seconds / 3_600, out);
            out.push(b'.');
            push_decimals(decimals, 7, out);
        }
        Source::Geocoder => {
            if value >= 1_000_000 || value == 0 {
                push_number(value / 1_000_000, out);
            }
            let (mut decimals, mut digits) = (value % 1_000_000, 6);
            while decimals > 0 && decimals.is_multiple_of(10) {
                (decimals, digits) = (decimals / 10, digits - 1);
            }
            if decimals > 0 {
                out.push(b'.');
                push_decimals(decimals, digits, out);
            }
        }
    }
}

fn push_decimals(decimals: u64, digits: u32, out: &mut Vec<u8>) {
    for digit in (0..digits).rev() {
        out.push(b'0' + (decimals / 10_u64.pow(digit) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(value: i64, source: Source) -> String {
        let mut out = Vec::new();
        push_degrees(value, source, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn coordinates_are_written_as_the_file_has_them() {
        assert_eq!(degrees(47_606_400, Source::Gazetteer), "47.6063889");
        assert_eq!(degrees(-97_975_000, Source::Gazetteer), "-97.9750000");
        assert_eq!(degrees(14_569_805, Source::Geocoder), "14.569805");
        assert_eq!(degrees(-589_724, Source::Geocoder), "-.589724");
        assert_eq!(degrees(583_330, Source::Geocoder), ".58333");
        assert_eq!(degrees(51_500_000, Source::Geocoder), "51.5");
        assert_eq!(degrees(-3_000_000, Source::Geocoder), "-3");
        assert_eq!(degrees(0, Source::Geocoder), "0");
    }
}
