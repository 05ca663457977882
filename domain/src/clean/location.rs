//! `latitude` and `longitude`.

use std::borrow::Cow;

use crate::sighting::Location;

/// Where it was, and whether a number had to be repaired for it.
pub(super) struct Place {
    pub(super) location: Option<Location>,
    pub(super) is_repaired: bool,
}

/// Stray letters inside a number are dropped (`33q.200088`); what then is no number, is out of range or is
/// `0,0` gives no location.
pub(super) fn place(latitude: &str, longitude: &str) -> Place {
    let location = degrees(latitude).zip(degrees(longitude)).and_then(|(lat, lon)| {
        let location = Location::new(lat.number, lon.number)?;
        Some((location, lat.is_repaired || lon.is_repaired))
    });
    Place { location: location.map(|found| found.0), is_repaired: location.is_some_and(|found| found.1) }
}

struct Degrees {
    number: f64,
    is_repaired: bool,
}

fn degrees(text: &str) -> Option<Degrees> {
    let text = text.trim();
    if is_number(text.as_bytes()) {
        return text.parse().ok().map(|number| Degrees { number, is_repaired: false });
    }
    if names_a_hemisphere(text) {
        return None;
    }
    let digits: Cow<'_, str> = text.chars().filter(|character| !character.is_ascii_alphabetic()).collect();
    let is_repaired = digits.len() < text.len() && is_number(digits.as_bytes());
    is_repaired.then(|| digits.parse().ok().map(|number| Degrees { number, is_repaired })).flatten()
}

/// `122.3W`, `S 33.9`: here the letter is the sign, and dropping it would move the sighting across the world.
fn names_a_hemisphere(text: &str) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(|byte| b"nsewNSEW".contains(byte));
    is_letter(text.as_bytes().first()) || is_letter(text.as_bytes().last())
}

/// A sign, digits and a point; also `5.8e-05`, as data frames write small numbers: the exponent needs its
/// sign, so that a stray `e` is none.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let exponent = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) =
        exponent.map_or((text, None), |place| (&text[..place], Some(&text[place + 1..])));
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    let points = mantissa.iter().filter(|byte| **byte == b'.').count();
    let is_small = exponent.is_none_or(|exponent| {
        matches!(exponent, [b'+' | b'-', digits @ ..] if matches!(digits.len(), 1..=3)
            && digits.iter().all(u8::is_ascii_digit))
    });
    digits > 0 && points <= 1 && digits + points == mantissa.len() && is_small
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(latitude: &str, longitude: &str) -> Option<(f64, f64, bool)> {
        let place = place(latitude, longitude);
        place.location.map(|location| (location.lat(), location.lon(), place.is_repaired))
    }

    #[test]
    fn numbers_as_the_file_has_them() {
        assert_eq!(found("29.8830556", "-97.9411111"), Some((29.8830556, -97.9411111, false)));
        assert_eq!(found("-.589724", ".583333"), Some((-0.589724, 0.583333, false)));
        assert_eq!(found(" 47 ", "+8"), Some((47.0, 8.0, false)));
        assert_eq!(found("51.5", "5.83e-05"), Some((51.5, 5.83e-5, false)));
        assert_eq!(found("0", "-78.5"), Some((0.0, -78.5, false)));
        assert_eq!(found("90", "-180"), Some((90.0, -180.0, false)));
    }

    #[test]
    fn stray_letters_are_dropped() {
        assert_eq!(found("33q.200088", "-117.24"), Some((33.200088, -117.24, true)));
        assert_eq!(found("33.2", "-117.2x4q"), Some((33.2, -117.24, true)));
        assert_eq!(found("3e3.2", "4"), Some((33.2, 4.0, true)));
    }

    #[test]
    fn no_location() {
        for (latitude, longitude) in [
            ("0", "0"),
            ("0.0", "-0"),
            ("", "8"),
            ("47", ""),
            ("90.1", "8"),
            ("47", "180.5"),
            ("nan", "8"),
            ("inf", "8"),
            ("47", "122.3W"),
            ("S33.9", "18"),
            ("4 7", "8"),
            ("4.7.1", "8"),
            ("--4", "8"),
            ("q", "8"),
            ("4é7", "8"),
            (".", "8"),
            ("1e9", "200"),
            ("e-5", "8"),
            ("0q", "0"),
            ("4,7", "8"),
        ] {
            assert_eq!(found(latitude, longitude), None, "{latitude} {longitude}");
        }
    }
}
