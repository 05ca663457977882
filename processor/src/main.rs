//! `processor`

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(processor::cli::start)
}
