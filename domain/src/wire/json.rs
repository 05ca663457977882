//! JSON as all topics write it: no blanks, fields in a fixed order, so that equal values are equal bytes.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::WireError;
use crate::civil::{CivilDate, CivilTime};
use crate::view::{Key, Part, View};

/// Names of ours in `ufo.raw`, beside the columns' own.
pub(crate) const ROW: &str = "_row";
pub(crate) const OVERSIZED: &str = "_oversized";
pub(crate) const WINDOWS_1252: &str = "_windows_1252";

pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    // Without a branch for each byte this goes many bytes at a time.
    match text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        true => write_escaped(text.as_bytes(), out),
        false => out.extend_from_slice(text.as_bytes()),
    }
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut written = 0;
    for (index, byte) in bytes.iter().enumerate().filter(|(_, byte)| needs_escape(**byte)) {
        out.extend_from_slice(&bytes[written..index]);
        written = index + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

pub(crate) fn write_text_or_null(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

pub(crate) fn write_number(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_unsigned(u128::from(number.unsigned_abs()), out);
}

pub(crate) fn write_unsigned(mut number: u128, out: &mut Vec<u8>) {
    let mut digits = [0u8; 39];
    let mut start = digits.len();
    // 128-bit division is slow, and nearly every number fits in 64 bits.
    while number > u128::from(u64::MAX) {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let mut number = number as u64;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

pub(crate) fn write_unsigned_or_null(number: Option<u64>, out: &mut Vec<u8>) {
    match number {
        Some(number) => write_unsigned(u128::from(number), out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Two digits with a zero in front.
fn write_two(number: u32, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

fn push_date(date: CivilDate, out: &mut Vec<u8>) {
    let (year, month, day) = date.parts();
    write_two(year.unsigned_abs() / 100, out);
    write_two(year.unsigned_abs() % 100, out);
    out.push(b'-');
    write_two(month, out);
    out.push(b'-');
    write_two(day, out);
}

pub(crate) fn write_date(date: CivilDate, out: &mut Vec<u8>) {
    out.push(b'"');
    push_date(date, out);
    out.push(b'"');
}

pub(crate) fn write_time(time: CivilTime, out: &mut Vec<u8>) {
    out.push(b'"');
    push_date(time.date(), out);
    for (before, number) in [(b'T', time.hour()), (b':', time.minute()), (b':', time.second())] {
        out.push(before);
        write_two(number, out);
    }
    out.push(b'"');
}

pub(crate) fn write_time_or_null(time: Option<CivilTime>, out: &mut Vec<u8>) {
    match time {
        Some(time) => write_time(time, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// The shortest digits that read back as the same number.
pub(crate) fn write_float(number: f64, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &number).expect("a vector takes every byte and a location is finite");
}

/// Sixteen digits at most, without zeros in front: how H3 writes its cells.
pub(crate) fn write_hex(number: u64, out: &mut Vec<u8>) {
    let digits = (16 - number.leading_zeros() / 4).max(1);
    for place in (0..digits).rev() {
        out.push(hex_digit((number >> (4 * place)) as u8 & 15));
    }
}

fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 15)]
}

/// A record's timestamp as `2026-11-24T09:22:18.123Z`, the years 1 to 9999; what lies outside is moved to
/// their edge, so that every number a broker hands out can be written.
pub(crate) fn instant_of(timestamp_ms: i64) -> String {
    let (time, millis) = clamped(timestamp_ms);
    format!("{time}.{millis:03}Z")
}

/// `2026-11-24T09:22:00Z`
pub(crate) fn minute_of(timestamp_ms: i64) -> String {
    let (time, _) = clamped(timestamp_ms);
    let mut text = time.to_string();
    text.truncate(17);
    text.push_str("00Z");
    text
}

const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

fn clamped(timestamp_ms: i64) -> (CivilTime, i64) {
    let clamped = timestamp_ms.clamp(FIRST_SECOND * 1000, LAST_SECOND * 1000 + 999);
    let time = CivilTime::from_seconds(clamped.div_euclid(1000)).expect("clamped to the calendar's years");
    (time, clamped.rem_euclid(1000))
}

/// The inverse of [`instant_of`].
pub(crate) fn read_instant(text: &str) -> Option<i64> {
    let (time, rest) = text.split_at_checked(19)?;
    let millis = rest.strip_prefix('.')?.strip_suffix('Z')?;
    let is_three_digits = millis.len() == 3 && millis.bytes().all(|byte| byte.is_ascii_digit());
    let time: CivilTime = time.parse().ok()?;
    is_three_digits.then(|| Some(time.seconds() * 1000 + millis.parse::<i64>().ok()?)).flatten()
}

pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + base64::encoded_len(bytes.len(), true).expect("records are far below the limit"), 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).expect("the room was just made");
    out.truncate(start + written);
    out.push(b'"');
}

pub(crate) fn read_base64(
    record: &'static str,
    field: &'static str,
    text: &str,
) -> Result<Vec<u8>, WireError> {
    STANDARD.decode(text).map_err(|_| WireError::Field { record, field, found: excerpt(text) })
}

/// The beginning of a text that may be long, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARACTERS: usize = 60;
    let mut short: String = text.chars().take(CHARACTERS).collect();
    if short.len() < text.len() {
        let _ = write!(short, "… ({} bytes)", text.len());
    }
    short
}

/// A string that is borrowed from the JSON where it has no escapes. (Serde's own `Cow` always copies inside
/// an `Option` or a `Vec`.)
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

/// Reads `["place","us",null,7]`. Null where it is anything else.
pub(crate) fn read_record_key(bytes: &[u8]) -> Option<(View, Key)> {
    let mut parts = serde_json::from_slice::<Key>(bytes).ok()?.0.into_iter();
    let Some(Part::Text(name)) = parts.next() else { return None };
    Some((View::from_name(&name)?, Key(parts.collect())))
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;
        impl<'de> Visitor<'de> for PartVisitor {
            type Value = Part;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a whole number or null")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Part, E> {
                Ok(Part::Text(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Part, E> {
                Ok(Part::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Part, E> {
                i64::try_from(number).map(Part::Number).map_err(E::custom)
            }

            fn visit_unit<E: Error>(self) -> Result<Part, E> {
                Ok(Part::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Part, A::Error> {
                Err(A::Error::custom("a key has no lists in it"))
            }
        }
        deserializer.deserialize_any(PartVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_every_json_reader_reads() {
        for text in ["", "plain", "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}", "é日\u{2028}𝄞"] {
            let mut out = Vec::new();
            write_text(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn numbers_are_written_to_the_last_digit() {
        for number in [0, 7, 10, u128::from(u64::MAX), u128::from(u64::MAX) + 1, u128::MAX] {
            let mut out = Vec::new();
            write_unsigned(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
        let mut out = Vec::new();
        write_number(i64::MIN, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), i64::MIN.to_string());
    }

    #[test]
    fn instants_come_back_and_never_fail() {
        assert_eq!(instant_of(1_795_512_138_123), "2026-11-24T09:22:18.123Z");
        assert_eq!(instant_of(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(read_instant("1969-12-31T23:59:59.999Z"), Some(-1));
        assert_eq!(instant_of(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(instant_of(i64::MIN), "0001-01-01T00:00:00.000Z");
        for none in ["", "2026-11-24T09:22:18.123", "2026-11-24T09:22:18.+12Z", "2026-11-24 09:22:18.123Z"] {
            assert_eq!(read_instant(none), None, "{none}");
        }
    }

    #[test]
    fn hexadecimal_has_no_zeros_in_front() {
        for number in [0, 1, 16, 0x0083_28b3_ffff_ffff, u64::MAX] {
            let mut out = Vec::new();
            write_hex(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{number:x}"));
        }
    }
}
