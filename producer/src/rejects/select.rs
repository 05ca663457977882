//! Which rejects are meant. Pure.

use std::str::FromStr;

use domain::{CivilDate, CivilTime, Reject, RejectCode, SightingId};

/// What is asked for; everything where nothing is.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// One of these.
    pub codes: Vec<RejectCode>,
    /// By the time of the rejected record: from the first on, before the second.
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// Of `ufo.raw`, as the offsets are.
    pub partition: Option<u32>,
    /// Both included.
    pub from_offset: Option<u64>,
    pub to_offset: Option<u64>,
    pub id: Option<SightingId>,
}

impl Selection {
    /// The one whose record is there in `ufo.raw`.
    pub fn at(partition: u32, offset: u64) -> Self {
        let (partition, offset) = (Some(partition), Some(offset));
        Self { partition, from_offset: offset, to_offset: offset, ..Self::default() }
    }

    pub fn of_id(id: SightingId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    pub fn takes(&self, reject: &Reject<'_>) -> bool {
        let offset = reject.offset.unsigned_abs();
        (self.codes.is_empty() || self.codes.contains(&reject.code))
            && self.since.is_none_or(|Time(since)| reject.rejected_at_ms >= since)
            && self.until.is_none_or(|Time(until)| reject.rejected_at_ms < until)
            && self.partition.is_none_or(|partition| reject.partition.unsigned_abs() == partition)
            && self.from_offset.is_none_or(|from| offset >= from)
            && self.to_offset.is_none_or(|to| offset <= to)
            && self.id.is_none_or(|id| reject.id == id)
    }
}

/// Milliseconds since 1970 (UTC), written as a date or as a date and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time in UTC, as in 2026-11-24, 2026-11-24T09:22:18 or 2026-11-24T09:22:18.123Z")]
pub struct TimeError;

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (seconds, millis) = text.split_once('.').unwrap_or((text, "0"));
        let is_millis = (1..=3).contains(&millis.len()) && millis.bytes().all(|byte| byte.is_ascii_digit());
        let day = || CivilTime::new(seconds.parse::<CivilDate>().ok()?, 0, 0, 0);
        let time = seconds.parse::<CivilTime>().ok().or_else(day).filter(|_| is_millis).ok_or(TimeError)?;
        // `.5` is half a second.
        let millis: i64 = format!("{millis:0<3}").parse().map_err(|_| TimeError)?;
        Ok(Self(time.seconds() * 1_000 + millis))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use domain::Stage;

    use super::*;

    fn reject(code: RejectCode, partition: i32, offset: i64, rejected_at_ms: i64) -> Reject<'static> {
        Reject {
            id: SightingId::from_bytes([7; 16]),
            code,
            message: Cow::Borrowed(""),
            stage: Stage::Clean,
            topic: Cow::Borrowed("ufo.raw"),
            partition,
            offset,
            rejected_at_ms,
            key: None,
            bytes: Cow::Borrowed(b""),
            is_cut: false,
        }
    }

    #[test]
    fn everything_that_is_asked_for_has_to_be_so() {
        let time = |text: &str| text.parse::<Time>().unwrap();
        let one = reject(RejectCode::FieldCount, 3, 17, time("2026-11-24T09:22:18.123Z").0);
        let all = Selection::default();
        let codes = Selection { codes: vec![RejectCode::NotJson, RejectCode::FieldCount], ..all.clone() };
        let other_code = Selection { codes: vec![RejectCode::NotJson], ..all.clone() };
        let since = |text| Selection { since: Some(time(text)), ..Selection::default() };
        let until = |text| Selection { until: Some(time(text)), ..Selection::default() };
        let from = Selection { from_offset: Some(17), ..all.clone() };
        let taken = [all, codes, from, Selection::at(3, 17), Selection::of_id(one.id), since("2026-11-24")];
        assert!(taken.iter().all(|selection| selection.takes(&one)));
        assert!(
            since("2026-11-24T09:22:18.123").takes(&one) && !since("2026-11-24T09:22:18.124").takes(&one)
        );
        assert!(
            until("2026-11-24T09:22:18.124Z").takes(&one) && !until("2026-11-24T09:22:18.123Z").takes(&one)
        );
        let left = [other_code, Selection::at(2, 17), Selection::at(3, 16), Selection::at(3, 18)];
        assert!(!left.iter().any(|selection| selection.takes(&one)));
    }

    #[test]
    fn times_are_utc() {
        let ms = |text: &str| text.parse::<Time>().map(|Time(ms)| ms);
        assert_eq!(ms("1970-01-02"), Ok(86_400_000));
        assert_eq!(ms("1970-01-01T00:00:01Z"), Ok(1_000));
        assert_eq!(ms("1970-01-01T00:00:01.5"), Ok(1_500));
        for none in [
            "",
            "soon",
            "2026-11-24T25:00:00",
            "2026-13-01",
            "2026-11-24T09:22:18.",
            "2026-11-24T09:22:18.1234",
        ] {
            assert_eq!(ms(none), Err(TimeError), "{none}");
        }
    }
}
