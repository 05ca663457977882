//! Windows over time: which window a record belongs to, when it comes too late for it, and when a window is closed.
//!
//! Time is what records say, never a clock: the *stream time* of a source (a partition of the input) is the newest time
//! met in it. A window is closed for a source when the source's stream time has come to the window's end and the grace
//! after it; it is closed for all when that is so for every source, and its result is final.
//!
//! ```text
//! source side   Intake::admit    a record is too late only by its own partition's order: repeating it decides the same
//! between       (source, stream time) travels behind the records that it speaks of
//! target side   OpenWindows      takes what sources send, closes what all of them have passed
//! ```
//! A source that is silent keeps windows open; nothing is closed because time passes on a wall.

mod intake;
mod open;

use std::time::Duration;

use crate::record::Record;

pub use intake::Intake;
pub use open::OpenWindows;

/// Which time of a record decides its window.
#[derive(Clone, Copy, Debug)]
pub enum TimeOf {
    /// The record's own timestamp.
    Record,
    /// What the record tells about; `None` for a record that tells no time.
    Event(fn(&Record<'_>) -> Option<i64>),
}

impl TimeOf {
    /// Milliseconds since 1970.
    pub fn record(self, record: &Record<'_>) -> Option<i64> {
        match self {
            Self::Record => Some(record.timestamp_ms),
            Self::Event(time_of) => time_of(record),
        }
    }
}

/// A window, by its first millisecond since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(i64);

impl Window {
    pub fn start_ms(self) -> i64 {
        self.0
    }
}

/// The newest time met; before the first record there is none, and everything is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamTime(Option<i64>);

impl StreamTime {
    pub fn at(time_ms: i64) -> Self {
        Self(Some(time_ms))
    }

    /// Milliseconds since 1970.
    pub fn get(self) -> Option<i64> {
        self.0
    }

    /// It never goes back.
    pub fn advance(&mut self, to: Self) {
        *self = (*self).max(to);
    }
}

/// Windows of one size, side by side, the first beginning at 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    size_ms: i64,
    grace_ms: i64,
}

impl Windows {
    /// Windows of `size`, each taking what comes up to `grace` behind its end.
    ///
    /// # Panics
    /// If `size` is under a millisecond, or one of both is over a hundred million years.
    pub const fn tumbling(size: Duration, grace: Duration) -> Self {
        let (size_ms, grace_ms) = (size.as_millis(), grace.as_millis());
        assert!(size_ms > 0, "a window holds at least a millisecond");
        let max = i64::MAX as u128 / 4;
        assert!(size_ms < max && grace_ms < max, "times stay in the range of milliseconds");
        #[expect(clippy::cast_possible_truncation, reason = "checked a line above")]
        Self { size_ms: size_ms as i64, grace_ms: grace_ms as i64 }
    }

    /// The window that holds this time.
    pub fn of(&self, time_ms: i64) -> Window {
        Window(time_ms.saturating_sub(time_ms.rem_euclid(self.size_ms)))
    }

    /// The oldest window still open at this stream time; `None` while all are.
    pub fn oldest_open(&self, time: StreamTime) -> Option<Window> {
        // A window is open while its end and the grace lie ahead: start + size + grace > time.
        time.get().map(|time_ms| self.of(time_ms.saturating_sub(self.grace_ms)))
    }

    pub fn is_closed(&self, window: Window, time: StreamTime) -> bool {
        self.oldest_open(time).is_some_and(|oldest| window < oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows::tumbling(Duration::from_secs(60), Duration::from_secs(90));

    #[test]
    fn a_window_begins_with_its_first_and_ends_before_the_next_ones_first_millisecond() {
        for (time_ms, start_ms) in [(0, 0), (59_999, 0), (60_000, 60_000), (-1, -60_000), (-60_000, -60_000)]
        {
            assert_eq!(WINDOWS.of(time_ms).start_ms(), start_ms, "{time_ms}");
        }
    }

    #[test]
    fn a_window_closes_at_its_end_and_the_grace_to_the_millisecond() {
        let window = WINDOWS.of(0);
        assert!(!WINDOWS.is_closed(window, StreamTime::default()));
        assert!(!WINDOWS.is_closed(window, StreamTime::at(149_999)));
        assert!(WINDOWS.is_closed(window, StreamTime::at(150_000)));
        assert!(!WINDOWS.is_closed(WINDOWS.of(60_000), StreamTime::at(150_000)));
    }

    #[test]
    fn times_at_the_ends_of_the_range_do_not_panic() {
        for time_ms in [i64::MIN, i64::MAX] {
            let _ = (WINDOWS.of(time_ms), WINDOWS.oldest_open(StreamTime::at(time_ms)));
        }
    }

    #[test]
    fn event_time_is_what_the_record_tells() {
        let record = Record {
            partition: crate::record::Partition(0),
            offset: 0,
            timestamp_ms: 7,
            key: None,
            value: Some(b"1906"),
        };
        let year = |record: &Record<'_>| std::str::from_utf8(record.value?).ok()?.parse().ok();
        assert_eq!(TimeOf::Record.record(&record), Some(7));
        assert_eq!(TimeOf::Event(year).record(&record), Some(1906));
        assert_eq!(TimeOf::Event(year).record(&Record { value: None, ..record }), None);
    }
}
