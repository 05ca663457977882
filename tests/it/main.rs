//! The whole pipeline on a real broker, a real Elasticsearch and a real object store.

mod arrows;
mod broker_faults;
mod cluster;
mod compose;
mod containers;
mod end_to_end;
mod exactly_once;
mod ingest;
mod long_run;
mod processes;
mod rejects;
mod security;
mod sinks;
mod state;
mod wrong_settings;
