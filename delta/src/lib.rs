//! A small, exact writer and reader of Delta Lake tables: Parquet files, and a log in which one atomic commit adds and
//! removes files and moves application transactions (the offsets that the files cover). No word of what is in the rows.
//!
//! Follows the Delta protocol (reader version 1, writer version 2), so that other engines open the tables.

mod action;
mod commit;
pub mod encode;
mod error;
mod schema;
mod snapshot;
mod store;
mod table;

pub use commit::{Commit, CommitDecision, Transaction, resolve};
pub use encode::{EncodedFile, Encoding};
pub use error::{DeltaError, Trouble};
pub use snapshot::{LiveFile, Snapshot};
pub use store::Lake;
pub use table::{Outcome, Table, file_schema};
