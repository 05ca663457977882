//! `verify [FILE…]`

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(verify::cli::start)
}
