//! Texts: HTML entities decoded, blanks folded, lower case. What needs no change is borrowed.

use std::borrow::Cow;

use crate::wire::windows_1252::decode_byte;

/// The names that older forms wrote without `;`.
const NAMES_WITHOUT_SEMICOLON: [(&str, char); 5] =
    [("quot", '"'), ("amp", '&'), ("lt", '<'), ("gt", '>'), ("apos", '\'')];

/// Decodes entities. With `;`: any decimal, hexadecimal or named one. Without: decimal ones of two digits,
/// since digits often follow (`50&#44000` is `50,000`), and `quot amp lt gt apos`. What `&amp;` uncovers is
/// decoded once more. Everything else stays as found.
pub(super) fn decoded(text: Cow<'_, str>) -> Cow<'_, str> {
    match memchr::memchr(b'&', text.as_bytes()) {
        Some(first) => Cow::Owned(decoded_from(&text, first)),
        None => text,
    }
}

fn decoded_from(text: &str, first: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut next = Some(first);
    while let Some(start) = next {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        match entity(rest) {
            Some((Replacement::Char('&'), length)) if is_named_ampersand(rest) => {
                rest = &rest[length..];
                rest = &rest[push_uncovered(rest, &mut out)..];
            }
            Some((replacement, length)) => {
                replacement.push_to(&mut out);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
        next = memchr::memchr(b'&', rest.as_bytes());
    }
    out.push_str(rest);
    out
}

fn is_named_ampersand(entity: &str) -> bool {
    entity.as_bytes().get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'a'))
}

/// `rest` follows an `&amp;`: writes what both stand for and says how much of `rest` that took.
fn push_uncovered(rest: &str, out: &mut String) -> usize {
    let is_possible = rest.starts_with('#') || rest.starts_with(|first: char| first.is_ascii_alphabetic());
    let uncovered = if is_possible { entity_body(rest) } else { None };
    match uncovered {
        Some((replacement, length)) => {
            replacement.push_to(out);
            length
        }
        None => {
            out.push('&');
            0
        }
    }
}

#[derive(Clone, Copy)]
enum Replacement {
    Char(char),
    /// Some names stand for two characters.
    Text(&'static str),
}

impl Replacement {
    fn push_to(self, out: &mut String) {
        match self {
            Self::Char(character) => out.push(character),
            Self::Text(text) => out.push_str(text),
        }
    }
}

/// `text` starts with `&`: what the entity stands for, and its length.
fn entity(text: &str) -> Option<(Replacement, usize)> {
    entity_body(&text[1..]).map(|(replacement, length)| (replacement, length + 1))
}

/// The same for what comes after the `&`.
fn entity_body(body: &str) -> Option<(Replacement, usize)> {
    match body.strip_prefix('#') {
        Some(number) => numeric(number).map(|(character, length)| (Replacement::Char(character), length + 1)),
        None => named(body),
    }
}

fn numeric(number: &str) -> Option<(char, usize)> {
    if let Some(hexadecimal) = number.strip_prefix(['x', 'X']) {
        let digits = hexadecimal.bytes().take_while(u8::is_ascii_hexdigit).count();
        let is_closed = digits > 0 && hexadecimal.as_bytes().get(digits) == Some(&b';');
        let code = u32::from_str_radix(&hexadecimal[..digits], 16).ok()?;
        return is_closed.then(|| Some((character_of(code)?, digits + 2))).flatten();
    }
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && number.as_bytes().get(digits) == Some(&b';') {
        return Some((character_of(number[..digits].parse().ok()?)?, digits + 1));
    }
    let two = number.get(..2).filter(|_| digits >= 2)?;
    Some((character_of(two.parse().ok()?)?, 2))
}

/// 128 to 159 mean Windows-1252, as in every browser. Other control characters are no text: what writes them
/// stays as found.
fn character_of(code: u32) -> Option<char> {
    let character = match u8::try_from(code) {
        Ok(byte) => decode_byte(byte),
        Err(_) => char::from_u32(code)?,
    };
    (!character.is_control() || matches!(character, '\t' | '\n' | '\r')).then_some(character)
}

fn named(body: &str) -> Option<(Replacement, usize)> {
    let letters = body.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if body.as_bytes().get(letters) == Some(&b';')
        && let Some(replacement) = with_semicolon(&body[..letters])
    {
        return Some((replacement, letters + 1));
    }
    let (name, character) = NAMES_WITHOUT_SEMICOLON.iter().find(|(name, _)| body.starts_with(name))?;
    Some((Replacement::Char(*character), name.len()))
}

fn with_semicolon(name: &str) -> Option<Replacement> {
    /// `CounterClockwiseContourIntegral` is the longest one.
    const NAME_BYTES_MAX: usize = 31;
    let mut entity = [0; NAME_BYTES_MAX + 2];
    let length = name.len() + 2;
    let entity = entity.get_mut(..length)?;
    entity[0] = b'&';
    entity[1..length - 1].copy_from_slice(name.as_bytes());
    entity[length - 1] = b';';
    let text: &'static [u8] = htmlize::ENTITIES.get(entity)?;
    let text = std::str::from_utf8(text).ok()?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Some(Replacement::Char(one)),
        _ => Some(Replacement::Text(text)),
    }
}

/// Blanks (Unicode White_Space) at both ends dropped, each run of them inside made one space; lower case.
pub(super) fn folded(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_folded(text.as_bytes()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.is_ascii() {
        out.make_ascii_lowercase();
        return Cow::Owned(out);
    }
    Cow::Owned(out.to_lowercase())
}

/// True for ASCII without upper case and without blanks but single spaces inside; false may mean no more than
/// that a closer look is needed.
fn is_folded(bytes: &[u8]) -> bool {
    let mut previous = b' ';
    for &byte in bytes {
        if !matches!(byte, b' '..=b'@' | b'['..=b'~') || (byte == b' ' && previous == b' ') {
            return false;
        }
        previous = byte;
    }
    bytes.is_empty() || previous != b' '
}

/// Decoded and folded; null where nothing is left.
pub(super) fn word(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    Some(folded(decoded(text))).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_with_and_without_semicolon() {
        for (found, expected) in [
            ("no entity", "no entity"),
            ("st. john&#39s", "st. john's"),
            ("50&#44000 feet", "50,000 feet"),
            ("what&#33&#33", "what!!"),
            ("&quot;clean&quot; &quotclean&quot", "\"clean\" \"clean\""),
            ("a &amp; b &amp b", "a & b & b"),
            ("&lt1&gt2&apos3", "<1>2'3"),
            ("&#8230;&#x2026;&#X2026;&hellip;", "…………"),
            ("&eacute;&Oacute;&NotEqualTilde;", "éÓ≂̸"),
            ("&#146;&#150;", "’–"),
            ("&#160;&nbsp;&#9;", "\u{a0}\u{a0}\t"),
            ("&amp;quot;&amp;quot &amp;#8217; &amp;#44000", "\"\" ’ ,000"),
            ("&amp;amp;quot;", "&quot;"),
            ("&amp;&amp;", "&&"),
            ("&ampquot;", "\""),
            ("&amp;1 &amp;green &amp; lt;", "&1 &green & lt;"),
            ("&#38;quot;", "&quot;"),
        ] {
            assert_eq!(decoded(Cow::Borrowed(found)), expected, "{found}");
        }
    }

    #[test]
    fn what_is_no_entity_stays_as_found() {
        for found in [
            "&",
            "&&",
            "&;",
            "&#",
            "&#;",
            "&#4",
            "&#x",
            "&#x;",
            "&#xZ;",
            "&#x41",
            "&#0;",
            "&#00",
            "&#1;",
            "&#127;",
            "&#xD800;",
            "&#x110000;",
            "&#99999999999999999999;",
            "&nosuch;",
            "&eacute",
            "&é;",
            "R&D",
            "AT&T;",
            "&CounterClockwiseContourIntegralAndMore;",
        ] {
            assert_eq!(decoded(Cow::Borrowed(found)), found);
        }
    }

    #[test]
    fn blanks_are_folded_and_letters_lowered() {
        for (found, expected) in [
            ("", ""),
            ("seattle", "seattle"),
            ("  New \t York\u{a0}\u{3000}City \n", "new york city"),
            ("ÅRHUS", "århus"),
            (" ", ""),
            ("a  b", "a b"),
            ("a ", "a"),
        ] {
            assert_eq!(folded(Cow::Borrowed(found)), expected);
        }
        assert!(matches!(folded(Cow::Borrowed("new york (near)")), Cow::Borrowed(_)));
    }
}
