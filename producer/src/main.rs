//! `producer FILE…`

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(producer::cli::start)
}
