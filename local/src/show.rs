//! What a person sees at the end: the figures, the ledger, and where the files are.

use std::io::Write;
use std::path::Path;

use domain::Key;
use embedded::EmbeddedLog;
use page::Page;
use service::exit::{Code, Exit};
use verify::facts::{current_aggregates, lake_store_facts, log_facts, recomputed};

use crate::figures::{Aggregates, figures as tables};
use crate::pipeline::Summary;
use crate::settings::Flags;
use crate::topics;

fn written(result: std::io::Result<()>) -> Result<(), Exit> {
    match result {
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Exit::from_error(Code::Io, error)),
    }
}

/// The figures of the current aggregates.
pub(crate) fn figures(log: &EmbeddedLog, flags: &Flags, out: &mut dyn Write) -> Result<(), Exit> {
    if flags.quiet {
        return Ok(());
    }
    let current = current_aggregates(log, &topics())?;
    let aggregates: Aggregates = current
        .into_iter()
        .filter_map(|(record_key, aggregate)| Some((Key::parse(&record_key)?, aggregate)))
        .collect();
    written(out.write_all(tables(&aggregates, &flags.home).as_bytes()))
}

pub(crate) fn summary(
    summary: &Summary,
    flags: &Flags,
    input: &Path,
    out: &mut dyn Write,
) -> Result<(), Exit> {
    let progress = &summary.progress;
    let mut text = format!("\n{} rows of {}", progress.sent, input.display());
    if progress.passed_over > 0 {
        text += &format!(" ({} were in already)", progress.passed_over);
    }
    text += &format!(", {:.1} s\n", summary.took.as_secs_f64());
    if summary.is_interrupted {
        text += "stopped before the end: run it again and it goes on\n";
    }
    let data = flags.data.display();
    text +=
        &format!("lake    {data}/lake/{{bronze,silver,gold}} (Delta tables, Parquet)\nlog     {data}/log\n");
    text += &format!("ledger  ufo verify {} --data {data}\n", input.display());
    written(out.write_all(text.as_bytes()))
}

/// Where to look, and how to end it.
pub(crate) fn page(page: &Page, out: &mut dyn Write) -> Result<(), Exit> {
    written(writeln!(out, "live    http://{} (Ctrl-C ends it)", page.address()))
}

/// The ledger of this folder.
pub(crate) fn verify(flags: &Flags, file: Option<&Path>, out: &mut dyn Write) -> Result<(), Exit> {
    if !flags.log_folder().is_dir() {
        let message = format!("nothing has been run in {}: run `ufo FILE` first", flags.data.display());
        return Err(Exit::new(Code::NoInput, message));
    }
    let log = EmbeddedLog::open(&flags.log_folder())?;
    let totals = file.map(|file| recomputed(&[file])).transpose()?;
    let log_facts = log_facts(&log, &topics())?;
    let lake = lake_store_facts(&flags.lake()?)?;
    let report = verify::ledger(totals.as_ref(), &log_facts, &[("lake", &lake)]);
    written(writeln!(out, "{report}"))?;
    report.verdict()
}
