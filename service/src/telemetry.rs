//! Logs: text for people on a terminal, JSON for machines elsewhere.

use std::env;
use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::exit::{Code, Exit};
use crate::settings::{LogFormat, ProcessSettings};

/// Starts logging to standard error, once per process: a second start (several parts in one process) changes nothing.
pub fn start(process: &ProcessSettings) -> Result<(), Exit> {
    start_with(process, io::stderr)
}

/// [`start`] with another way to standard error, such as one that keeps clear of a progress bar.
pub fn start_with<W>(process: &ProcessSettings, writer: W) -> Result<(), Exit>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let is_terminal = io::stderr().is_terminal();
    let has_colours = is_terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = subscriber(process, is_terminal, has_colours, writer)?;
    let _ = set_global_default(subscriber);
    Ok(())
}

fn subscriber<W>(
    process: &ProcessSettings,
    is_terminal: bool,
    has_colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, Exit>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // A closed standard error must not end the process: no complaint about it, since that goes to standard error and panics.
    let lines = fmt::layer().with_writer(writer).with_ansi(has_colours).log_internal_errors(false);
    let is_json = match process.log_format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = match is_json {
        true => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        false => lines.with_target(false).boxed(),
    };
    Ok(Box::new(Registry::default().with(lines.with_filter(filter(process)?))))
}

/// What is asked for by name is stronger than `--quiet`.
fn filter(process: &ProcessSettings) -> Result<Targets, Exit> {
    let default = if process.quiet { "warn" } else { "info" };
    let asked = process.log.as_deref().unwrap_or(default);
    // A single word is a level here: taken for a target, a misspelt one would silence everything else.
    let is_level =
        |part: &str| part.contains('=') || (!part.is_empty() && part.trim().parse::<LevelFilter>().is_ok());
    match asked.parse() {
        Ok(targets) if asked.split(',').all(is_level) => Ok(targets),
        Ok(_) | Err(_) => {
            let advice =
                "give a level (error, warn, info, debug, trace), or levels by target (info,engine=debug)";
            Err(Exit::new(Code::Config, format!("`log` is `{asked}`: {advice}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(process: &ProcessSettings, is_terminal: bool, has_colours: bool) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(process, is_terminal, has_colours, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("fine");
            tracing::info!(records = 3, "committed 3 records");
            tracing::warn!("tried again");
            tracing::debug!(target: "engine", "detail");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_on_a_terminal_json_elsewhere() {
        let process = ProcessSettings::default();
        let text = logged(&process, true, false);
        assert!(text.contains(" INFO committed 3 records records=3\n"), "{text}");
        let json = logged(&process, false, false);
        let first = json.lines().next().unwrap();
        assert!(first.starts_with('{') && first.ends_with('}'), "{json}");
        assert!(first.contains(r#""message":"committed 3 records","records":3"#), "{json}");
    }

    #[test]
    fn the_format_can_be_set() {
        let text = ProcessSettings { log_format: LogFormat::Text, ..ProcessSettings::default() };
        assert!(!logged(&text, false, false).contains('{'));
        let json = ProcessSettings { log_format: LogFormat::Json, ..ProcessSettings::default() };
        assert!(logged(&json, true, true).starts_with('{'));
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let process = ProcessSettings::default();
        assert!(logged(&process, true, true).contains("\u{1b}["));
        assert!(!logged(&process, true, false).contains('\u{1b}'));
    }

    #[test]
    fn quiet_leaves_warnings_and_a_filter_says_what_is_logged() {
        let quiet = ProcessSettings { quiet: true, ..ProcessSettings::default() };
        let text = logged(&quiet, true, false);
        assert!(text.contains("tried again") && !text.contains("committed"), "{text}");
        let filter = Some("error,engine=debug".to_owned());
        let filtered = ProcessSettings { log: filter, quiet: true, ..ProcessSettings::default() };
        let text = logged(&filtered, true, false);
        assert!(text.contains("detail") && !text.contains("tried again"), "{text}");
    }

    #[test]
    fn a_bad_filter_is_a_bad_setting() {
        for wrong in ["loud", "engine=loud", "info,engine", ""] {
            let process = ProcessSettings { log: Some(wrong.into()), ..ProcessSettings::default() };
            let exit = subscriber(&process, true, false, io::sink).map(drop).unwrap_err();
            assert_eq!(exit.code(), Code::Config);
            assert!(exit.to_string().contains(&format!("`log` is `{wrong}`")), "{exit}");
        }
    }
}
