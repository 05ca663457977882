//! How long: the seconds, and a text of the same length as people write it.

mod phrases;

use self::phrases::{
    AN_HOUR, BROKEN, FORMS, Form, HALF_AN_HOUR, HOUR_AND_A_HALF, HOUR_UNITS, LONG, MINUTE_UNITS, ODD,
    SECOND_UNITS, SECONDS, VAGUE_HOURS, VAGUE_MINUTES, VAGUE_SECONDS, WORDS,
};
use super::random::{Random, Weighted};
use super::text::push_number;

/// More than 7 days: 41 in the real file.
const LONG_PER_100_000: u32 = 52;
/// Fractions of a second, and texts of two units.
const ODD_PER_100_000: u32 = 400;
/// Three in the real file have a slip of the pen; that some have no seconds is ours.
const BROKEN_PER_100_000: u32 = 12;
/// Lengths of their own.
const ANY_PER_1_000: u32 = 15;
/// "0:05" for five minutes.
const CLOCK_PER_1_000: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
}

/// What durations are drawn from.
pub(super) struct Durations {
    seconds: Weighted<u32>,
    forms: Weighted<Form>,
    units: [Weighted<(&'static str, &'static str)>; 3],
    long: Weighted<(&'static str, &'static str)>,
}

impl Durations {
    pub(super) fn new() -> Self {
        let units = |table: &[(&'static str, &'static str, u64)]| {
            Weighted::new(table.iter().map(|(one, many, weight)| ((*one, *many), *weight)))
        };
        Self {
            seconds: Weighted::new(SECONDS),
            forms: Weighted::new(FORMS),
            units: [units(&SECOND_UNITS), units(&MINUTE_UNITS), units(&HOUR_UNITS)],
            long: Weighted::new(LONG.iter().map(|(seconds, text, weight)| ((*seconds, *text), *weight))),
        }
    }

    /// Appends the seconds, a comma and the text.
    pub(super) fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        let pair = match random.below(100_000) {
            chance if chance < LONG_PER_100_000 => Some(*self.long.draw(random)),
            chance if chance < LONG_PER_100_000 + BROKEN_PER_100_000 => Some(*random.of(&BROKEN)),
            chance if chance < LONG_PER_100_000 + BROKEN_PER_100_000 + ODD_PER_100_000 => {
                Some(*random.of(&ODD))
            }
            _ => None,
        };
        if let Some((seconds, text)) = pair {
            out.extend_from_slice(seconds.as_bytes());
            out.push(b',');
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let seconds = if random.permille(ANY_PER_1_000) {
            random.between(1, 120) * random.of::<u32>(&[1, 1, 60])
        } else {
            *self.seconds.draw(random)
        };
        push_number(seconds.into(), out);
        out.push(b',');
        self.write_text(seconds, random, out);
    }

    fn write_text(&self, seconds: u32, random: &mut Random, out: &mut Vec<u8>) {
        if let Some((permille, texts)) = special(seconds)
            && random.permille(permille)
        {
            out.extend_from_slice(random.of(texts).as_bytes());
            return;
        }
        let (number, unit) = in_units(seconds, random);
        if unit == Unit::Minute && random.permille(CLOCK_PER_1_000) {
            push_number((number / 60).into(), out);
            out.extend_from_slice(if number % 60 < 10 { b":0" } else { b":" });
            push_number((number % 60).into(), out);
            return;
        }
        let (one, many) = *self.units[unit as usize].draw(random);
        let form = self.forms.draw(random);
        let is_one = number == 1 && !form.text.contains('<');
        for byte in form.text.bytes() {
            match byte {
                b'#' => push_number(number.into(), out),
                b'<' => push_number(lower(number, random).into(), out),
                b'W' => match WORDS.get(number as usize) {
                    Some(word) if !word.is_empty() => out.extend_from_slice(word.as_bytes()),
                    _ => push_number(number.into(), out),
                },
                b'U' => out.extend_from_slice(if is_one { one } else { many }.as_bytes()),
                byte => out.push(byte),
            }
        }
    }
}

/// Texts for this length alone, and how many in a thousand have one.
fn special(seconds: u32) -> Option<(u32, &'static [&'static str])> {
    match seconds {
        1..=3 => Some((200, &VAGUE_SECONDS)),
        120 | 180 => Some((50, &VAGUE_MINUTES)),
        1_800 => Some((110, &HALF_AN_HOUR)),
        3_600 => Some((200, &AN_HOUR)),
        5_400 => Some((300, &HOUR_AND_A_HALF)),
        7_200 | 10_800 => Some((110, &VAGUE_HOURS)),
        _ => None,
    }
}

/// The number and the unit that a person would take.
fn in_units(seconds: u32, random: &mut Random) -> (u32, Unit) {
    if seconds.is_multiple_of(3_600) {
        (seconds / 3_600, Unit::Hour)
    } else if seconds.is_multiple_of(60) && (seconds > 90 || !random.permille(90)) {
        (seconds / 60, Unit::Minute)
    } else {
        (seconds, Unit::Second)
    }
}

/// Where a range up to this number begins.
fn lower(number: u32, random: &mut Random) -> u32 {
    match number {
        0..=1 => 0,
        2..=9 => number - random.between(1, (number - 1).min(2)),
        10..=20 => number - 5,
        21..=60 => number - 10 * random.between(1, 2),
        _ => number / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_a_text_of_its_own_size() {
        let durations = Durations::new();
        let mut random = Random::new(5);
        for _ in 0..20_000 {
            let mut out = Vec::new();
            durations.write(&mut random, &mut out);
            let text = String::from_utf8(out).unwrap();
            let (seconds, words) = text.split_once(',').unwrap();
            assert!(!words.replace("&#", "").contains(['#', '<', 'U', 'W', ',']), "{text}");
            assert!(seconds.is_empty() || seconds.trim_end_matches('`').parse::<f64>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_range_ends_where_the_seconds_say() {
        let mut random = Random::new(5);
        for number in 2..120 {
            let low = lower(number, &mut random);
            assert!(low < number && low > 0, "{low}-{number}");
        }
    }
}
