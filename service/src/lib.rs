//! What makes a process a good citizen: settings, logs, metrics, health, exit codes, shutdown, and the only clock. It knows
//! none of our other crates; time, the environment and signals enter a program through here.

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

pub use exit::Exit;
pub use health::Health;
pub use metrics::Metrics;
pub use retry::Backoff;
pub use settings::{Secret, Settings};
pub use shutdown::Shutdown;
