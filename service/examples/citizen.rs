//! A program with everything in it: what `main` of a service looks like. The tests in `tests/process.rs` run it.

use std::process::ExitCode;

use clap::Parser;
use serde::{Deserialize, Serialize};
use service::exit::{self, Code, Exit};
use service::http::{self, Watched};
use service::settings::{self, CommonFlags, Invalid, Settings};
use service::{Health, Metrics, Secret, Shutdown, telemetry};

/// Waits until it is told to stop.
#[derive(Parser)]
#[command(name = "citizen", version)]
struct Flags {
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    options: Options,
    /// Do not stop when told to, for longer than the grace time
    #[arg(long)]
    stubborn: bool,
}

#[derive(clap::Args, Serialize)]
struct Options {
    /// Where the brokers are
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Partitions of each topic
    #[arg(long, value_name = "N")]
    partitions: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct CitizenSettings {
    brokers: String,
    partitions: u32,
    password: Option<Secret>,
}

impl Default for CitizenSettings {
    fn default() -> Self {
        Self { brokers: "127.0.0.1:9092".into(), partitions: 6, password: None }
    }
}

impl Settings for CitizenSettings {
    const TABLE: &'static str = "citizen";

    fn check(&self) -> Result<(), Invalid> {
        match self.partitions {
            0 => Err(Invalid::new("partitions", "must be at least 1")),
            _ => Ok(()),
        }
    }
}

fn main() -> ExitCode {
    exit::main(start)
}

fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = given.load::<CitizenSettings>(&given.flags.common, &given.flags.options)?;
    telemetry::start(&loaded.process)?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::new(Code::Software, "cannot take signals").caused_by(&error))?;
    let health = Health::new(["broker"]);
    let watched = Watched { health: health.clone(), metrics: Metrics::new(), shutdown: shutdown.clone() };
    let _server = http::listen(&loaded.process, watched)?;
    run(&loaded.settings, given.flags.stubborn, &health, &shutdown)
}

fn run(
    settings: &CitizenSettings,
    is_stubborn: bool,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Exit> {
    health.ready("broker");
    let has_password = settings.password.is_some();
    tracing::info!(brokers = settings.brokers, partitions = settings.partitions, has_password, "running");
    shutdown.wait();
    if is_stubborn {
        loop {
            service::clock::pause(shutdown.time_left().max(std::time::Duration::from_millis(1)));
        }
    }
    tracing::info!("stopped");
    Ok(())
}
