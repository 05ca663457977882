//! `sink`

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(sink::cli::start)
}
