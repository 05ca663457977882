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
use service::{Settings, Shutdown, telemetry};
use sink::index::generation::Names;
use sink::index::options::{ElasticsearchFlags, ElasticsearchSettings};
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
    #[command(flatten)]
    #[serde(flatten)]
    elasticsearch: ElasticsearchFlags,
    /// Where the lake is, or `none` [default: data/lake]
    #[arg(long, value_name = "URL")]
    lake: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProgramSettings {
    #[serde(flatten)]
    log: LogSettings,
    #[serde(flatten)]
    elasticsearch: ElasticsearchSettings,
    lake: String,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            log: LogSettings::default(),
            elasticsearch: ElasticsearchSettings::default(),
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
    if let Some(settings) = program.elasticsearch.index() {
        stores.push(("index", index_facts(&settings, &topics)?));
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

fn index_facts(settings: &IndexSettings, topics: &Topics) -> Result<StoreFacts, IndexError> {
    let index = Index::connect(settings, &Shutdown::new())?;
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
