//! The lake, run as the sink runs it: on a log in memory, onto a folder; and onto S3 where `UFO_S3_ENDPOINT` names a
//! server (with the features that this takes).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod crashes;
mod input;
mod log;
mod promises;
mod store;
mod tables;
mod world;
