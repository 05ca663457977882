//! When: the date and time of a sighting, and the day on which its report was posted.

use super::random::{Random, Weighted};
use super::text::{push_number, push_two_digits};

/// Reports for each year from 1906; the last one ends in May.
const YEARS: [u64; 109] = [
    1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 0, 1, 1, 0, 1, 2, 0, 3, 0,
    1, 2, 6, 7, 8, 8, 35, 7, 16, 27, 17, 45, 31, 46, 26, 42, 69, 44, 48, 56, 43, 64, 79, 85, 174, 171, 168,
    190, 137, 127, 116, 135, 210, 249, 276, 254, 235, 299, 215, 209, 147, 158, 135, 164, 189, 171, 195, 215,
    225, 225, 205, 214, 268, 370, 993, 735, 1109, 1594, 2805, 2483, 2739, 2751, 3332, 3678, 3612, 3246, 3840,
    4407, 4074, 3910, 4814, 6840, 6584, 2126,
];
const YEAR_FIRST: u32 = 1906;
const YEAR_LAST: u32 = YEAR_FIRST + YEARS.len() as u32 - 1;
/// July is the top month, then August and June. The first four are fewer by what the last year adds to them.
const MONTHS: [u64; 12] = [5101, 4077, 4862, 4939, 5299, 8152, 9520, 8636, 7589, 7407, 6742, 5656];
/// The first, the fifteenth, and round numbers are what people remember.
const DAYS: [u64; 31] = [
    50, 20, 21, 29, 23, 21, 21, 21, 20, 26, 20, 23, 22, 22, 53, 22, 21, 21, 21, 27, 20, 21, 21, 21, 22, 18,
    18, 21, 18, 24, 27,
];
/// From Monday on, in hundredths of a Saturday's.
const WEEKDAYS: [u32; 7] = [71, 77, 79, 78, 83, 100, 83];
const HOURS: [u64; 24] = [
    3576, 2838, 2082, 1785, 1372, 1478, 1120, 814, 735, 885, 1074, 1024, 1228, 1151, 1178, 1289, 1450, 2360,
    3682, 5617, 7954, 10566, 9752, 6995,
];
/// "24:00" in 694 of 80,332 rows.
const HOUR_24_PER_100_000: u32 = 864;
/// For the round minutes; the others come rarely.
const MINUTES: [(u32, u64); 12] = [
    (0, 412),
    (30, 193),
    (45, 62),
    (15, 58),
    (20, 29),
    (50, 27),
    (40, 25),
    (10, 25),
    (35, 18),
    (5, 16),
    (25, 14),
    (55, 12),
];
const ANY_MINUTE: u64 = 109;

/// Reports are posted in batches: so many, from the first day on.
const BATCHES: usize = 317;
const BATCH_FIRST: Date = Date { year: 1998, month: 3, day: 7 };
const BATCH_LAST_AFTER_DAYS: u32 = 5_906;
/// Less than the mean gap between two of them.
const BATCH_JITTER_DAYS: u32 = 15;
/// Posted before it occurred: one of them in the real file.
const POSTED_BEFORE_PER_100_000: u32 = 5;

/// What the bad dates look like.
const NO_DATES: [&str; 6] =
    ["some time last summer", "13/45/2005 22:00", "6/31/1999 21:15", "unknown", "7/4/1998 24:30", ""];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: u32,
    month: u32,
    day: u32,
}

impl Date {
    /// Days since 1 March of the year 0, by the Gregorian calendar.
    fn number(self) -> u32 {
        let (year, month) =
            if self.month > 2 { (self.year, self.month - 3) } else { (self.year - 1, self.month + 9) };
        year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + self.day - 1
    }

    fn next(self) -> Self {
        match (self.day < days_in(self.year, self.month), self.month) {
            (true, _) => Self { day: self.day + 1, ..self },
            (false, 12) => Self { year: self.year + 1, month: 1, day: 1 },
            (false, month) => Self { month: month + 1, day: 1, ..self },
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        push_number(self.month.into(), out);
        out.push(b'/');
        push_number(self.day.into(), out);
        out.push(b'/');
        push_number(self.year.into(), out);
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A day of posting.
#[derive(Clone, Debug)]
struct Batch {
    number: u32,
    text: Vec<u8>,
}

/// What dates are drawn from.
pub(super) struct Calendar {
    years: Weighted<u32>,
    months: Weighted<u32>,
    days: Weighted<u32>,
    hours: Weighted<u32>,
    /// `None` is any minute.
    minutes: Weighted<Option<u32>>,
    batches: Vec<Batch>,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let numbered = |first: u32, weights: &[u64]| Weighted::new((first..).zip(weights.iter().copied()));
        let minutes = MINUTES.iter().map(|(minute, weight)| (Some(*minute), *weight));
        Self {
            years: numbered(YEAR_FIRST, &YEARS),
            months: numbered(1, &MONTHS),
            days: numbered(1, &DAYS),
            hours: numbered(0, &HOURS),
            minutes: Weighted::new(minutes.chain([(None, ANY_MINUTE)])),
            batches: batches(),
        }
    }

    /// Appends the date and time, and gives the day's number for [`Self::write_posted`].
    pub(super) fn write_occurred(&self, random: &mut Random, out: &mut Vec<u8>) -> u32 {
        let date = self.date(random);
        date.write(out);
        out.push(b' ');
        let hour = *self.hours.draw(random);
        let minute = self.minutes.draw(random).unwrap_or_else(|| random.below(60));
        if random.below(100_000) < HOUR_24_PER_100_000 {
            out.extend_from_slice(b"24:00");
        } else {
            push_two_digits(hour, out);
            out.push(b':');
            push_two_digits(minute, out);
        }
        date.number()
    }

    /// Appends something that is no date.
    pub(super) fn write_no_date(&self, random: &mut Random, out: &mut Vec<u8>) -> u32 {
        out.extend_from_slice(random.of(&NO_DATES).as_bytes());
        self.date(random).number()
    }

    /// Appends the day of posting: days or weeks later for most, years for some, as for all that is older than the
    /// place to report it.
    pub(super) fn write_posted(&self, occurred: u32, random: &mut Random, out: &mut Vec<u8>) {
        let lag = if random.permille(680) { 1 } else { random.between(10, 70) };
        let after = |day: u32| self.batches.partition_point(|batch| batch.number < day);
        let from = after(occurred + lag).min(BATCHES - 1);
        let is_late = occurred < self.batches[0].number || random.permille(130);
        let index = if random.below(100_000) < POSTED_BEFORE_PER_100_000 {
            after(occurred).saturating_sub(1)
        } else if is_late {
            from + random.below((BATCHES - from) as u32) as usize
        } else {
            from
        };
        out.extend_from_slice(&self.batches[index].text);
    }

    fn date(&self, random: &mut Random) -> Date {
        let year = *self.years.draw(random);
        let month = if year == YEAR_LAST { random.between(1, 4) } else { *self.months.draw(random) };
        // A date on another weekday is drawn now and then, so that Saturday comes most.
        let mut date = self.day(year, month, random);
        for _ in 0..3 {
            // 1 March of the year 0 was a Wednesday.
            let weekday = (date.number() + 2) % 7;
            if random.below(100) < WEEKDAYS[weekday as usize] {
                break;
            }
            date = self.day(year, month, random);
        }
        date
    }

    fn day(&self, year: u32, month: u32, random: &mut Random) -> Date {
        let day = match *self.days.draw(random) {
            day if day > days_in(year, month) => random.between(1, 28),
            day => day,
        };
        Date { year, month, day }
    }
}

fn batches() -> Vec<Batch> {
    let mut random = Random::new(1998);
    let mut date = BATCH_FIRST;
    let first = date.number();
    let gaps = BATCHES as u32 - 1;
    let batch = |index: u32| {
        let jitter = if index < gaps { random.below(BATCH_JITTER_DAYS) } else { 0 };
        let number = first + index * BATCH_LAST_AFTER_DAYS / gaps + jitter;
        while date.number() < number {
            date = date.next();
        }
        let mut text = Vec::new();
        date.write(&mut text);
        Batch { number, text }
    };
    (0..=gaps).map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_without_a_gap() {
        let mut date = Date { year: 1896, month: 2, day: 27 };
        let first = date.number();
        for number in 0..60_000 {
            assert_eq!(date.number(), first + number, "{date:?}");
            date = date.next();
        }
        let friday = Date { year: 2026, month: 1, day: 2 };
        assert_eq!((friday.number() + 2) % 7, 4);
    }

    #[test]
    fn batches_end_with_the_file() {
        let batches = batches();
        let last = Date { year: 2014, month: 5, day: 8 }.number();
        assert_eq!((batches.len(), batches[BATCHES - 1].number), (BATCHES, last));
        assert!(batches.windows(2).all(|pair| pair[0].number < pair[1].number));
    }
}
