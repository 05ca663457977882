//! A free-text duration: numbers with units, parts added, ranges at their middle.

use super::words::{Ratio, Word, words};

/// Null without a number that has a unit, and where the text says no more than `few`, `several` or `1:30`.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    // `20 min (1200 seconds)` says one thing twice.
    let before_bracket = text.split_once('(').and_then(|(before, _)| nanoseconds(before));
    let nanoseconds = before_bracket.or_else(|| nanoseconds(text))?;
    u64::try_from((nanoseconds + 500_000) / 1_000_000).ok()
}

fn nanoseconds(text: &str) -> Option<u128> {
    let words = words(text);
    let phrase = Phrase { words: &words };
    if phrase.is_vague() {
        return None;
    }
    let mut sum: Option<u128> = None;
    let mut at = 0;
    while at < words.len() {
        // `20 sec +/- 5 sec`
        if phrase.at(at) == Word::PlusMinus {
            at = phrase.quantity(at + 1).map_or(at + 1, |quantity| quantity.next);
            continue;
        }
        match phrase.span(at) {
            Some((span, next)) => {
                sum = Some(sum.unwrap_or(0).saturating_add(span));
                at = next;
            }
            None => at += 1,
        }
    }
    sum
}

/// A number of units, and the place of the word after it.
struct Quantity {
    nanoseconds: u128,
    unit: u64,
    next: usize,
}

struct Phrase<'w> {
    words: &'w [Word],
}

impl Phrase<'_> {
    fn at(&self, place: usize) -> Word {
        self.words.get(place).copied().unwrap_or(Word::Other)
    }

    /// `a few minutes`, `1:30 min`
    fn is_vague(&self) -> bool {
        self.words.windows(2).any(|pair| matches!(pair, [Word::Vague | Word::Clock, Word::Unit(_)]))
    }

    /// `1 hr 30 min`, and with a second side (`to 2 hrs`) the middle of both.
    fn span(&self, at: usize) -> Option<(u128, usize)> {
        let is_between = at > 0 && self.at(at - 1) == Word::Between;
        let (first, unit, next) = self.parts(at)?;
        match self.at(next) {
            Word::To | Word::Hyphen => {}
            Word::And if is_between => {}
            _ => return Some((first, next)),
        }
        if let Some((second, _, next)) = self.parts(next + 1) {
            return Some((middle(first, second), next));
        }
        // `a minute or two`
        match self.number(next + 1) {
            Some((number, next)) => Some((middle(first, times(number, unit)), next)),
            None => Some((first, next)),
        }
    }

    /// Quantities side by side, each of a smaller unit than the one before: their sum, the last unit.
    fn parts(&self, at: usize) -> Option<(u128, u64, usize)> {
        let Quantity { mut nanoseconds, mut unit, mut next } = self.quantity(at)?;
        loop {
            let start = next + usize::from(self.at(next) == Word::And);
            match self.quantity(start) {
                Some(part) if part.unit < unit => {
                    nanoseconds = nanoseconds.saturating_add(part.nanoseconds);
                    (unit, next) = (part.unit, part.next);
                }
                _ => return Some((nanoseconds, unit, next)),
            }
        }
    }

    fn quantity(&self, at: usize) -> Option<Quantity> {
        let (nanoseconds, unit, next) = match self.at(at) {
            // `hour and a half`
            Word::Unit(unit) if self.half_behind(at + 1).is_some() => (u128::from(unit), unit, at + 1),
            _ => self.counted(at)?,
        };
        Some(match self.half_behind(next) {
            Some((half, next)) => Quantity { nanoseconds: nanoseconds + times(half, unit), unit, next },
            None => Quantity { nanoseconds, unit, next },
        })
    }

    /// `5 minutes`, `5 to 10 minutes`, `5 or more minutes`: how long, the unit, the place after it.
    fn counted(&self, at: usize) -> Option<(u128, u64, usize)> {
        let (number, mut next) = self.number(at)?;
        let mut second = None;
        if matches!(self.at(next), Word::To | Word::Hyphen | Word::And) {
            next += 1;
            if let Some((number, after)) = self.number(next) {
                (second, next) = (Some(number), after);
            }
        }
        // `5-10-min`, `30 +/- min`
        next += usize::from(matches!(self.at(next), Word::Hyphen | Word::PlusMinus));
        let Word::Unit(unit) = self.at(next) else { return None };
        let first = times(number, unit);
        match second.map(|second| times(second, unit)) {
            // `30 - 1 min`: thirty of what?
            Some(second) if second < first => None,
            Some(second) => Some((middle(first, second), unit, next + 1)),
            None => Some((first, unit, next + 1)),
        }
    }

    /// `and a half` behind a unit, without a unit of its own.
    fn half_behind(&self, at: usize) -> Option<(Ratio, usize)> {
        if self.at(at) != Word::And {
            return None;
        }
        let start = at + 1 + usize::from(self.at(at + 1) == Word::Article);
        match (self.at(start), self.at(start + 1)) {
            (_, Word::Unit(_)) => None,
            (Word::Part(half) | Word::Fraction(half), _) => Some((half, start + 1)),
            _ => None,
        }
    }

    /// A number in digits or words, and the place after it: the article in `half an hour` belongs to it.
    fn number(&self, at: usize) -> Option<(Ratio, usize)> {
        let (number, next) = self.bare_number(at)?;
        let is_article = self.at(next) == Word::Article && matches!(self.at(next + 1), Word::Unit(_));
        Some((number, next + usize::from(is_article)))
    }

    fn bare_number(&self, at: usize) -> Option<(Ratio, usize)> {
        const ONE: Ratio = Ratio::new(1, 1);
        match self.at(at) {
            Word::Number(number) if number.is_whole() => Some(self.with_fraction(number.numerator, at + 1)),
            Word::Number(number) => Some((number, at + 1)),
            Word::Tens(tens) => {
                let (ones, next) = self.ones(at + 1);
                Some(self.with_fraction(tens + ones, next))
            }
            Word::Fraction(fraction) | Word::Part(fraction) => Some((fraction, at + 1)),
            Word::Couple => Some((Ratio::new(2, 1), at + 1)),
            Word::Article => match self.at(at + 1) {
                Word::Unit(_) => Some((ONE, at + 1)),
                Word::Fraction(fraction) | Word::Part(fraction) => Some((fraction, at + 2)),
                Word::Couple => Some((Ratio::new(2, 1), at + 2)),
                _ => None,
            },
            _ => None,
        }
    }

    /// `five` or `-five` behind `twenty`; in `twenty-thirty` there are none.
    fn ones(&self, at: usize) -> (u128, usize) {
        let start = at + usize::from(self.at(at) == Word::Hyphen);
        match self.at(start) {
            Word::Number(Ratio { numerator: ones @ 1..=9, denominator: 1 }) => (ones, start + 1),
            _ => (0, at),
        }
    }

    /// `1 1/2`, `1-1/2`, `one and a half`; but `one half` and `three quarters` count parts.
    fn with_fraction(&self, whole: u128, next: usize) -> (Ratio, usize) {
        if let Word::Part(part) = self.at(next) {
            return (Ratio::new(whole * part.numerator, part.denominator), next + 1);
        }
        const ONE: Word = Word::Number(Ratio::new(1, 1));
        let is_joined = matches!(self.at(next), Word::And | Word::Hyphen);
        let mut start = next + usize::from(is_joined);
        let is_one_part = self.at(start) == ONE && matches!(self.at(start + 1), Word::Part(_));
        start += usize::from(is_one_part || (is_joined && self.at(start) == Word::Article));
        match self.at(start) {
            Word::Fraction(part) | Word::Part(part) => {
                let numerator = whole * part.denominator + part.numerator;
                (Ratio::new(numerator, part.denominator), start + 1)
            }
            _ => (Ratio::new(whole, 1), next),
        }
    }
}

fn times(number: Ratio, unit: u64) -> u128 {
    number.numerator.saturating_mul(u128::from(unit)) / number.denominator
}

fn middle(first: u128, second: u128) -> u128 {
    first.saturating_add(second) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const WRITTEN: &[(&str, u64)] = &[
        ("45 minutes", 45 * MINUTE),
        ("1-2 hrs", 90 * MINUTE),
        ("about5seconds", 5_000),
        ("six to seven seconds", 6_500),
        ("30 min +", 30 * MINUTE),
        ("10 minuts", 10 * MINUTE),
        ("1/2 hour", 30 * MINUTE),
        ("1\\2 hour", 30 * MINUTE),
        ("½ hr", 30 * MINUTE),
        ("1 hr 30 min", 90 * MINUTE),
        ("1hr30min", 90 * MINUTE),
        ("1 hour, 30 minutes and 15 seconds", 90 * MINUTE + 15_000),
        ("30 sec to 1 min", 45_000),
        ("1 min 30 sec to 2 min 30 sec", 2 * MINUTE),
        ("1 hr to 1 hr 30 min", 75 * MINUTE),
        ("1.5 hours", 90 * MINUTE),
        (".5 seconds", 500),
        ("1,200 seconds", 20 * MINUTE),
        ("1 1/2 hours", 90 * MINUTE),
        ("1-1/2 hrs", 90 * MINUTE),
        ("1-1 1/2 hrs", 75 * MINUTE),
        ("2 1/2-3 minutes", 165_000),
        ("1/2 to 1 minute", 45_000),
        ("one and a half hours", 90 * MINUTE),
        ("an hour and a half", 90 * MINUTE),
        ("hour and a half", 90 * MINUTE),
        ("1 hour & 1/2", 90 * MINUTE),
        ("half an hour", 30 * MINUTE),
        ("half hour", 30 * MINUTE),
        ("one half hour", 30 * MINUTE),
        ("a quarter of an hour", 15 * MINUTE),
        ("three quarters of an hour", 45 * MINUTE),
        ("3/4 hour", 45 * MINUTE),
        ("1/10 second", 100),
        ("1/3 sec", 333),
        ("2/3 sec", 667),
        ("a minute", MINUTE),
        ("less than a minute", MINUTE),
        ("a minute or two", 90_000),
        ("a couple of minutes", 2 * MINUTE),
        ("couple minutes", 2 * MINUTE),
        ("a couple hours", 2 * HOUR),
        ("twenty minutes", 20 * MINUTE),
        ("twenty five minutes", 25 * MINUTE),
        ("forty-five minutes", 45 * MINUTE),
        ("twenty-thirty minutes", 25 * MINUTE),
        ("fifteen to twenty min", 17 * MINUTE + 30_000),
        ("ninety seconds", 90_000),
        ("5 or 10 minutes", 7 * MINUTE + 30_000),
        ("between 5 and 10 minutes", 7 * MINUTE + 30_000),
        ("10/15 min", 12 * MINUTE + 30_000),
        ("5 min - 10", 7 * MINUTE + 30_000),
        ("10 – 20 sec.", 15_000),
        ("10 to about 15 minutes", 12 * MINUTE + 30_000),
        ("5+ minutes", 5 * MINUTE),
        ("5 or more minutes", 5 * MINUTE),
        ("~10 min or so", 10 * MINUTE),
        ("<1 sec", 1_000),
        ("10 min. approx.", 10 * MINUTE),
        ("10.min", 10 * MINUTE),
        ("20 min (1200 seconds)", 20 * MINUTE),
        ("(5 min)", 5 * MINUTE),
        ("5 min (9:15-9:20)", 5 * MINUTE),
        ("15m", 15 * MINUTE),
        ("20s", 20_000),
        ("2h", 2 * HOUR),
        ("mintues: 3 mintues", 3 * MINUTE),
        ("5 secounds", 5_000),
        ("approx.2 min", 2 * MINUTE),
        ("2 min's", 2 * MINUTE),
        ("20 sec +/- 5 sec", 20_000),
        ("20 sec +\\- 5 sec", 20_000),
        ("30 +/- min", 30 * MINUTE),
        ("between 20 min and 45 min", 32 * MINUTE + 30_000),
        ("3 and one half minutes", 210_000),
        ("2 one half hrs", 150 * MINUTE),
        ("5-10-min", 7 * MINUTE + 30_000),
        ("1/30th second", 33),
        ("200 ms", 200),
        ("about 1 and 1/2 to 2 minu", 105_000),
        ("3 days", 3 * DAY),
        ("2 weeks", 14 * DAY),
        ("1 month", 2_631_600_000),
        ("two years", 730 * DAY),
    ];

    #[test]
    fn durations_people_write() {
        for (text, expected) in WRITTEN {
            assert_eq!(milliseconds(text), Some(*expected), "{text}");
        }
    }

    #[test]
    fn nothing_is_made_up() {
        for text in [
            "",
            "minutes",
            "seconds",
            "few seconds",
            "a few minutes",
            "several hours",
            "a few more minutes",
            "1:30",
            "1:30 min",
            ":30 sec",
            "20:30 - 21:00",
            "5",
            "5-10",
            "unknown",
            "brief",
            "split second",
            "a split second",
            "hour",
            "9 a.m.",
            "9 pm to 10 p.m.",
            "all night",
            "friday",
            "birthday",
            "a while",
            "ongoing",
            "couple to few minutes",
            "1 to several minutes",
            "99999999999999 hours",
            "a",
            "and a half",
            "12/24/1999",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
