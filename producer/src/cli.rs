//! The `producer` program: its settings, and what it is asked to do.

mod rejects;
mod send;
mod serve;

use std::path::PathBuf;

use domain::Topics;
use kafka::Kafka;
use kafka::options::{LogFlags, LogSettings};
use serde::{Deserialize, Serialize};
use service::Settings;
use service::exit::Exit;
use service::settings::{self, CommonFlags, Invalid};

use self::rejects::RejectsFlags;
use self::serve::ServeFlags;
use crate::ingest::IngestSettings;
use crate::writer::Target;

/// Streams UFO sightings into the log, each row once: from CSV files (run it again on the same file and nothing is added, kill
/// it and it goes on behind the last committed row), or by HTTP.
#[derive(Debug, clap::Parser)]
#[command(name = "producer", version, max_term_width = 110, mut_args(global_where_shared))]
struct Flags {
    /// CSV files, or folders with .csv and .csv.gz files; .gz is unpacked, - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    common: CommonFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take rows by HTTP: POST /v1/sightings, answered when they are committed
    Serve(ServeFlags),
    /// Show what was rejected and why, and send repaired rows
    Rejects(RejectsFlags),
}

#[derive(Clone, Debug, clap::Args, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    log: LogFlags,
    /// Send at most this many rows per second [default: as fast as the log takes them]
    #[arg(long, help_heading = "Files", value_name = "ROWS")]
    rate: Option<u32>,
    /// Send at most this many rows in this run [default: all]
    #[arg(long, help_heading = "Files", value_name = "ROWS")]
    limit: Option<u64>,
    /// Where there is no file, send this many synthetic rows [default: none]
    #[arg(long, help_heading = "Files", value_name = "ROWS")]
    synthetic: Option<u64>,
    /// Seed of the synthetic rows: the same seed gives the same rows [default: 1]
    #[arg(long, help_heading = "Files", value_name = "SEED")]
    seed: Option<u64>,
    /// Folder where the synthetic file is kept [default: data]
    #[arg(long, help_heading = "Files", value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Those of every command: the settings file has one table for the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProducerSettings {
    #[serde(flatten)]
    log: LogSettings,
    rate: Option<u32>,
    limit: Option<u64>,
    synthetic: Option<u64>,
    seed: u64,
    data: PathBuf,
    instance: Option<String>,
    #[serde(flatten)]
    ingest: IngestSettings,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self {
            log: LogSettings::default(),
            rate: None,
            limit: None,
            synthetic: None,
            seed: 1,
            data: "data".into(),
            instance: None,
            ingest: IngestSettings::default(),
        }
    }
}

impl Settings for ProducerSettings {
    const TABLE: &'static str = "producer";

    fn check(&self) -> Result<(), Invalid> {
        let fault = self.log.fault().map(|(key, reason)| (key, reason.to_owned()));
        let fault = fault.or_else(|| self.ingest.fault());
        fault.map_or(Ok(()), |(key, reason)| Err(Invalid::new(key, reason)))
    }
}

impl ProducerSettings {
    fn kafka(&self) -> Kafka {
        Kafka::new(self.log.kafka())
    }

    fn topics(&self) -> Topics {
        Topics::new(&self.log.prefix, &self.log.generation)
    }

    fn target(&self) -> Target {
        Target { topics: self.topics(), partitions: self.log.partitions }
    }
}

/// Where the log is and how a process behaves can be said before and behind a command.
fn global_where_shared(arg: clap::Arg) -> clap::Arg {
    let is_shared = matches!(arg.get_help_heading(), Some("Log" | "Process"));
    arg.global(is_shared)
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    match &given.flags.command {
        None => send::start(&given),
        Some(Command::Serve(flags)) => serve::start(&given, flags),
        Some(Command::Rejects(flags)) => rejects::start(&given, flags),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn given(arguments: &[&str]) -> settings::Given<Flags> {
        let arguments = ["producer"].iter().chain(arguments).map(OsString::from);
        settings::parse_from(arguments).unwrap()
    }

    #[test]
    fn shared_flags_stand_before_or_behind_a_command() {
        for arguments in [["--prefix", "mine", "serve"], ["serve", "--prefix", "mine"]] {
            let given = given(&arguments);
            assert!(matches!(given.flags.command, Some(Command::Serve(_))));
            assert_eq!(given.flags.options.log.prefix.as_deref(), Some("mine"));
        }
        let files = given(&["--prefix", "mine", "a.csv", "b.csv"]).flags.files;
        assert_eq!(files, [PathBuf::from("a.csv"), PathBuf::from("b.csv")]);
    }

    #[test]
    fn flags_of_sending_files_are_none_of_a_command() {
        let arguments = ["producer", "serve", "--rate", "5"].map(OsString::from);
        assert!(settings::parse_from::<Flags>(arguments).is_err());
    }
}
