//! The `verify` program: the ledger over a cluster, Elasticsearch and the lake.

use std::io::{self, Write};
use std::path::PathBuf;

use delta::Lake;
use domain::{Topics, View};
use kafka::Kafka;
use kafka::options::{LogFlags, LogSettings};
use serde::{Deserialize, Serialize};
use service::exit::{Code, Exit};
use service::settings::{self, CommonFlags, Invalid};
use service::{Secret, Settings, Shutdown, telemetry};
use sink::index::generation::Names;
use sink::index::{Index, IndexError, IndexSettings, Kind};

use crate::facts::{Aggregates, Ids, StoreFacts, lake_store_facts, log_facts, recomputed};
use crate::ledger;

/// What switches a store off.
const OFF: &str = "none";

/// Compares what went in with what came out, by id and to the digit: file, log, Elasticsearch, lake. Run it when
/// producer, processor and sink have handled everything. Exit code 1 on the first difference.
#[derive(Debug, clap::Parser)]
#[command(name = "verify", version, max_term_width = 110)]
struct Flags {
    /// The files that were sent: their rows are computed anew, in one plain pass
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    common: CommonFlags,
}

#[derive(Clone, Debug, clap::Args, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    log: LogFlags,
    /// Where Elasticsearch is, or `none` [default: http://127.0.0.1:9200]
    #[arg(long, value_name = "URL")]
    elasticsearch: Option<String>,
    /// User at Elasticsearch; password and API key as for the sink
    #[arg(long, value_name = "NAME")]
    elasticsearch_user: Option<String>,
    /// Where the lake is, or `none` [default: data/lake]
    #[arg(long, value_name = "URL")]
    lake: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgramSettings {
    #[serde(flatten)]
    log: LogSettings,
    elasticsearch: String,
    elasticsearch_user: Option<String>,
    elasticsearch_password: Option<Secret>,
    elasticsearch_api_key: Option<Secret>,
    lake: String,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            log: LogSettings::default(),
            elasticsearch: "http://127.0.0.1:9200".into(),
            elasticsearch_user: None,
            elasticsearch_password: None,
            elasticsearch_api_key: None,
            lake: "data/lake".into(),
        }
    }
}

impl Settings for ProgramSettings {
    const TABLE: &'static str = "verify";

    fn check(&self) -> Result<(), Invalid> {
        self.log.fault().map_or(Ok(()), |(key, reason)| Err(Invalid::new(key, reason)))
    }
}

/// What `main` does.
pub fn start() -> Result<(), Exit> {
    let given = settings::parse::<Flags>()?;
    let loaded = given.load::<ProgramSettings>(&given.flags.common, &given.flags.options)?;
    telemetry::start(&loaded.process)?;
    let program = &loaded.settings;
    let topics = Topics::new(&program.log.prefix, &program.log.generation);
    let files = &given.flags.files;
    let totals = (!files.is_empty()).then(|| recomputed(files)).transpose()?;
    let log = log_facts(&Kafka::new(program.log.kafka()), &topics)?;
    let mut stores = Vec::new();
    if program.elasticsearch != OFF {
        stores.push(("index", index_facts(program, &topics)?));
    }
    if program.lake != OFF {
        let lake = Lake::open(&program.lake).map_err(|error| Exit::from_error(Code::Config, error))?;
        stores.push(("lake", lake_store_facts(&lake)?));
    }
    let stores: Vec<_> = stores.iter().map(|(name, facts)| (*name, facts)).collect();
    let report = ledger(totals.as_ref(), &log, &stores);
    writeln!(io::stdout(), "{report}").map_err(|error| Exit::from_error(Code::Io, error))?;
    report.verdict()
}

fn index_facts(program: &ProgramSettings, topics: &Topics) -> Result<StoreFacts, IndexError> {
    let settings = IndexSettings {
        url: Secret::new(program.elasticsearch.clone()),
        user: program.elasticsearch_user.clone(),
        password: program.elasticsearch_password.clone(),
        api_key: program.elasticsearch_api_key.clone(),
        ..IndexSettings::default()
    };
    let index = Index::connect(&settings, &Shutdown::new())?;
    let names = Names::new(topics.prefix())?;
    let ids = |kind| -> Result<Ids, IndexError> {
        let mut ids = Ids::default();
        for found in index.ids(&names.index(kind, topics.generation())?)? {
            if let Ok(id) = found?.id.parse() {
                ids.add(id);
            }
        }
        Ok(ids)
    };
    let mut aggregates = Aggregates::new();
    for found in index.aggregates(&names.index(Kind::Aggregates, topics.generation())?)? {
        let (view, key, aggregate) = found?;
        if view != View::Arrivals {
            aggregates.insert(key.record_key(view), aggregate);
        }
    }
    Ok(StoreFacts { raw: None, sightings: ids(Kind::Sightings)?, rejects: ids(Kind::Rejects)?, aggregates })
}
