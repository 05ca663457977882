//! What makes a process a good citizen: settings, logs, exit codes, shutdown, and the only clock.

pub mod clock;
pub mod exit;
pub mod settings;
pub mod shutdown;
pub mod telemetry;

pub use exit::Exit;
pub use settings::Secret;
pub use shutdown::Shutdown;
