//! Instructions per row of the pure functions, counted by valgrind and held against `benches/baseline.toml`: the same on a busy machine
//! and on an idle one, so that a change that costs is seen before it is merged.
//!
//! `cargo run --release -p benches` compares (exit 1 where something costs over 5 % more), `… -- --write` sets a new baseline.

mod count;
mod work;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use count::{CountError, instructions_per_row};

/// Another compiler or libc moves counts by less.
const MARGIN: f64 = 0.05;

/// Instructions per row, by function.
type Counts = BTreeMap<String, f64>;

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Count(#[from] CountError),
    #[error("cannot read or write the baseline {0}")]
    File(String, #[source] io::Error),
    #[error("the baseline {0} is not a table of numbers: write it anew with --write")]
    Baseline(String, #[source] toml::de::Error),
    #[error("cannot write the figures")]
    Output(#[from] io::Error),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        // What valgrind runs.
        ["work", name, rows] => return worked(name, rows),
        [] => compared(),
        ["--write"] => written(),
        _ => {
            let _ = writeln!(io::stderr(), "usage: benches [--write]");
            return ExitCode::from(64);
        }
    };
    result.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "error: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let _ = writeln!(io::stderr(), "  caused by: {cause}");
            source = cause.source();
        }
        ExitCode::from(70)
    })
}

fn worked(name: &str, rows: &str) -> ExitCode {
    let (Some((_, work)), Ok(rows)) = (work::WORKS.iter().find(|(known, _)| *known == name), rows.parse())
    else {
        return ExitCode::from(64);
    };
    work(rows);
    ExitCode::SUCCESS
}

fn counted() -> Result<Counts, CountError> {
    work::WORKS.iter().map(|(name, _)| Ok(((*name).to_owned(), instructions_per_row(name)?))).collect()
}

fn baseline_file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml"))
}

fn written() -> Result<ExitCode, BenchError> {
    let mut text = String::from("# Instructions per row: `cargo run --release -p benches -- --write`.\n");
    for (name, count) in counted()? {
        text.push_str(&format!("{name} = {count:.1}\n"));
    }
    let file = baseline_file();
    fs::write(file, text).map_err(|error| BenchError::File(file.display().to_string(), error))?;
    Ok(ExitCode::SUCCESS)
}

fn compared() -> Result<ExitCode, BenchError> {
    let file = baseline_file();
    let name = || file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| BenchError::File(name(), error))?;
    let baseline: Counts = toml::from_str(&text).map_err(|error| BenchError::Baseline(name(), error))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:<22} {:>12} {:>12} {:>8}", "instructions per row", "baseline", "now", "")?;
    let mut has_grown = false;
    for (name, now) in counted()? {
        let Some(before) = baseline.get(&name) else {
            writeln!(out, "{name:<22} {:>12} {now:>12.1}   not in the baseline: --write", "-")?;
            has_grown = true;
            continue;
        };
        let change = now / before - 1.0;
        let verdict = if change > MARGIN {
            "costs more: find out why, or --write with a reason"
        } else if change < -MARGIN {
            "costs less: --write keeps it so"
        } else {
            ""
        };
        has_grown |= change > MARGIN;
        writeln!(out, "{name:<22} {before:>12.1} {now:>12.1} {:>+7.1} %  {verdict}", change * 100.0)?;
    }
    Ok(ExitCode::from(u8::from(has_grown)))
}
