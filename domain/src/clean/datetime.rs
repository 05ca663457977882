//! `datetime` and `date posted`: month first, or ISO.

use crate::civil::{CivilDate, CivilTime};

/// When it occurred.
pub(super) struct Occurred {
    pub(super) at: CivilTime,
    /// The date as written, before `24:00` is moved to the next day.
    pub(super) written_on: CivilDate,
    pub(super) is_hour_24: bool,
}

/// `10/10/1949 20:30`, `1949-10-10T20:30:00`, each with or without seconds, and a date alone, which is the
/// start of its day. A zone behind it is not looked at: the time is the local one. Null for anything else.
pub(super) fn occurred(text: &str) -> Option<Occurred> {
    let (written_on, rest) = date(text.trim())?;
    let Some((hour, minute, second)) = time_of_day(rest)? else {
        let at = CivilTime::new(written_on, 0, 0, 0)?;
        return Some(Occurred { at, written_on, is_hour_24: false });
    };
    // Midnight `24:00` ends its day (694 rows of the real file).
    let is_hour_24 = (hour, minute, second) == (24, 0, 0);
    let at = match is_hour_24 {
        true => CivilTime::new(CivilDate::from_days(written_on.days() + 1)?, 0, 0, 0)?,
        false => CivilTime::new(written_on, hour, minute, second)?,
    };
    Some(Occurred { at, written_on, is_hour_24 })
}

/// The date it was posted on; a time behind it is not looked at, but must be one.
pub(super) fn posted_on(text: &str) -> Option<CivilDate> {
    let (date, rest) = date(text.trim())?;
    time_of_day(rest).map(|_| date)
}

/// A date at the start of the text, and what comes after it.
fn date(text: &str) -> Option<(CivilDate, &str)> {
    let (first, rest) = number(text, 4)?;
    if let Some(rest) = rest.strip_prefix('/') {
        let (day, rest) = number(rest, 2)?;
        let (year, rest) = number(rest.strip_prefix('/')?, 4)?;
        return Some((checked(year, first, day)?, rest));
    }
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    Some((checked(first, month, day)?, rest))
}

/// Years have four digits: who wrote `49` may have meant 2049.
fn checked(year: Digits, month: Digits, day: Digits) -> Option<CivilDate> {
    let is_plain = year.count == 4 && month.count <= 2;
    CivilDate::new(year.value.cast_signed(), month.value, day.value).filter(|_| is_plain)
}

/// What comes after a date: nothing (`Some(None)`), or a time of day; null where it is neither.
#[expect(clippy::option_option, reason = "no time is fine, a wrong one is not")]
fn time_of_day(rest: &str) -> Option<Option<(u32, u32, u32)>> {
    if rest.is_empty() {
        return Some(None);
    }
    let time = match rest.strip_prefix('T') {
        Some(time) => time,
        None => Some(rest.trim_start()).filter(|time| time.len() < rest.len())?,
    };
    let (hour, rest) = number(time, 2)?;
    let (minute, mut rest) = number(rest.strip_prefix(':')?, 2)?;
    let mut second = Digits { value: 0, count: 2 };
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = number(after, 2)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        }
    }
    let is_whole = minute.count == 2 && second.count == 2 && is_zone(rest.trim_start());
    is_whole.then_some(Some((hour.value, minute.value, second.value)))
}

/// Nothing, `Z`, `+02`, `+0200` or `+02:00`.
fn is_zone(text: &str) -> bool {
    match text.strip_prefix(['+', '-']) {
        Some(offset) => {
            let digits = offset.bytes().filter(u8::is_ascii_digit).count();
            let colons = usize::from(offset.as_bytes().get(2) == Some(&b':'));
            digits + colons == offset.len() && (digits == 4 || (digits == 2 && colons == 0))
        }
        None => text.is_empty() || text == "Z",
    }
}

#[derive(Clone, Copy)]
struct Digits {
    value: u32,
    count: usize,
}

/// One to `digits_max` digits at the start of the text, and what comes after them.
fn number(text: &str, digits_max: usize) -> Option<(Digits, &str)> {
    let bytes = text.as_bytes();
    let mut value = 0;
    let mut count = 0;
    while let Some(digit) = bytes.get(count).filter(|byte| byte.is_ascii_digit() && count < digits_max) {
        value = value * 10 + u32::from(digit - b'0');
        count += 1;
    }
    (count > 0).then(|| (Digits { value, count }, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_moment() {
        for text in [
            "10/10/1949 20:30",
            "  10/10/1949 20:30 ",
            "10/10/1949 20:30:00",
            "10/10/1949\u{a0} 20:30",
            "1949-10-10T20:30:00",
            "1949-10-10 20:30",
            "1949-10-10T20:30:00.000Z",
            "1949-10-10T20:30:00+09:00",
            "1949-10-10 20:30:00 -0500",
        ] {
            assert_eq!(
                occurred(text).map(|found| found.at.to_string()),
                Some("1949-10-10T20:30:00".into()),
                "{text}"
            );
        }
        assert_eq!(occurred("1/2/2003 4:05").unwrap().at.to_string(), "2003-01-02T04:05:00");
        assert_eq!(occurred("01/02/2003").unwrap().at.to_string(), "2003-01-02T00:00:00");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "soon",
            "10/10/49 20:30",
            "49-10-10",
            "13/10/1949 20:30",
            "2/29/1949 20:30",
            "0/1/1949 20:30",
            "10/10/1949 24:30",
            "10/10/1949 25:00",
            "10/10/1949 20:60",
            "10/10/1949 20:3",
            "10/10/1949 20",
            "10/10/1949T",
            "10/10/1949 20:30 PM",
            "10/10/1949 20:30x",
            "10/10/19490 20:30",
            "1949-10-10X20:30",
            "1949/10/10",
            "12/31/9999 24:00",
            "10/10/0000 20:30",
            "1949-10-10T20:30+9",
            "1949-10-10T20:30+09:0",
            "10/10/1949 :30",
            "１０/10/1949 20:30",
        ] {
            assert!(occurred(text).is_none(), "{text}");
        }
    }

    #[test]
    fn hour_24_ends_its_day() {
        for (text, expected) in
            [("12/31/1999 24:00", "2000-01-01T00:00:00"), ("2/28/2004 24:00:00", "2004-02-29T00:00:00")]
        {
            let found = occurred(text).unwrap();
            assert_eq!((found.at.to_string().as_str(), found.is_hour_24), (expected, true));
        }
        assert!(!occurred("12/31/1999 0:00").unwrap().is_hour_24);
    }

    #[test]
    fn posted_is_a_date() {
        assert_eq!(posted_on("4/27/2004").unwrap().to_string(), "2004-04-27");
        assert_eq!(posted_on(" 2004-04-27T00:00:00 ").unwrap().to_string(), "2004-04-27");
        for text in ["", "4/27/04", "April 27", "4/31/2004", "4/27/2004 later"] {
            assert_eq!(posted_on(text), None, "{text}");
        }
    }
}
