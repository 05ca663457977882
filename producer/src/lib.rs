//! The producer: sends the rows of a file to `ufo.raw`, each once, whatever dies meanwhile.

#[cfg(feature = "kafka")]
pub mod cli;
pub mod files;
pub mod generate;
pub mod input;
pub mod metrics;
pub mod position;
pub mod progress;
pub mod publish;
pub mod rows;
