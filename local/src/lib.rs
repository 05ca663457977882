//! The whole pipeline in one process, on embedded defaults: producer, processor and sink on one log in a folder.

pub mod figures;
mod pipeline;
mod settings;
mod show;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use domain::Topics;
use embedded::EmbeddedLog;
use page::{Page, PageSettings};
use producer::progress::{Manner, Screen};
use service::exit::{Code, Exit};
use service::settings::{self as given, LogFormat, ProcessSettings};
use service::{Metrics, Shutdown, telemetry};

use settings::{Command, Flags};

/// Everything here is of the first generation of rules.
fn topics() -> Topics {
    Topics::new("ufo", domain::topics::FIRST_GENERATION)
}

/// The live page of this folder's log.
fn show_live(log: &EmbeddedLog, flags: &Flags, address: SocketAddr, metrics: &Metrics) -> Result<Page, Exit> {
    let page = Page::start(
        log,
        PageSettings {
            home: flags.home.clone(),
            are_offsets_records: true,
            metrics: metrics.clone(),
            ..PageSettings::new(address, topics())
        },
    )?;
    // At once: the address is what one waits for.
    show::page(&page, &mut io::stderr())?;
    Ok(page)
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let flags = given::parse::<Flags>()?.flags;
    let log = match (flags.verbose, flags.quiet) {
        (true, _) => None,
        (false, true) => Some("warn".into()),
        (false, false) => Some("warn,producer::progress=info".into()),
    };
    let process = ProcessSettings { log, log_format: LogFormat::Text, ..ProcessSettings::default() };
    let screen = Screen::new(Manner::of(flags.quiet, io::stderr().is_terminal()));
    let beside = screen.clone();
    telemetry::start_with(&process, move || beside.log_writer())?;
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
            let metrics = Metrics::new();
            let page = flags.page.map(|address| show_live(&log, &flags, address, &metrics)).transpose()?;
            let summary = pipeline::run(&log, &flags, &input, &metrics, &shutdown, &screen)?;
            show::figures(&log, &flags, &mut out)?;
            show::summary(&summary, &flags, &input, &mut out)?;
            if let Some(page) = page {
                show::page(&page, &mut out)?;
                shutdown.wait();
            }
            Ok(())
        }
    }
}
