//! How far inputs have been sent, and what that means for the input that is there now. Pure.
//!
//! A place says: the bytes before it, and with them their rows, are in the log. That stays true for ever, whatever
//! becomes of the file. A run therefore goes on behind the last place that the input still agrees with, to the byte;
//! it is found under the hash of the header and the first row, which survives renaming, moving and growing.

use serde::{Deserialize, Serialize};

/// Places of other files with the same beginning, and of this one when it was shorter, that are remembered. A place
/// that is forgotten costs duplicates, nothing more.
const EARLIER_MAX: usize = 16;

/// A place behind a whole row of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Rows before this place, the header not counted.
    pub row: u64,
    /// Bytes of the (decompressed) content before this place.
    pub byte: u64,
    /// Hash of these bytes.
    pub content: String,
    /// The last row has no line end: the input ended there, and may have been cut off in the middle of a row.
    #[serde(default, rename = "open", skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
}

/// How far an input has been sent, and the files that began like it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// Hash of the header and the first row.
    pub identity: String,
    #[serde(flatten)]
    pub place: Place,
    /// The latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Place>,
}

impl FilePosition {
    /// All places known, the latest first.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.place).chain(&self.earlier)
    }

    /// What is remembered while a run goes on behind `begun`: that place first, then the others.
    pub(crate) fn earlier_than(&self, begun: Option<&Place>) -> Vec<Place> {
        let others = self.places().filter(|place| begun != Some(place));
        begun.into_iter().chain(others).take(EARLIER_MAX).cloned().collect()
    }
}

/// What the input shows at a place known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Hash of the bytes before it; `None` where the input ends earlier.
    pub content: Option<String>,
    /// The byte behind it; `None` at the end.
    pub next: Option<u8>,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// No input that begins like this one has been sent.
    Start,
    /// What lies before is in the log.
    From { row: u64, byte: u64 },
    /// What was sent is not what the input holds now: it is sent from its start, and rows that are in already count as
    /// duplicates.
    Changed { row: u64, why: Change },
}

/// How an input differs from what was sent of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Shorter,
    Edited,
    /// The last row sent was cut off in the middle, and goes on now.
    LastRowGrew,
}

impl Change {
    /// Behind "the input".
    pub fn text(self) -> &'static str {
        match self {
            Self::Shorter => "is shorter than what was sent of it",
            Self::Edited => "differs from what was sent of it",
            Self::LastRowGrew => "was sent while its last row was being written",
        }
    }
}

/// Decides where to begin; `facts` are those at each of [`FilePosition::places`].
pub fn beginning(known: Option<&FilePosition>, facts: &[Facts]) -> Beginning {
    let Some(known) = known else { return Beginning::Start };
    let compared: Vec<_> =
        known.places().zip(facts).map(|(place, facts)| (place, change(place, facts))).collect();
    let same = compared.iter().filter(|(_, change)| change.is_none()).max_by_key(|(place, _)| place.byte);
    // Half a row was taken for a row: its rest must not be taken for the next one.
    match (compared.first().and_then(|(_, change)| *change), same) {
        (Some(why @ Change::LastRowGrew), _) => Beginning::Changed { row: known.place.row, why },
        (_, Some((place, _))) => Beginning::From { row: place.row, byte: place.byte },
        (why, None) => Beginning::Changed { row: known.place.row, why: why.unwrap_or(Change::Edited) },
    }
}

fn change(place: &Place, facts: &Facts) -> Option<Change> {
    let goes_on = !matches!(facts.next, None | Some(b'\r' | b'\n'));
    match &facts.content {
        None => Some(Change::Shorter),
        Some(content) if *content != place.content => Some(Change::Edited),
        Some(_) if place.is_open && goes_on => Some(Change::LastRowGrew),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: u64, content: &str) -> Place {
        Place { row, byte: row * 100, content: content.into(), is_open: false }
    }

    fn open(row: u64, content: &str) -> Place {
        Place { is_open: true, ..place(row, content) }
    }

    fn known(place: Place, earlier: &[Place]) -> FilePosition {
        FilePosition { identity: "i".into(), place, earlier: earlier.to_vec() }
    }

    fn same(content: &str, next: Option<u8>) -> Facts {
        Facts { content: Some(content.into()), next }
    }

    const SHORTER: Facts = Facts { content: None, next: None };

    fn begins(place: Place, earlier: &[Place], facts: &[Facts]) -> Beginning {
        beginning(Some(&known(place, earlier)), facts)
    }

    #[test]
    fn never_sent_begins_at_the_start() {
        assert_eq!(beginning(None, &[]), Beginning::Start);
    }

    #[test]
    fn the_same_content_is_passed_over() {
        let from_3 = Beginning::From { row: 3, byte: 300 };
        assert_eq!(begins(place(3, "abc"), &[], &[same("abc", None)]), from_3);
        assert_eq!(begins(place(3, "abc"), &[], &[same("abc", Some(b'1'))]), from_3);
    }

    #[test]
    fn an_edited_or_shortened_input_is_noticed() {
        let changed = |why| Beginning::Changed { row: 3, why };
        assert_eq!(begins(place(3, "abc"), &[], &[same("abd", None)]), changed(Change::Edited));
        assert_eq!(begins(place(3, "abc"), &[], &[SHORTER]), changed(Change::Shorter));
    }

    #[test]
    fn a_last_row_without_line_end_may_gain_one_but_not_go_on() {
        let from_3 = Beginning::From { row: 3, byte: 300 };
        for next in [None, Some(b'\n'), Some(b'\r')] {
            assert_eq!(begins(open(3, "abc"), &[], &[same("abc", next)]), from_3, "{next:?}");
        }
        let grew = Beginning::Changed { row: 3, why: Change::LastRowGrew };
        assert_eq!(begins(open(3, "abc"), &[], &[same("abc", Some(b','))]), grew);
        let facts = [same("abc", Some(b',')), same("a", Some(b'1'))];
        assert_eq!(
            begins(open(3, "abc"), &[place(1, "a")], &facts),
            grew,
            "an earlier place does not hide it"
        );
    }

    #[test]
    fn of_several_places_the_furthest_that_agrees_counts() {
        let sent = [place(9, "xyz"), place(3, "abc"), place(5, "abcde"), place(7, "abcdefg")];
        let (newest, earlier) = (sent[0].clone(), &sent[1..]);
        let facts = [SHORTER, same("abc", Some(b'1')), same("abcde", Some(b'1')), same("other", None)];
        assert_eq!(begins(newest, earlier, &facts), Beginning::From { row: 5, byte: 500 });
    }

    #[test]
    fn places_are_remembered_once_and_not_without_end() {
        let mut position = known(place(1, "a"), &[]);
        for row in 2..40 {
            let begun = position.place.clone();
            let earlier = position.earlier_than(Some(&begun));
            position = known(place(row, "a"), &earlier);
        }
        assert_eq!(position.earlier.len(), EARLIER_MAX);
        assert_eq!(position.earlier[0].row, 38);
        let again = position.earlier_than(Some(&position.earlier[2].clone()));
        assert_eq!((again[0].row, again[1].row, again.len()), (36, 39, EARLIER_MAX));
        assert_eq!(again.iter().filter(|place| place.row == 36).count(), 1);
        assert_eq!(position.earlier_than(None)[0].row, 39, "what is sent anew is remembered too");
    }

    #[test]
    fn written_as_json_and_read_back() {
        let position = known(open(3, "abc"), &[place(1, "a")]);
        let json = serde_json::to_string(&position).unwrap();
        let text = r#"{"identity":"i","row":3,"byte":300,"content":"abc","open":true,"earlier":[{"row":1,"byte":100,"content":"a"}]}"#;
        assert_eq!(json, text);
        assert_eq!(serde_json::from_str::<FilePosition>(&json).unwrap(), position);
    }
}
