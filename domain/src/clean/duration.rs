//! `duration (seconds)` and `duration (hours/min)`: integer milliseconds or nothing.

mod phrase;
mod words;

/// Over seven days: 41 such rows carry 82 % of all the time in the whole file.
const PLAUSIBLE_MS_MAX: u64 = 7 * 24 * 3600 * 1000;
/// A thousand Gregorian years. More is a slip of the finger, and sums over millions of rows need room.
const MS_MAX: u64 = 31_556_952_000_000;

/// How long it lasted and where that comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duration {
    /// A plain decimal in the seconds column.
    Given(u64),
    /// The leading number of a broken one.
    Repaired(u64),
    FromText(u64),
    Missing,
}

impl Duration {
    pub(super) fn ms(self) -> Option<u64> {
        match self {
            Self::Given(ms) | Self::Repaired(ms) | Self::FromText(ms) => Some(ms),
            Self::Missing => None,
        }
    }

    pub(super) fn is_repaired(self) -> bool {
        matches!(self, Self::Repaired(_))
    }

    pub(super) fn is_from_text(self) -> bool {
        matches!(self, Self::FromText(_))
    }

    pub(super) fn is_implausible(self) -> bool {
        self.ms().is_some_and(|ms| ms > PLAUSIBLE_MS_MAX)
    }
}

/// The seconds column decides where it starts with a number; only without one the free text is read.
pub(super) fn duration(seconds: &str, text: &str) -> Duration {
    let (make, ms): (fn(u64) -> Duration, _) = match leading_seconds(seconds.trim()) {
        Some(found) if found.is_negative => return Duration::Missing,
        Some(found) if found.is_all => (Duration::Given, Some(found.ms)),
        Some(found) => (Duration::Repaired, Some(found.ms)),
        None => (Duration::FromText, phrase::milliseconds(text)),
    };
    ms.filter(|ms| *ms <= MS_MAX).map_or(Duration::Missing, make)
}

struct Seconds {
    /// Half up; the largest number where there are more digits than any duration has.
    ms: u64,
    is_negative: bool,
    /// Nothing comes after the number.
    is_all: bool,
}

/// The decimal that the text starts with: `2`, `0.5`, `.5`, `1,200`, ``8` ``. `1:30` is none.
fn leading_seconds(text: &str) -> Option<Seconds> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    let mut end = 0;
    let mut ms = 0u64;
    let mut count = 0;
    while let Some(length) = integer_part(&unsigned[end..], count) {
        for digit in unsigned[end..end + length].iter().filter(|byte| byte.is_ascii_digit()) {
            ms = ms.saturating_mul(10).saturating_add(u64::from(digit - b'0') * 1000);
            count += 1;
        }
        end += length;
    }
    if unsigned.get(end) == Some(&b'.') {
        let digits = unsigned[end + 1..].iter().take_while(|byte| byte.is_ascii_digit());
        let mut unit = 1000;
        let mut decimals = 0;
        for digit in digits {
            // The fourth decimal rounds half up, the ones after it change nothing.
            let half_up =
                if unit == 1 { u64::from(*digit >= b'5') } else { u64::from(digit - b'0') * (unit / 10) };
            ms = ms.saturating_add(if unit == 0 { 0 } else { half_up });
            unit = if unit > 1 { unit / 10 } else { 0 };
            decimals += 1;
        }
        count += decimals;
        end += decimals + 1;
    }
    let is_clock = unsigned.get(end) == Some(&b':');
    let is_negative = text.starts_with('-') && ms > 0;
    (count > 0 && !is_clock).then_some(Seconds { ms, is_negative, is_all: end == unsigned.len() })
}

/// How many bytes go on with the integer: all digits at first, then groups of a comma and three digits.
fn integer_part(rest: &[u8], digits_before: usize) -> Option<usize> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits_before == 0 {
        return Some(digits(rest)).filter(|count| *count > 0);
    }
    let is_group = rest.first() == Some(&b',') && digits(&rest[1..]) == 3;
    is_group.then_some(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_as_the_file_has_them() {
        for (seconds, expected) in [
            ("2", Duration::Given(2_000)),
            ("0.5", Duration::Given(500)),
            (".5", Duration::Given(500)),
            ("5.", Duration::Given(5_000)),
            (" +5 ", Duration::Given(5_000)),
            ("0", Duration::Given(0)),
            ("-0", Duration::Given(0)),
            ("2631600", Duration::Given(2_631_600_000)),
            ("97836000", Duration::Given(97_836_000_000)),
            ("1,200", Duration::Given(1_200_000)),
            ("1,234,567.8", Duration::Given(1_234_567_800)),
            ("0.0004", Duration::Given(0)),
            ("0.0005", Duration::Given(1)),
            ("0.00049999", Duration::Given(0)),
            ("1.2345678", Duration::Given(1_235)),
            ("2`", Duration::Repaired(2_000)),
            ("8`", Duration::Repaired(8_000)),
            ("0.5`", Duration::Repaired(500)),
            ("1,5", Duration::Repaired(1_000)),
            ("1,2345", Duration::Repaired(1_000)),
            ("90 sec", Duration::Repaired(90_000)),
            ("-5", Duration::Missing),
            ("-2`", Duration::Missing),
            ("31556952000", Duration::Given(MS_MAX)),
            ("31556952000.001", Duration::Missing),
            ("99999999999999999999999999", Duration::Missing),
        ] {
            assert_eq!(duration(seconds, "1 hour"), expected, "{seconds}");
        }
    }

    #[test]
    fn the_text_is_read_where_no_number_leads() {
        for seconds in ["", " ", "`", "about 5", "1:30", ":30", ".", "-", "$5"] {
            assert_eq!(duration(seconds, "45 minutes"), Duration::FromText(2_700_000), "{seconds}");
            assert_eq!(duration(seconds, "a while"), Duration::Missing);
        }
        assert_eq!(duration("", "1001 years"), Duration::Missing);
    }

    #[test]
    fn over_seven_days_is_implausible() {
        assert!(!duration("604800", "").is_implausible());
        assert!(duration("604800.001", "").is_implausible());
        assert!(duration("", "8 days").is_implausible());
    }
}
