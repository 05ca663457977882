//! The producer: sends the rows of a file to `ufo.raw`, each once, whatever dies meanwhile; takes rows by HTTP; shows what was
//! rejected.

#[cfg(feature = "serve")]
mod batch;
#[cfg(feature = "kafka")]
pub mod cli;
pub mod files;
pub mod generate;
#[cfg(feature = "serve")]
pub mod ingest;
pub mod input;
pub mod metrics;
pub mod position;
pub mod progress;
pub mod publish;
#[cfg(feature = "serve")]
pub mod rejects;
pub mod rows;
#[cfg(feature = "serve")]
pub mod writer;
