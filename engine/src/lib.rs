//! A small stream engine: stages of a topology, one task a partition, state restored from changelogs, transactions
//! that hold outputs, state changes and input offsets. It knows no domain and no broker: a [`log::Log`] is handed in.

pub mod clock;
#[cfg(feature = "contract")]
pub mod contract;
pub mod driver;
pub mod log;
pub mod observer;
pub mod partition;
pub mod record;
pub mod recovery;
pub mod run;
pub mod stage;
pub mod state;
mod task;
pub mod window;
mod worker;
mod writer;

pub use task::TaskError;
pub use worker::{Context, UntilEnd, WorkerSettings};
