//! What was seen, in sentences that nobody wrote, with the real file's entities and its cut at about 135 characters.

mod phrases;

use self::phrases::{ENDINGS, MOTIONS, OPENINGS, PLACES, RARE, REMARKS, SHORT, SIGHTS};
use super::random::{Random, Weighted};
use super::text::{encoded, push_number};

/// Longer comments are cut here; an entity counts as the character that it stands for.
const CUT_AT: usize = 135;
/// Comments in capitals, and those whose commas have no blank behind them.
const SHOUTED_PER_1_000: u32 = 21;
const TIGHT_PER_1_000: u32 = 45;
const REMARK_PER_1_000: u32 = 50;
/// With the typographer's quotes and dashes.
const RARE_PER_1_000: u32 = 3;
const DOUBLE_BLANK_PER_1_000: u32 = 450;
const EXCLAIMED_PER_1_000: u32 = 38;
/// No comment at all: thirteen in the real file.
const EMPTY_PER_100_000: u32 = 18;

/// What a comment is made of, in this order.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Opening,
    Sight,
    Motion,
    Place,
    Ending,
    Short,
}

use Piece::{Ending, Motion, Opening, Place, Short, Sight};

/// How a phrase is written.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Plain,
    Tight,
    Shouted,
}

/// A phrase with its entities, ready to be copied: up to its number, and behind it.
struct Phrase {
    before: String,
    after: Option<String>,
    /// Characters, each entity as one, without the number.
    length: usize,
}

/// A list of phrases: in each manner, and with a capital in front.
struct Phrases([Vec<Phrase>; 3], [Vec<Phrase>; 3]);

impl Phrases {
    fn new(texts: &[&str]) -> Self {
        let all = |manner, is_first| texts.iter().map(|text| Phrase::new(text, manner, is_first)).collect();
        let manners = |is_first| {
            [all(Manner::Plain, is_first), all(Manner::Tight, is_first), all(Manner::Shouted, is_first)]
        };
        Self(manners(false), manners(true))
    }

    fn draw(&self, manner: Manner, is_first: bool, random: &mut Random) -> &Phrase {
        random.of(&(if is_first { &self.1 } else { &self.0 })[manner as usize])
    }
}

impl Phrase {
    fn new(text: &str, manner: Manner, is_first: bool) -> Self {
        let text = match manner {
            Manner::Plain => text.to_owned(),
            Manner::Tight => text.replace(", ", ","),
            Manner::Shouted => text.to_uppercase(),
        };
        let text = match text.get(..1) {
            Some(first) if is_first => first.to_uppercase() + &text[1..],
            _ => text,
        };
        let (before, after) = match text.split_once('#') {
            Some((before, after)) => (encoded(before), Some(encoded(after))),
            None => (encoded(&text), None),
        };
        Self { before, after, length: text.chars().filter(|character| *character != '#').count() }
    }
}

/// What comments are drawn from.
pub(super) struct Comments {
    lists: [Phrases; 6],
    remarks: Phrases,
    rare: Phrases,
    shapes: Weighted<&'static [Piece]>,
}

impl Comments {
    pub(super) fn new() -> Self {
        let shapes: [(&'static [Piece], u64); 14] = [
            (&[Short], 80),
            (&[Short, Place], 60),
            (&[Short, Ending], 80),
            (&[Sight], 60),
            (&[Sight, Motion], 110),
            (&[Sight, Place], 80),
            (&[Sight, Ending], 60),
            (&[Sight, Motion, Ending], 60),
            (&[Opening, Sight], 70),
            (&[Opening, Sight, Ending], 60),
            (&[Opening, Sight, Motion], 80),
            (&[Opening, Sight, Motion, Place], 70),
            (&[Opening, Sight, Motion, Place, Ending], 120),
            (&[Opening, Sight, Motion, Ending, Sight, Motion, Ending], 60),
        ];
        let lists = [&OPENINGS[..], &SIGHTS, &MOTIONS, &PLACES, &ENDINGS, &SHORT].map(Phrases::new);
        Self {
            lists,
            remarks: Phrases::new(&REMARKS),
            rare: Phrases::new(&RARE),
            shapes: Weighted::new(shapes),
        }
    }

    /// Appends a comment, without the quotes around it.
    pub(super) fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        if random.below(100_000) < EMPTY_PER_100_000 {
            return;
        }
        let manner = match random.below(1_000) {
            chance if chance < SHOUTED_PER_1_000 => Manner::Shouted,
            chance if chance < SHOUTED_PER_1_000 + TIGHT_PER_1_000 => Manner::Tight,
            _ => Manner::Plain,
        };
        let mut line = Line { out, left: CUT_AT };
        let mut before = None;
        for piece in *self.shapes.draw(random) {
            let is_first = line.join(before, *piece, random);
            before = Some(*piece);
            line.push(self.lists[*piece as usize].draw(manner, is_first, random), random);
        }
        let end: &[u8] = if random.permille(EXCLAIMED_PER_1_000) { b"&#33" } else { b"." };
        line.push_text(end, 1);
        if random.permille(RARE_PER_1_000) {
            line.push(self.rare.draw(Manner::Plain, false, random), random);
        }
        if random.permille(REMARK_PER_1_000) {
            line.push(self.remarks.draw(Manner::Plain, false, random), random);
        }
    }
}

/// The comment so far.
struct Line<'o> {
    out: &'o mut Vec<u8>,
    /// Characters that may follow.
    left: usize,
}

impl Line<'_> {
    /// Goes on to this piece from the one before: whether a sentence begins.
    fn join(&mut self, before: Option<Piece>, piece: Piece, random: &mut Random) -> bool {
        match (before, piece) {
            (None, _) => return true,
            (Some(_), Ending) if random.permille(250) => self.push_text(b"&#44 ", 2),
            (Some(Ending | Short), _) | (Some(_), Ending | Opening | Short) => {
                let is_wide = random.permille(DOUBLE_BLANK_PER_1_000);
                self.push_text(if is_wide { b".  " } else { b". " }, if is_wide { 3 } else { 2 });
                return true;
            }
            (Some(Opening | Sight | Motion | Place), Sight | Motion | Place) => self.push_text(b" ", 1),
        }
        false
    }

    fn push(&mut self, phrase: &Phrase, random: &mut Random) {
        // A digit more or less does not matter to the cut.
        let digits = if phrase.after.is_some() { 2 } else { 0 };
        let number = random.between(2, 90);
        if phrase.length + digits <= self.left {
            self.out.extend_from_slice(phrase.before.as_bytes());
            if let Some(after) = &phrase.after {
                push_number(number.into(), self.out);
                self.out.extend_from_slice(after.as_bytes());
            }
            self.left -= phrase.length + digits;
            return;
        }
        self.push_cut(&phrase.before);
        if let (Some(after), true) = (&phrase.after, self.left >= digits) {
            push_number(number.into(), self.out);
            self.left -= digits;
            self.push_cut(after);
        }
        self.left = 0;
    }

    fn push_text(&mut self, text: &[u8], length: usize) {
        if length <= self.left {
            self.out.extend_from_slice(text);
            self.left -= length;
        } else {
            self.left = 0;
        }
    }

    /// As many characters as fit; an entity is never cut.
    fn push_cut(&mut self, encoded: &str) {
        let mut rest = encoded;
        while self.left > 0 && !rest.is_empty() {
            let (character, behind) = rest.split_at(first_length(rest));
            self.out.extend_from_slice(character.as_bytes());
            (rest, self.left) = (behind, self.left - 1);
        }
    }
}

/// Bytes of the first character, or of the entity that stands for it.
fn first_length(encoded: &str) -> usize {
    const WITHOUT_SEMICOLON: [&str; 3] = ["&#44", "&#39", "&#33"];
    if !encoded.starts_with('&') {
        1
    } else if WITHOUT_SEMICOLON.iter().any(|entity| encoded.starts_with(entity)) {
        4
    } else {
        encoded.find(';').map_or(1, |end| end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comments(rows: u64) -> Vec<String> {
        let comments = Comments::new();
        let mut random = Random::new(3);
        let mut written = |row| {
            let mut out = Vec::new();
            random.go_to_row(row);
            comments.write(&mut random, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..rows).map(&mut written).collect()
    }

    fn characters(encoded: &str) -> usize {
        let (mut rest, mut count) = (encoded, 0);
        while !rest.is_empty() {
            (rest, count) = (&rest[first_length(rest)..], count + 1);
        }
        count
    }

    #[test]
    fn comments_are_cut_at_their_length_and_never_within_an_entity() {
        let comments = comments(20_000);
        let lengths: Vec<usize> = comments.iter().map(|comment| characters(comment)).collect();
        assert_eq!(lengths.iter().max(), Some(&CUT_AT));
        let cut = lengths.iter().filter(|length| **length >= CUT_AT - 1).count();
        assert!((3_000..6_000).contains(&cut), "{cut}");
        let mean = comments.iter().map(String::len).sum::<usize>() / comments.len();
        assert!((75..92).contains(&mean), "{mean}");
    }

    #[test]
    fn nothing_in_a_comment_needs_quotes_or_is_no_ascii() {
        for comment in comments(20_000) {
            let bare = comment.replace("&#", "");
            assert!(bare.is_ascii() && !bare.contains(['"', ',', '#', '\n']), "{comment}");
        }
    }
}
