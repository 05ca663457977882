//! Counts what valgrind sees of this program at work.

use std::env;
use std::io;
use std::process::Command;

/// The work is done for so many rows, and for twice as many: what starting costs is in both.
const ROWS: u32 = 4_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error("cannot run valgrind: install it (Debian: valgrind)")]
    Valgrind(#[source] io::Error),
    #[error("valgrind counted nothing for {work}: {said}")]
    Uncounted { work: String, said: String },
}

/// Instructions that one row of this work costs.
pub(crate) fn instructions_per_row(work: &str) -> Result<f64, CountError> {
    let (once, twice) = (instructions(work, ROWS)?, instructions(work, 2 * ROWS)?);
    Ok((twice - once) as f64 / f64::from(ROWS))
}

fn instructions(work: &str, rows: u32) -> Result<i64, CountError> {
    let program = env::current_exe().map_err(CountError::Valgrind)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = command.args(["work", work, &rows.to_string()]).output().map_err(CountError::Valgrind)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let counted = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    counted
        .filter(|_| output.status.success())
        .ok_or_else(|| CountError::Uncounted { work: work.to_owned(), said })
}
