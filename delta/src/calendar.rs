//! Dates and times as the protocol writes them (proleptic Gregorian, UTC), without a time zone database.

const DAY_US: i64 = 86_400_000_000;

/// `2014-05-01`; nothing outside the years 0001 to 9999, which have no form that all engines read.
pub(crate) fn date(days: i64) -> Option<String> {
    let (year, month, day) = civil(days);
    (1..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `2014-05-01T12:34:56.789Z` of milliseconds since 1970.
pub(crate) fn timestamp_ms(ms: i64) -> Option<String> {
    let us = ms.checked_mul(1_000)?;
    let (days, time) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US) / 1_000);
    let (hours, minutes, seconds) = (time / 3_600_000, time / 60_000 % 60, time / 1_000 % 60);
    Some(format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", date(days)?, time % 1_000))
}

/// Days since 1970 of `2014-05-01`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days(year, month, day);
    // A day that does not exist comes back as another one.
    (civil(days) == (year, month, day)).then(|| i32::try_from(days).ok())?
}

/// Microseconds since 1970 of `2014-05-01 12:34:56[.789]` or `2014-05-01T12:34:56[.789]Z`, both taken as UTC.
pub(crate) fn parse_timestamp_us(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let (time, fraction) = time
        .strip_suffix('Z')
        .unwrap_or(time)
        .split_once('.')
        .unwrap_or((time.strip_suffix('Z').unwrap_or(time), "0"));
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 6 {
        return None;
    }
    let fraction = i64::from(format!("{fraction:0<6}").parse::<u32>().ok()?);
    let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds);
    (i64::from(parse_date(date)?) * DAY_US).checked_add(seconds * 1_000_000 + fraction)
}

/// Year, month, day of days since 1970. Years are counted from March, so that the leap day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_belong_together() {
        for (days, text) in
            [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (-719_162, "0001-01-01")]
        {
            assert_eq!(date(days).as_deref(), Some(text));
            assert_eq!(parse_date(text).map(i64::from), Some(days));
        }
        assert_eq!(date(-719_163), None);
        assert_eq!(date(2_932_897), None);
        for absent in ["2014-02-29", "2014-13-01", "2014", "", "2014-01-xx"] {
            assert_eq!(parse_date(absent), None, "{absent}");
        }
    }

    #[test]
    fn every_day_of_two_centuries_is_one_further() {
        for day in -40_000..40_000 {
            let text = date(day).expect("a usual date");
            assert_eq!(parse_date(&text).map(i64::from), Some(day), "{text}");
        }
    }

    #[test]
    fn times_before_1970_are_times_too() {
        assert_eq!(timestamp_ms(-1).as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(timestamp_ms(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(parse_timestamp_us("1969-12-31T23:59:59.999Z"), Some(-1_000));
        assert_eq!(parse_timestamp_us("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(parse_timestamp_us("1970-01-01 00:00:01.000001"), Some(1_000_001));
        assert_eq!(parse_timestamp_us("1970-01-01 24:00:00"), None);
    }
}
