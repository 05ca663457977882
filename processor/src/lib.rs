//! The processor: cleans `ufo.raw` and keeps the aggregates, exactly once, on any log of the engine.

mod aggregate_stage;
mod clean_stage;
pub mod combine;
pub mod seen;
mod topology;

pub use topology::topology;
