//! `shape`.

use std::borrow::Cow;

use super::text;

/// Lower case; `unknown` where none was given. Labels not seen before pass.
pub(super) fn shape(found: Cow<'_, str>) -> Cow<'_, str> {
    match text::word(found) {
        None => Cow::Borrowed("unknown"),
        Some(label) if label == "changed" => Cow::Borrowed("changing"),
        Some(label) => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for (found, expected) in [
            ("light", "light"),
            (" Light ", "light"),
            ("", "unknown"),
            ("\u{a0}", "unknown"),
            ("changed", "changing"),
            ("CHANGED", "changing"),
            ("changing", "changing"),
            ("tic&#45tac", "tic-tac"),
            ("dome", "dome"),
        ] {
            assert_eq!(shape(Cow::Borrowed(found)), expected);
        }
    }
}
