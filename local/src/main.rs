//! `ufo`: the whole pipeline in one process, on an embedded log: file → log → documents, lake, figures.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::exit::main(local::start)
}
