//! The whole pipeline on a real broker, a real Elasticsearch and a real object store.

mod arrows;
mod compose;
mod containers;
mod end_to_end;
mod exactly_once;
mod wrong_settings;
