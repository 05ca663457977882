//! `city` and the note in its brackets.

use std::borrow::Cow;

/// What the last bracket says, also when it is not closed; null where there is none or nothing is in it. The
/// city is decoded and folded already.
pub(super) fn note<'a>(city: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    let bytes = city.as_bytes();
    let start = memchr::memrchr(b'(', bytes)? + 1;
    let end = memchr::memchr(b')', &bytes[start..]).map_or(bytes.len(), |length| start + length);
    let note = match city {
        Cow::Borrowed(city) => Cow::Borrowed(city[start..end].trim()),
        Cow::Owned(city) => Cow::Owned(city[start..end].trim().to_owned()),
    };
    Some(note).filter(|note| !note.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bracket_counts() {
        for (city, expected) in [
            ("seattle", None),
            ("st. john's (canada)", Some("canada")),
            ("london (uk/england", Some("uk/england")),
            ("x (downtown) (south korea)", Some("south korea")),
            ("x (near (old) town", Some("old")),
            ("x ( near ) y", Some("near")),
            ("x ()", None),
            ("x (", None),
            ("x )", None),
        ] {
            assert_eq!(note(&Cow::Borrowed(city)).as_deref(), expected, "{city}");
        }
    }
}
