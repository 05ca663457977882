//! Civil dates and times without a zone: the source has none, and none is invented.

use std::fmt;
use std::str::FromStr;

const DAY_SECONDS: i64 = 86_400;
/// Days from 0001-01-01 to 1970-01-01 and from there to 9999-12-31: every date that four digits can write.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

/// A date of the proleptic Gregorian calendar, years 1 to 9999, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(i32);

impl CivilDate {
    /// Null for a day that no calendar has (February 30, year 0).
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let is_real = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(year, month);
        is_real.then(|| Self(days_from_civil(year, month, day)))
    }

    /// Days since 1970-01-01 (what Arrow's `Date32` holds).
    pub fn days(self) -> i32 {
        self.0
    }

    /// Null outside the years 1 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        (FIRST_DAY..=LAST_DAY).contains(&days).then_some(Self(days))
    }

    /// Year, month (1 to 12), day (1 to 31).
    pub fn parts(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    pub fn year(self) -> i32 {
        self.parts().0
    }

    /// 1 to 12.
    pub fn month(self) -> u32 {
        self.parts().1
    }

    /// 1 to 31.
    pub fn day(self) -> u32 {
        self.parts().2
    }

    /// ISO weekday: Monday is 1, Sunday is 7.
    pub fn weekday(self) -> u32 {
        // 1970-01-01 was a Thursday (4).
        (self.0 + 3).rem_euclid(7).unsigned_abs() + 1
    }
}

/// `1949-10-10`
impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A text that is no civil date or time in the one form that the topics use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a civil date or time: expected `1949-10-10` or `1949-10-10T20:30:00`")]
pub struct CivilError;

impl FromStr for CivilDate {
    type Err = CivilError;

    fn from_str(text: &str) -> Result<Self, CivilError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(CivilError);
        }
        let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
        Self::new(year.cast_signed(), month, day).ok_or(CivilError)
    }
}

/// Local civil time of a report, to the second, as seconds since 1970-01-01T00:00:00 on the same clock.
/// Stores that insist on a zone read it as UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilTime(i64);

impl CivilTime {
    /// Null for a time of day that no clock shows.
    pub fn new(date: CivilDate, hour: u32, minute: u32, second: u32) -> Option<Self> {
        let is_real = hour < 24 && minute < 60 && second < 60;
        is_real.then(|| Self(i64::from(date.0) * DAY_SECONDS + i64::from(hour * 3600 + minute * 60 + second)))
    }

    /// Seconds since 1970-01-01T00:00:00.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Null outside the years 1 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let days = i32::try_from(seconds.div_euclid(DAY_SECONDS)).ok()?;
        CivilDate::from_days(days).map(|_| Self(seconds))
    }

    pub fn date(self) -> CivilDate {
        // Every constructor keeps the day inside the calendar, which fits in 32 bits.
        CivilDate(self.0.div_euclid(DAY_SECONDS) as i32)
    }

    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// 1 to 12.
    pub fn month(self) -> u32 {
        self.date().month()
    }

    /// 0 to 23.
    pub fn hour(self) -> u32 {
        self.second_of_day() / 3600
    }

    pub fn minute(self) -> u32 {
        self.second_of_day() / 60 % 60
    }

    pub fn second(self) -> u32 {
        self.second_of_day() % 60
    }

    /// ISO weekday: Monday is 1, Sunday is 7.
    pub fn weekday(self) -> u32 {
        self.date().weekday()
    }

    fn second_of_day(self) -> u32 {
        self.0.rem_euclid(DAY_SECONDS) as u32
    }
}

/// `1949-10-10T20:30:00`
impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}:{:02}:{:02}", self.date(), self.hour(), self.minute(), self.second())
    }
}

impl FromStr for CivilTime {
    type Err = CivilError;

    fn from_str(text: &str) -> Result<Self, CivilError> {
        let bytes = text.as_bytes();
        if bytes.len() != 19 || bytes[10] != b'T' || bytes[13] != b':' || bytes[16] != b':' {
            return Err(CivilError);
        }
        let date = text.get(..10).ok_or(CivilError)?.parse()?;
        let (hour, minute, second) =
            (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..])?);
        Self::new(date, hour, minute, second).ok_or(CivilError)
    }
}

fn digits(bytes: &[u8]) -> Result<u32, CivilError> {
    bytes.iter().try_fold(0u32, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')).ok_or(CivilError)
    })
}

fn days_in_month(year: i32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`; exact for every year here.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let (month, day) = (month.cast_signed(), day.cast_signed());
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_comes_back() {
        let mut next = CivilDate::new(1, 1, 1).unwrap();
        for days in FIRST_DAY..=LAST_DAY {
            let date = CivilDate::from_days(days).unwrap();
            assert_eq!(date, next);
            assert_eq!(CivilDate::new(date.year(), date.month(), date.day()), Some(date));
            next = CivilDate(days + 1);
        }
        assert_eq!(CivilDate::from_days(LAST_DAY).unwrap().to_string(), "9999-12-31");
        assert_eq!(CivilDate::from_days(FIRST_DAY).unwrap().to_string(), "0001-01-01");
        assert_eq!(CivilDate::from_days(LAST_DAY + 1), None);
    }

    #[test]
    fn weekdays_are_iso() {
        assert_eq!("2024-01-01".parse::<CivilDate>().unwrap().weekday(), 1);
        assert_eq!("1970-01-01".parse::<CivilDate>().unwrap().weekday(), 4);
        assert_eq!("1947-07-06".parse::<CivilDate>().unwrap().weekday(), 7);
    }

    #[test]
    fn days_no_calendar_has_are_refused() {
        for text in ["1949-02-29", "1900-02-29", "0000-01-01", "1949-13-01", "1949-04-31", "49-1-1"] {
            assert_eq!(text.parse::<CivilDate>(), Err(CivilError), "{text}");
        }
        assert!("2000-02-29".parse::<CivilDate>().is_ok());
    }

    #[test]
    fn times_before_1970_read_as_written() {
        let time: CivilTime = "1949-10-10T20:30:07".parse().unwrap();
        assert_eq!((time.hour(), time.minute(), time.second()), (20, 30, 7));
        assert_eq!(time.to_string(), "1949-10-10T20:30:07");
        assert!("1949-10-10T24:00:00".parse::<CivilTime>().is_err());
    }
}
