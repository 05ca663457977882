//! How far a run has come, in figures, and how they are shown: a bar on a terminal, plain lines every few seconds elsewhere,
//! nothing where quiet is asked for. Time comes in as a parameter.

mod screen;

use std::fmt;
use std::time::Duration;

pub use self::screen::{LogWriter, Screen, Shown};
use crate::publish::Progress;

/// Between two plain lines.
pub const LINES_EVERY: Duration = Duration::from_secs(5);
/// Before this a rate says more about the start than about the run.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Bar,
    Lines,
    Nothing,
}

impl Manner {
    pub fn of(is_quiet: bool, is_terminal: bool) -> Self {
        match (is_quiet, is_terminal) {
            (true, _) => Self::Nothing,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }
}

/// What a person wants to know while waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Rows handled, those passed over with them.
    pub rows: u64,
    /// Of the rows sent by this run.
    pub rows_per_s: Option<u64>,
    /// Of the file's bytes.
    pub percent: Option<u64>,
    /// Until the end of the file, at this run's rate.
    pub left: Option<Duration>,
}

impl Figures {
    /// `elapsed` is the time since this run began to send.
    pub fn of(progress: &Progress, elapsed: Duration) -> Self {
        let rows = progress.passed_over + progress.sent;
        let is_settled = elapsed >= SETTLED_AFTER;
        let rate = |count: u64| u128::from(count) * 1_000 / elapsed.as_millis().max(1);
        let total = progress.bytes_total.filter(|total| *total > 0);
        let percent = total.map(|total| progress.bytes.min(total).saturating_mul(100) / total);
        // What was passed over took no time worth speaking of: only this run's share of the bytes counts.
        let bytes = u128::from(progress.bytes) * u128::from(progress.sent) / u128::from(rows.max(1));
        let left = total.filter(|_| bytes > 0).map(|total| {
            let rest = u128::from(total.saturating_sub(progress.bytes));
            let left_ms = rest * elapsed.as_millis() / bytes;
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(u64::MAX))
        });
        Self {
            rows,
            rows_per_s: is_settled.then(|| u64::try_from(rate(progress.sent)).unwrap_or(u64::MAX)),
            percent,
            left: left.filter(|_| is_settled),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", Grouped(self.rows))?;
        if let Some(rate) = self.rows_per_s {
            write!(f, ", {} rows/s", Grouped(rate))?;
        }
        if let Some(percent) = self.percent {
            write!(f, ", {percent} %")?;
        }
        match self.left.map(|left| left.as_millis().div_ceil(1_000)) {
            Some(seconds @ 0..60) => write!(f, ", {seconds} s left"),
            Some(seconds @ 60..3_600) => write!(f, ", {} min {} s left", seconds / 60, seconds % 60),
            Some(seconds) => write!(f, ", {} h {} min left", seconds / 3_600, seconds / 60 % 60),
            None => Ok(()),
        }
    }
}

/// A number whose thousands are set apart.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Says when a plain line is due.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines {
    said_at: Duration,
}

impl Lines {
    /// Whether one is due after this time; if so, the next one is due later. A short run has none.
    pub fn is_due(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= self.said_at + LINES_EVERY;
        if is_due {
            self.said_at = elapsed;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(passed_over: u64, sent: u64, bytes: u64, bytes_total: Option<u64>, elapsed_ms: u64) -> String {
        let progress = Progress { passed_over, sent, bytes, bytes_total };
        Figures::of(&progress, Duration::from_millis(elapsed_ms)).to_string()
    }

    #[test]
    fn quiet_is_stronger_than_a_terminal() {
        assert_eq!(Manner::of(true, true), Manner::Nothing);
        assert_eq!(Manner::of(true, false), Manner::Nothing);
        assert_eq!(Manner::of(false, true), Manner::Bar);
        assert_eq!(Manner::of(false, false), Manner::Lines);
    }

    #[test]
    fn rate_share_and_time_left() {
        let half = text(0, 40_000, 7_000_000, Some(14_000_000), 2_000);
        assert_eq!(half, "40,000 rows, 20,000 rows/s, 50 %, 2 s left");
        assert_eq!(
            text(0, 1_000, 100, Some(50_000), 1_000),
            "1,000 rows, 1,000 rows/s, 0 %, 8 min 19 s left"
        );
        assert_eq!(text(0, 1, 1, Some(9_000), 1_000), "1 rows, 1 rows/s, 0 %, 2 h 29 min left");
        assert_eq!(text(0, 80_332, 14, Some(14), 4_000), "80,332 rows, 20,083 rows/s, 100 %, 0 s left");
    }

    #[test]
    fn without_a_length_there_is_no_end_to_tell() {
        assert_eq!(text(0, 1_234_567, 7, None, 1_000), "1,234,567 rows, 1,234,567 rows/s");
        assert_eq!(text(0, 5, 7, Some(0), 1_000), "5 rows, 5 rows/s");
    }

    #[test]
    fn what_was_passed_over_makes_the_run_no_faster() {
        // Nine tenths were in; the first half of the last tenth took ten seconds.
        let resumed = text(900, 50, 95_000, Some(100_000), 10_000);
        assert_eq!(resumed, "950 rows, 5 rows/s, 95 %, 10 s left");
        assert_eq!(text(900, 0, 90_000, Some(100_000), 1_000), "900 rows, 0 rows/s, 90 %");
    }

    #[test]
    fn the_first_moments_promise_nothing() {
        assert_eq!(text(0, 500, 100, Some(200), 499), "500 rows, 50 %");
        assert_eq!(text(0, 0, 0, Some(200), 0), "0 rows, 0 %");
    }

    #[test]
    fn lines_come_every_few_seconds_and_not_in_a_short_run() {
        let mut lines = Lines::default();
        let due: Vec<u64> = (0..20).filter(|second| lines.is_due(Duration::from_secs(*second))).collect();
        assert_eq!(due, [5, 10, 15]);
    }
}
