//! The sink: writes what the topics hold into the lake and the index, each record once in each.

#[cfg(feature = "kafka")]
pub mod cli;
#[cfg(feature = "index")]
pub mod index;
pub mod lake;
