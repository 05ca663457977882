//! The `dashboards` program.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde::{Deserialize, Serialize};
use service::exit::{Code, Exit};
use service::settings::{self, CommonFlags};
use service::{Backoff, Settings, Shutdown, telemetry};
use sink::index::options::{ElasticsearchFlags, ElasticsearchSettings};

use crate::check::{Findings, check};
use crate::import::{ImportError, import, wait};
use crate::saved::{ObjectKind, SavedObject};
use crate::server::{Credentials, Server, ServerError};
use crate::{Options, ndjson, objects};

/// Kibana's dashboards of the pipeline: written as a file, brought into Kibana, held against the indexes.
#[derive(Debug, Parser)]
#[command(name = "dashboards", version, max_term_width = 110)]
struct Flags {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: CommonFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the file that Kibana imports
    Export {
        /// Where to [default: standard output]
        file: Option<PathBuf>,
        #[command(flatten)]
        names: Named,
    },
    /// Bring everything into Kibana, then look whether each panel can be drawn; do it again as often as you like
    Import(Servers),
    /// Look whether the indexes have what each panel asks for; Kibana is not needed
    Check(Servers),
}

#[derive(Clone, Debug, Args, Serialize)]
struct Named {
    /// What the names of the pipeline's indexes begin with [default: ufo]
    #[arg(long, value_name = "NAME")]
    prefix: Option<String>,
    /// The country that the domestic dashboard shows at first, as ISO 3166 code [default: us]
    #[arg(long, value_name = "CODE")]
    home: Option<String>,
}

#[derive(Clone, Debug, Args, Serialize)]
struct Servers {
    #[command(flatten)]
    #[serde(flatten)]
    names: Named,
    /// Where Kibana is, with its base path [default: http://127.0.0.1:5601]
    #[arg(long, value_name = "URL")]
    kibana: Option<String>,
    /// How long to wait for Kibana, and for indexes that are not there yet, in milliseconds [default: 180000]
    #[arg(long, value_name = "MS")]
    patience_ms: Option<u64>,
    // Credentials and authority are also those for Kibana, which passes them on.
    #[command(flatten)]
    #[serde(flatten)]
    elasticsearch: ElasticsearchFlags,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgramSettings {
    prefix: String,
    home: String,
    kibana: String,
    #[serde(flatten)]
    elasticsearch: ElasticsearchSettings,
    patience_ms: u64,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            prefix: "ufo".into(),
            home: "us".into(),
            kibana: "http://127.0.0.1:5601".into(),
            elasticsearch: ElasticsearchSettings::default(),
            patience_ms: 180_000,
        }
    }
}

impl Settings for ProgramSettings {
    const TABLE: &'static str = "dashboards";
}

impl ProgramSettings {
    fn options(&self) -> Result<Options, Exit> {
        Options::new(&self.prefix, &self.home).map_err(|error| Exit::from_error(Code::Config, error))
    }

    fn server(&self, name: &'static str, address: &str) -> Result<Server, Exit> {
        let known = &self.elasticsearch;
        let credentials = Credentials {
            user: known.elasticsearch_user.clone(),
            password: known.elasticsearch_password.clone(),
            api_key: known.elasticsearch_api_key.clone(),
            ca_file: known.elasticsearch_ca.clone(),
        };
        Server::new(name, address, credentials).map_err(Exit::from)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }
}

impl From<ServerError> for Exit {
    fn from(error: ServerError) -> Self {
        let code = match error {
            ServerError::Authority { .. } | ServerError::Setup { .. } => Code::Config,
            ServerError::Denied { .. } => Code::Denied,
            ServerError::Unreachable { .. } | ServerError::NotReady { .. } | ServerError::Refused { .. } => {
                Code::Unavailable
            }
        };
        Exit::from_error(code, error)
    }
}

impl From<ImportError> for Exit {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Server(error) => error.into(),
            error @ (ImportError::Starting(_) | ImportError::Partly { .. } | ImportError::Missing { .. }) => {
                Exit::from_error(Code::Unavailable, error)
            }
        }
    }
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = match &given.flags.command {
        Command::Export { names, .. } => given.load::<ProgramSettings>(&given.flags.common, names)?,
        Command::Import(servers) | Command::Check(servers) => {
            given.load::<ProgramSettings>(&given.flags.common, servers)?
        }
    };
    telemetry::start(&loaded.process)?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let (settings, options) = (&loaded.settings, loaded.settings.options()?);
    match &given.flags.command {
        Command::Export { file, .. } => export(file.as_deref(), &ndjson(&options)),
        Command::Import(_) => {
            let kibana = settings.server("Kibana", &settings.kibana)?;
            let version = wait(&kibana, settings.patience(), &shutdown)?;
            let objects = objects(&options);
            import(&kibana, &objects)?;
            let address = kibana.address();
            tell(&format!(
                "Kibana {version} at {address} has {}\n{}",
                counted(&objects),
                links(&kibana, &objects)
            ))?;
            looked_at(settings, &objects, &shutdown)
        }
        Command::Check(_) => looked_at(settings, &objects(&options), &shutdown),
    }
}

fn export(file: Option<&Path>, text: &str) -> Result<(), Exit> {
    let Some(file) = file else { return tell(text) };
    let cannot = |error| {
        Exit::new(Code::Io, format!("cannot write {}: choose another file", file.display())).caused_by(&error)
    };
    std::fs::write(file, text).map_err(cannot)
}

/// Waits for indexes that the sink has not made yet: both may be started at once.
fn looked_at(settings: &ProgramSettings, objects: &[SavedObject], shutdown: &Shutdown) -> Result<(), Exit> {
    let elasticsearch = settings.server("Elasticsearch", &settings.elasticsearch.elasticsearch)?;
    let begin = service::clock::now();
    let pauses = Backoff { tries: usize::MAX, ..Backoff::default() }.pauses();
    let mut findings = Findings::default();
    let (mut is_told, seconds) = (false, settings.patience().as_secs());
    for pause in pauses {
        let is_over = begin.elapsed() + pause > settings.patience();
        match check(&elasticsearch, objects) {
            Ok(found) if found.faults.is_empty() || is_over => {
                findings = found;
                break;
            }
            Err(error) if is_over || !error.is_passing() => return Err(error.into()),
            // Told once: whoever watches has to know what is waited for.
            _ if is_told => {}
            Ok(found) => tracing::warn!(
                "{} things are missing in Elasticsearch: waiting for the sink up to {seconds} s",
                found.faults.len()
            ),
            Err(error) => tracing::warn!(%error, "no Elasticsearch yet: waiting up to {seconds} s"),
        }
        is_told = true;
        if shutdown.wait_timeout(pause) {
            return Err(Exit::new(Code::NotDrained, "stopped before everything was looked at"));
        }
    }
    tell(&findings.to_string())?;
    match findings.faults.len() {
        0 => Ok(()),
        faults => Err(Exit::new(
            Code::Unavailable,
            format!("{faults} things are missing in Elasticsearch: start the sink, or use its --prefix"),
        )),
    }
}

fn counted(objects: &[SavedObject]) -> String {
    let count = |kind| objects.iter().filter(|object| object.kind == kind).count();
    let [views, panels, boards] = ObjectKind::ALL.map(count);
    format!("{views} data views, {panels} panels, {boards} dashboards of ours:")
}

fn links(kibana: &Server, objects: &[SavedObject]) -> String {
    let boards = objects.iter().filter(|object| object.kind == ObjectKind::Dashboard);
    let link = |board: &SavedObject| {
        format!("{}: {}/app/dashboards#/view/{}\n", board.title(), kibana.address(), board.id)
    };
    boards.map(link).collect()
}

/// A reader that has gone away (`| head`) is no error.
fn tell(text: &str) -> Result<(), Exit> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Exit::new(Code::Io, "cannot write to standard output").caused_by(&error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
