//! The terminal: a bar below, log lines above it.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Figures, Lines, Manner};
use crate::publish::Progress;

/// Standard error, shared by the bar and the logs; clones are the same screen.
#[derive(Clone, Debug)]
pub struct Screen {
    bars: MultiProgress,
    manner: Manner,
}

impl Screen {
    pub fn new(manner: Manner) -> Self {
        let target = match manner {
            Manner::Bar => ProgressDrawTarget::stderr(),
            Manner::Lines | Manner::Nothing => ProgressDrawTarget::hidden(),
        };
        Self { bars: MultiProgress::with_draw_target(target), manner }
    }

    /// Standard error for the logs, clear of the bar: for `telemetry::start_with`.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter(self.bars.clone())
    }

    /// Shows the progress of an input until the result is dropped.
    pub fn show(&self, name: &str) -> Shown {
        let kind = match self.manner {
            Manner::Bar => Kind::Bar(self.bars.add(bar())),
            Manner::Lines => Kind::Lines(Lines::default()),
            Manner::Nothing => Kind::Nothing,
        };
        Shown { name: name.to_owned(), kind }
    }
}

/// Writes above the bar what it is given, which with the logs is whole lines.
pub struct LogWriter(MultiProgress);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The progress of one input.
pub struct Shown {
    name: String,
    kind: Kind,
}

enum Kind {
    Bar(ProgressBar),
    Lines(Lines),
    Nothing,
}

impl Shown {
    /// `elapsed` is the time since this run began to send.
    pub fn show(&mut self, progress: &Progress, elapsed: Duration) {
        match &mut self.kind {
            Kind::Bar(bar) => {
                match progress.bytes_total {
                    Some(total) => bar.set_length(total),
                    None => bar.unset_length(),
                }
                bar.set_position(progress.bytes);
                bar.set_message(format!("{}: {}", self.name, Figures::of(progress, elapsed)));
            }
            Kind::Lines(lines) => {
                if lines.is_due(elapsed) {
                    let figures = Figures::of(progress, elapsed);
                    tracing::info!(
                        rows = figures.rows,
                        rows_per_s = figures.rows_per_s,
                        percent = figures.percent,
                        "{}: {figures}",
                        self.name
                    );
                }
            }
            Kind::Nothing => {}
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    const HALF: Progress = Progress { passed_over: 0, sent: 1_000, bytes: 50, bytes_total: Some(100) };

    /// Keeps the messages of events.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl Visit for Heard {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}"));
            }
        }
    }

    impl Subscriber for Heard {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    fn heard(manner: Manner) -> Vec<String> {
        let heard = Heard::default();
        tracing::subscriber::with_default(heard.clone(), || {
            let mut shown = Screen::new(manner).show("a.csv");
            for second in 0..12 {
                shown.show(&HALF, Duration::from_secs(second));
            }
        });
        heard.0.lock().unwrap().clone()
    }

    #[test]
    fn elsewhere_than_on_a_terminal_lines_come_every_few_seconds() {
        let lines = heard(Manner::Lines);
        assert_eq!(
            lines,
            [
                "a.csv: 1,000 rows, 200 rows/s, 50 %, 5 s left",
                "a.csv: 1,000 rows, 100 rows/s, 50 %, 10 s left"
            ]
        );
    }

    #[test]
    fn a_bar_and_quiet_say_nothing_in_the_logs() {
        assert!(heard(Manner::Bar).is_empty() && heard(Manner::Nothing).is_empty());
    }

    #[test]
    fn the_bar_has_the_figures_and_goes_away() {
        let screen = Screen::new(Manner::Bar);
        let mut shown = screen.show("a.csv");
        shown.show(&HALF, Duration::from_secs(1));
        let Kind::Bar(bar) = &shown.kind else { panic!("no bar") };
        assert_eq!((bar.position(), bar.length()), (50, Some(100)));
        assert_eq!(bar.message(), "a.csv: 1,000 rows, 1,000 rows/s, 50 %, 1 s left");
        let bar = bar.clone();
        drop(shown);
        assert!(bar.is_finished());
    }
}
