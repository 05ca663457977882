//! A small, exact writer and reader of Delta Lake tables: Parquet files, and a log in which one atomic commit adds and
//! removes files and moves application transactions (the offsets that the files cover). No word of what is in the rows.
//!
//! Follows the Delta protocol (reader version 1, writer version 2), so that other engines open the tables.
//!
//! ```text
//! rows ─Encoder─▶ DataFile ─upload─▶ object ─Commit─▶ resolve ─▶ _delta_log/N.json ─▶ Snapshot ─Reader─▶ rows
//! ```
//!
//! Deliberately absent: deletion vectors, column mapping, change data, V2 checkpoints, time travel. A table that needs
//! one of them to be read or written is refused.
//!
//! The futures need no particular runtime, except that a bucket's client (feature `s3`) needs a tokio runtime with
//! time and I/O. A local folder's requests go to tokio's blocking threads inside a runtime, and are made in place
//! outside of one.

mod action;
mod calendar;
mod checkpoint;
mod commit;
mod compact;
pub mod encode;
mod error;
mod log;
mod partition;
mod path;
mod schema;
mod snapshot;
mod stats;
mod store;
mod table;
mod vacuum;

pub use action::{Format, MetaData, Protocol};
pub use commit::{Commit, CommitDecision, Facts, Refusal, Transaction, resolve};
pub use compact::Compacted;
pub use encode::{DataFile, Encoder, Encoding};
pub use error::DeltaError;
pub use schema::{Misfit, file_schema};
pub use snapshot::{LiveFile, Snapshot};
pub use stats::FileStats;
pub use store::Lake;
pub use table::{FileWriter, Outcome, Reader, Table};
pub use vacuum::{Vacuum, Vacuumed};
