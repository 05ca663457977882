//! The source side: admits a partition's records to their windows, and counts those that come too late.

use super::{StreamTime, Window, Windows};

/// How far a partition has come, and how many of its records came too late. A plain value: keep the committed one
/// beside that of the open transaction, and write it to the changelog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    pub time: StreamTime,
    pub late: u64,
}

impl Intake {
    /// A record of this time has come: time goes on, whether or not the record belongs to a window.
    pub fn observe(&mut self, time_ms: i64) {
        self.time.advance(StreamTime::at(time_ms));
    }

    /// The window of a record of this time; `None`, and counted, where it is closed already.
    pub fn admit(&mut self, windows: &Windows, time_ms: i64) -> Option<Window> {
        self.observe(time_ms);
        let window = windows.of(time_ms);
        let is_late = windows.is_closed(window, self.time);
        self.late += u64::from(is_late);
        (!is_late).then_some(window)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn late_is_counted_and_only_what_is_older_than_the_grace() {
        let windows = Windows::tumbling(Duration::from_millis(10), Duration::from_millis(5));
        let mut intake = Intake::default();
        for (time_ms, window) in
            [(3, Some(0)), (24, Some(20)), (9, None), (10, Some(10)), (25, Some(20)), (19, None)]
        {
            assert_eq!(intake.admit(&windows, time_ms).map(Window::start_ms), window, "{time_ms}");
        }
        assert_eq!(intake, Intake { time: StreamTime::at(25), late: 2 });
    }
}
