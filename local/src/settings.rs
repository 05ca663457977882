//! The flags of `ufo`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use delta::Lake;
use producer::files::Synthetic;
use service::exit::{Code, Exit};

/// Partitions of the embedded log: as many as threads could ever share on one machine.
pub(crate) const PARTITIONS: u32 = 6;

/// The UFO sightings pipeline in one process: reads a CSV file, cleans and aggregates it exactly once, writes the lake
/// and shows the figures. Run it again and nothing is counted twice; kill it and run it again, and it goes on.
#[derive(Debug, Parser)]
#[command(
    name = "ufo",
    version,
    max_term_width = 100,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = false
)]
pub(crate) struct Flags {
    /// The CSV file, or a .csv.gz, or - for standard input [default: a synthetic file is made]
    pub(crate) file: Option<PathBuf>,
    /// Rows of the synthetic file
    #[arg(long, value_name = "N", default_value = "80000", value_parser = rows)]
    pub(crate) rows: u64,
    /// Seed of the synthetic file: the same seed gives the same file
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where everything is kept: the log in log/, the lake in lake/
    #[arg(long, env = "UFO_DATA", value_name = "DIR", default_value = "./data", global = true)]
    pub(crate) data: PathBuf,
    /// The country whose own view is shown, as ISO 3166 code
    #[arg(long, env = "UFO_HOME", value_name = "CODE", default_value = "us", global = true)]
    pub(crate) home: String,
    /// Send at most this many rows in this run
    #[arg(long, value_name = "N", value_parser = rows)]
    pub(crate) limit: Option<u64>,
    /// Show it live in a browser, and stay until Ctrl-C [default address: 127.0.0.1:8080]
    #[arg(
        long,
        value_name = "HOST:PORT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = page::ADDRESS_DEFAULT
    )]
    pub(crate) page: Option<SocketAddr>,
    /// Log what the pipeline does
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// No progress, no figures: only the summary
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare what went in with what came out, by id and to the digit; exit 1 on the first difference
    Verify {
        /// The file that was read: its rows are computed anew, in one plain pass
        file: Option<PathBuf>,
    },
    /// Show the figures of what is there
    Figures,
}

/// `10_000_000` is easier to read than `10000000`.
fn rows(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| format!("{text} is no number of rows"))
}

impl Flags {
    pub(crate) fn log_folder(&self) -> PathBuf {
        self.data.join("log")
    }

    pub(crate) fn lake(&self) -> Result<Lake, Exit> {
        let folder = self.data.join("lake");
        Lake::open(&folder.to_string_lossy()).map_err(|error| Exit::from_error(Code::Io, error))
    }

    /// The file to read; a synthetic one is made where none is named.
    pub(crate) fn input(&self) -> Result<PathBuf, Exit> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let synthetic = Synthetic { rows: self.rows, seed: self.seed, folder: self.data.clone() };
        Ok(synthetic.kept()?)
    }
}
