//! The index against a real Elasticsearch, where `UFO_ELASTICSEARCH` names one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod faults;
mod generations;
mod golden;
mod proxy;
mod refusals;
mod replay;
mod run;
mod server;
mod start;
