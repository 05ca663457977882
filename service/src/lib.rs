//! What makes a process a good citizen: settings, logs, metrics, health, exit codes, shutdown, and the only clock. Time, the
//! environment and signals enter a program through here. Of our other crates it knows `engine` only, for what its errors
//! mean to whoever started the process.

pub mod clock;
mod engine_exit;
pub mod exit;
pub mod health;
pub mod http;
pub mod metrics;
pub mod retry;
pub mod settings;
pub mod shutdown;
pub mod telemetry;

/// Of every program, with the commit that it was built from.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("UFO_COMMIT"), ")");

pub use exit::Exit;
pub use health::Health;
pub use metrics::Metrics;
pub use retry::Backoff;
pub use settings::{Secret, Settings};
pub use shutdown::Shutdown;
