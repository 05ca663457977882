//! Elasticsearch: each record of the topics is one document, whatever was killed while it was written.
//!
//! ```text
//! record ─document─▶ id, version, source ─bulk─▶ Batch ─deliver─▶ _bulk ─answer─▶ Outcome per document
//!                                                  └── run: offsets are committed behind confirmed batches only
//! ```
//! The id comes from the record and the external version from its offset, so that writing twice changes nothing and
//! an older record never replaces a newer one. A record deleted by a tombstone stays away: it is read again in its order.

pub mod answer;
pub mod bulk;
pub mod client;
mod deliver;
pub mod document;
mod error;
pub mod generation;
pub mod mapping;
pub mod metrics;
pub mod options;
mod pipeline;
pub mod reader;
mod refused;
mod run;
mod settings;
mod topic;
mod url;

pub use client::Index;
pub use document::Kind;
pub use error::IndexError;
pub use metrics::{IndexMetrics, part_of};
pub use run::{IndexReport, group_of, run_index};
pub use settings::IndexSettings;
