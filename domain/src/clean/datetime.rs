//! `datetime` and `date posted`.

use crate::civil::{CivilDate, CivilTime};

pub(super) fn occurred_at(text: &str) -> Option<CivilTime> {
    let (date, time) = text.trim().split_once(' ')?;
    let (month, rest) = date.split_once('/')?;
    let (day, year) = rest.split_once('/')?;
    let (hour, minute) = time.split_once(':')?;
    let date = CivilDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    CivilTime::new(date, hour.parse().ok()?, minute.parse().ok()?, 0)
}
