//! `dashboards`

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(dashboards::cli::start)
}
