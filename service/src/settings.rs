//! Settings: flags, then environment (`UFO_*`), then one TOML file, then defaults; the first that has a value wins.
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use service::settings::{self, CommonFlags, Settings};
//!
//! /// Flags; each is also the variable `UFO_…` and a key of the file.
//! #[derive(clap::Parser)]
//! struct Flags {
//!     #[command(flatten)]
//!     common: CommonFlags,
//!     #[command(flatten)]
//!     options: Options,
//! }
//!
//! #[derive(clap::Args, Serialize)]
//! struct Options {
//!     /// Where the brokers are
//!     #[arg(long)]
//!     brokers: Option<String>,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct SinkSettings {
//!     brokers: String,
//!     password: Option<service::Secret>,
//! }
//! # impl Default for SinkSettings {
//! #     fn default() -> Self { Self { brokers: "127.0.0.1:9092".into(), password: None } }
//! # }
//! impl Settings for SinkSettings {
//!     const TABLE: &'static str = "sink";
//! }
//!
//! fn start() -> Result<(), service::Exit> {
//!     let given = settings::parse::<Flags>()?;
//!     let loaded = given.load::<SinkSettings>(&given.flags.common, &given.flags.options)?;
//!     service::telemetry::start(&loaded.process)?;
//!     Ok(())
//! }
//! ```

mod file;
mod flags;
mod manual;
mod origin;
mod secret;
mod show;
mod tiers;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::flags::{Given, parse, parse_from};
pub use self::secret::Secret;
pub use self::show::without_password;
use self::tiers::Tiers;
use crate::exit::{Code, Exit};
use crate::{clock, http, shutdown};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "ufo.toml";

/// The settings of one program: plain fields with defaults, none skipped when serialised, since those are its known keys.
/// A [`Secret`] is an `Option` and `None` by default.
pub trait Settings: Serialize + DeserializeOwned + Default {
    /// Its table in the settings file: `producer`, `processor`, `sink`, …
    const TABLE: &'static str;

    /// What types cannot say: ranges, and settings that must fit together.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A setting whose value cannot be used.
#[derive(Debug)]
pub struct Invalid {
    key: &'static str,
    reason: String,
}

impl Invalid {
    /// The reason is the rest of a sentence that begins with the key: `must be at least 1`.
    pub fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

/// Flags that every program has.
#[derive(Clone, Debug, Default, clap::Args, Serialize)]
pub struct CommonFlags {
    /// Settings file; its keys are the long flags with `_` for `-` [default: ufo.toml where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Process")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Check the settings, say what is wrong with them, and exit
    #[arg(long, hide_env = true, help_heading = "Process")]
    #[serde(skip)]
    pub check: bool,
    /// Print the settings in force as TOML (secrets as ***), and exit
    #[arg(long, hide_env = true, help_heading = "Process")]
    #[serde(skip)]
    pub print: bool,
    /// Ask the process that serves --listen whether it is ready, and exit: 0 if it is, else say why not
    #[arg(long, hide_env = true, help_heading = "Process")]
    #[serde(skip)]
    pub healthcheck: bool,
    /// Log warnings and errors only, show no progress
    #[arg(long, short, help_heading = "Process")]
    pub quiet: bool,
    /// What is logged: error, warn, info, debug, trace, or by target (`info,engine=debug`) [default: info]
    #[arg(long, value_name = "FILTER", help_heading = "Process")]
    pub log: Option<String>,
    /// How it is logged: text, json, or auto (text on a terminal, JSON elsewhere) [default: auto]
    #[arg(long, value_name = "FORMAT", help_heading = "Process")]
    pub log_format: Option<LogFormat>,
    /// Serve /live, /ready and /metrics there, as in 127.0.0.1:9100 [default: not served]
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Process")]
    pub listen: Option<SocketAddr>,
    /// How long an orderly end may take, in milliseconds [default: 25000]
    #[arg(long, value_name = "MS", help_heading = "Process")]
    pub shutdown_grace_ms: Option<u64>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Text,
    Json,
}

/// Settings that every process has, the values of [`CommonFlags`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessSettings {
    pub quiet: bool,
    pub log: Option<String>,
    pub log_format: LogFormat,
    pub listen: Option<SocketAddr>,
    pub shutdown_grace_ms: u64,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            quiet: false,
            log: None,
            log_format: LogFormat::Auto,
            listen: None,
            shutdown_grace_ms: clock::millis(shutdown::GRACE_DEFAULT),
        }
    }
}

impl ProcessSettings {
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_millis(self.shutdown_grace_ms)
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Loaded<S> {
    pub settings: S,
    pub process: ProcessSettings,
}

impl<F> Given<F> {
    /// The settings in force. `options` are the flags that are settings: each of its fields is a field of `S`, and has a
    /// value where its flag or variable is given. With `--print`, `--check` and `--healthcheck` the process ends here
    /// ([`Exit::done`]).
    pub fn load<S: Settings>(
        &self,
        common: &CommonFlags,
        options: &impl Serialize,
    ) -> Result<Loaded<S>, Exit> {
        let tiers = self.tiers::<S>(common, options)?;
        let loaded = loaded::<S>(&tiers)?;
        if common.print || common.check {
            let text = match common.print {
                true => show::toml(&tiers, &loaded),
                false => format!("the settings are good ({})\n", tiers.file()),
            };
            return Err(print(&text));
        }
        if common.healthcheck {
            http::probe(loaded.process.listen)?;
            return Err(Exit::done());
        }
        Ok(loaded)
    }
}

fn loaded<S: Settings>(tiers: &Tiers) -> Result<Loaded<S>, Exit> {
    let settings: S = tiers.extract()?;
    let process = tiers.extract()?;
    settings.check().map_err(|Invalid { key, reason }| {
        Exit::new(Code::Config, format!("`{key}` ({}) {reason}", tiers.origin(key)))
    })?;
    Ok(Loaded { settings, process })
}

/// Writes to standard output and ends. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Exit {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Exit::new(Code::Io, "cannot write to standard output").caused_by(&error)
        }
        Ok(()) | Err(_) => Exit::done(),
    }
}

#[cfg(test)]
mod tests;
