//! The whole pipeline in one process, on embedded defaults: producer, processor and sink on one log in a folder.

pub mod figures;
mod pipeline;
mod settings;
mod show;

use std::io;

use domain::Topics;
use embedded::EmbeddedLog;
use service::exit::{Code, Exit};
use service::settings::{self as given, ProcessSettings};
use service::{Shutdown, telemetry};

use settings::{Command, Flags};

/// Everything here is of the first generation of rules.
fn topics() -> Topics {
    Topics::new("ufo", domain::topics::FIRST_GENERATION)
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let flags = given::parse::<Flags>()?.flags;
    let process = ProcessSettings { quiet: !flags.verbose, ..ProcessSettings::default() };
    telemetry::start(&process)?;
    let shutdown = Shutdown::on_signals(process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let mut out = io::stdout();
    match &flags.command {
        Some(Command::Verify { file }) => show::verify(&flags, file.as_deref(), &mut out),
        Some(Command::Figures) => {
            let log = EmbeddedLog::open(&flags.log_folder())?;
            show::figures(&log, &flags, &mut out)
        }
        None => {
            let input = flags.input()?;
            let log = EmbeddedLog::open(&flags.log_folder())?;
            let summary = pipeline::run(&log, &flags, &input, &shutdown, &mut out)?;
            show::figures(&log, &flags, &mut out)?;
            show::summary(&summary, &flags, &input, &mut out)
        }
    }
}
