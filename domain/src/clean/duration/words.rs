//! The words of a free-text duration: `about5seconds` is a hedge, a number and a unit.

use std::iter::Peekable;
use std::str::CharIndices;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// What the seconds column of the file says where the text says a month.
const MONTH: u64 = 2_631_600 * SECOND;
const YEAR: u64 = 365 * DAY;

/// A number without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    pub(super) numerator: u128,
    pub(super) denominator: u128,
}

impl Ratio {
    pub(super) const fn new(numerator: u128, denominator: u128) -> Self {
        Self { numerator, denominator }
    }

    pub(super) fn is_whole(self) -> bool {
        self.denominator == 1
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Number(Ratio),
    /// `twenty`, which `five` may follow.
    Tens(u128),
    /// `1/2`, `½`: added to a whole number in front.
    Fraction(Ratio),
    /// `half`, `quarter`: a whole number in front counts them.
    Part(Ratio),
    /// `a`, `an`
    Article,
    Couple,
    /// `few`, `several`
    Vague,
    /// A unit in nanoseconds.
    Unit(u64),
    And,
    /// `to`, `or`, a dash
    To,
    Hyphen,
    /// `between`, which makes `and` a range.
    Between,
    /// `+/-`: what follows is how sure the writer is.
    PlusMinus,
    /// `1:30` may be minutes or a time of day.
    Clock,
    /// Anything else: what stands on its two sides does not belong together.
    Other,
}

/// The words of a text; hedges (`about`, `or so`, `+`, `~`) are left out.
pub(super) fn words(text: &str) -> Vec<Word> {
    let lower = text.to_lowercase();
    let mut reader = Reader { text: &lower, chars: lower.char_indices().peekable(), words: Vec::new() };
    while let Some(&(start, character)) = reader.chars.peek() {
        reader.read(start, character);
    }
    reader.words
}

struct Reader<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    words: Vec<Word>,
}

impl Reader<'_> {
    fn read(&mut self, start: usize, character: char) {
        let rest = &self.text[start..];
        let has_digit = |text: &str| text.starts_with(|next: char| next.is_ascii_digit());
        // In `approx.2 min` the point ends a word, in `.2 min` it starts a number.
        let is_point = character == '.' && !self.text[..start].ends_with(char::is_alphabetic);
        if character.is_ascii_digit() || (is_point && has_digit(&rest[1..])) {
            return self.read_number(start);
        }
        if let Some(mark) = ["+/-", "+\\-", "+-", "±"].iter().find(|mark| rest.starts_with(**mark)) {
            self.chars.nth(mark.chars().count() - 1);
            return self.words.push(Word::PlusMinus);
        }
        if character.is_alphabetic() {
            return self.read_letters(start);
        }
        self.chars.next();
        let word = match character {
            ':' | ';' if has_digit(&rest[1..]) => {
                self.take_while(|next| next.is_ascii_digit() || matches!(next, ':' | ';'));
                Word::Clock
            }
            '½' => Word::Fraction(Ratio::new(1, 2)),
            '¼' => Word::Fraction(Ratio::new(1, 4)),
            '¾' => Word::Fraction(Ratio::new(3, 4)),
            '-' | '–' | '—' | '_' => Word::Hyphen,
            '/' | '\\' => Word::Other,
            '&' => Word::And,
            // Hedges and marks: `~5 min. +`.
            _ => return,
        };
        self.words.push(word);
    }

    /// The end of what follows while `is_part` holds.
    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> usize {
        while self.chars.next_if(|(_, next)| is_part(*next)).is_some() {}
        self.chars.peek().map_or(self.text.len(), |(end, _)| *end)
    }

    fn read_number(&mut self, start: usize) {
        let end = self.take_while(|next| next.is_ascii_digit() || matches!(next, '.' | ',' | ':' | ';'));
        let found = self.text[start..end].trim_end_matches(['.', ',', ':', ';']);
        if found.contains([':', ';']) {
            return self.words.push(Word::Clock);
        }
        let number = number(found);
        let is_divided = self.text[end..].starts_with(['/', '\\'])
            && self.text[end + 1..].starts_with(|next: char| next.is_ascii_digit());
        if !is_divided {
            return self.words.push(number.map_or(Word::Other, Word::Number));
        }
        self.chars.next();
        let below = self.take_while(|next| next.is_ascii_digit());
        let below = self::number(&self.text[end + 1..below]);
        match number.zip(below) {
            Some((above, below)) if is_fraction(above, below) => {
                self.words.push(Word::Fraction(Ratio::new(above.numerator, below.numerator)));
            }
            // `10/15 min`
            Some((above, below)) if above.numerator < below.numerator => {
                self.words.extend([Word::Number(above), Word::To, Word::Number(below)])
            }
            _ => self.words.push(Word::Other),
        }
    }

    fn read_letters(&mut self, start: usize) {
        let end = self.take_while(|next| next.is_alphabetic() || matches!(next, '\'' | '’'));
        let letters = &self.text[start..end];
        if matches!(letters, "a" | "p") && self.text[end..].starts_with(".m") {
            self.chars.nth(1);
            return self.words.push(Word::Other);
        }
        let is_counted = matches!(self.words.last(), Some(Word::Number(_) | Word::Fraction(_)));
        if let Some(word) = word(&letters.replace(['\'', '’'], ""), is_counted) {
            self.words.push(word);
        }
    }
}

/// `45`, `1.5`, `.5`, `1,200`. Null with more digits than a duration has.
fn number(found: &str) -> Option<Ratio> {
    const DIGITS_MAX: usize = 12;
    let (whole, decimals) = found.split_once('.').unwrap_or((found, ""));
    let are_groups = whole.split(',').skip(1).all(|group| group.len() == 3);
    let digits = format!("{}{decimals}", whole.replace(',', ""));
    let denominator = 10u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    (are_groups && digits.len() <= DIGITS_MAX)
        .then(|| Some(Ratio::new(digits.parse().ok()?, denominator)))
        .flatten()
}

/// `1/2`, `3/4`, `1/10`; but `10/15` are two numbers.
fn is_fraction(above: Ratio, below: Ratio) -> bool {
    let are_whole = above.is_whole() && below.is_whole();
    let (above, below) = (above.numerator, below.numerator);
    are_whole && above < below && (above == 1 || matches!(below, 3 | 4 | 8))
}

/// Null for a hedge, which says nothing about how long it was. Single letters are units only behind a number.
fn word(letters: &str, is_counted: bool) -> Option<Word> {
    Some(match letters {
        "a" | "an" => Word::Article,
        "couple" => Word::Couple,
        "few" | "several" => Word::Vague,
        "half" => Word::Part(Ratio::new(1, 2)),
        "third" => Word::Part(Ratio::new(1, 3)),
        "quarter" | "quarters" => Word::Part(Ratio::new(1, 4)),
        "and" => Word::And,
        "between" => Word::Between,
        "to" | "or" | "till" | "til" | "until" | "thru" | "through" => Word::To,
        "about" | "abt" | "approx" | "approximately" | "approximatly" | "aprox" | "appx" | "around"
        | "roughly" | "maybe" | "perhaps" | "possibly" | "probably" | "nearly" | "almost" | "over"
        | "under" | "less" | "than" | "more" | "at" | "least" | "most" | "up" | "plus" | "so" | "est"
        | "estimated" | "only" | "just" | "full" | "good" | "solid" | "whole" | "odd" | "of" | "the"
        | "even" | "like" | "long" | "another" => return None,
        // `1/30th second`
        "th" | "ths" | "rd" | "nd" if is_counted => return None,
        _ => spelled_number(letters).or_else(|| unit(letters, is_counted)).unwrap_or(Word::Other),
    })
}

fn spelled_number(letters: &str) -> Option<Word> {
    const ONES: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let place = |list: &[&str]| list.iter().position(|word| *word == letters).map(|place| place as u128);
    let tens = || place(&TENS).or_else(|| (letters == "fourty").then_some(2));
    place(&ONES)
        .map(|ones| Word::Number(Ratio::new(ones, 1)))
        .or_else(|| tens().map(|tens| Word::Tens(10 * (tens + 2))))
}

fn unit(letters: &str, is_counted: bool) -> Option<Word> {
    let nanoseconds = match letters {
        "ms" | "msec" | "millisecond" | "milliseconds" => SECOND / 1000,
        "sec" | "secs" | "second" | "seconds" | "scs" => SECOND,
        "min" | "mins" | "minute" | "minutes" | "mn" | "mns" | "mim" | "mims" | "mint" | "mints" => MINUTE,
        "hr" | "hrs" | "hour" | "hours" => HOUR,
        "day" | "days" => DAY,
        "week" | "weeks" | "wk" | "wks" => WEEK,
        "month" | "months" | "mo" | "mos" => MONTH,
        "year" | "years" | "yr" | "yrs" => YEAR,
        // The file cuts the text after 25 characters.
        "seco" | "secon" => SECOND,
        "minu" | "minut" => MINUTE,
        "hou" => HOUR,
        "s" if is_counted => SECOND,
        "m" if is_counted => MINUTE,
        "h" if is_counted => HOUR,
        _ => misspelled_unit(letters)?,
    };
    Some(Word::Unit(nanoseconds))
}

/// `minuts`, `mintues`, `secounds`, `huors`: one slip, in long words two; the first letter is right.
fn misspelled_unit(letters: &str) -> Option<u64> {
    const SPELLINGS: [(&str, u64); 6] = [
        ("second", SECOND),
        ("seconds", SECOND),
        ("minute", MINUTE),
        ("minutes", MINUTE),
        ("hour", HOUR),
        ("hours", HOUR),
    ];
    /// Longer than any slip of the longest one.
    const LETTERS_MAX: usize = 10;
    let found: Vec<char> = letters.chars().take(LETTERS_MAX).collect();
    let slips_max = match found.len() {
        4 | 5 => 1,
        6..LETTERS_MAX => 2,
        _ => return None,
    };
    let is_meant = |spelling: &str| {
        let spelling: Vec<char> = spelling.chars().collect();
        spelling[0] == found[0] && slips(&found, &spelling) <= slips_max
    };
    SPELLINGS.iter().find(|(spelling, _)| is_meant(spelling)).map(|(_, unit)| *unit)
}

/// How many letters were left out, put in, changed or swapped with their neighbour.
fn slips(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 0..left.len() {
        let mut current = vec![row + 1];
        for column in 0..right.len() {
            let changed = above[column] + usize::from(left[row] != right[column]);
            let mut best = changed.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column] {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let slips = |left: &str, right: &str| {
            slips(&left.chars().collect::<Vec<_>>(), &right.chars().collect::<Vec<_>>())
        };
        assert_eq!(slips("minutes", "minutes"), 0);
        assert_eq!(slips("mintues", "minutes"), 1);
        assert_eq!(slips("minuites", "minutes"), 1);
        assert_eq!(slips("secounds", "seconds"), 1);
        assert_eq!(slips("house", "hours"), 2);
        assert_eq!(slips("", "ab"), 2);
    }
}
