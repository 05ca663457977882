//! What a person sees at the end: the figures, the ledger, and where the files are.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use domain::{Atlas, Key, RawRecord, SightingId, Totals};
use embedded::EmbeddedLog;
use producer::{input, rows::Rows};
use service::exit::{Code, Exit};
use sink::lake::{LakeFacts, lake_facts};
use verify::facts::{FactsError, Ids, StoreFacts, current_aggregates, log_facts};

use crate::figures::{Aggregates, figures as tables};
use crate::pipeline::{Summary, exit_of};
use crate::settings::Flags;
use crate::topics;

fn written(result: std::io::Result<()>) -> Result<(), Exit> {
    match result {
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Exit::from_error(Code::Io, error)),
    }
}

fn facts_exit(error: FactsError) -> Exit {
    match error {
        FactsError::Log(error) => exit_of(error),
        error => Exit::from_error(Code::Difference, error),
    }
}

/// The figures of the current aggregates.
pub(crate) fn figures(log: &EmbeddedLog, flags: &Flags, out: &mut dyn Write) -> Result<(), Exit> {
    if flags.quiet {
        return Ok(());
    }
    let current = current_aggregates(log, &topics()).map_err(facts_exit)?;
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

/// The ledger of this folder.
pub(crate) fn verify(flags: &Flags, file: Option<&Path>, out: &mut dyn Write) -> Result<(), Exit> {
    if !flags.log_folder().is_dir() {
        let message = format!("nothing has been run in {}: run `ufo FILE` first", flags.data.display());
        return Err(Exit::new(Code::NoInput, message));
    }
    let log = EmbeddedLog::open(&flags.log_folder()).map_err(exit_of)?;
    let totals = file.map(recomputed).transpose()?;
    let log_facts = log_facts(&log, &topics()).map_err(facts_exit)?;
    let lake = lake_facts(&flags.lake()?).map_err(|error| Exit::from_error(Code::Io, error))?;
    let lake = store_facts(lake);
    let report = verify::ledger(totals.as_ref(), &log_facts, &[("lake", &lake)]);
    written(writeln!(out, "{report}"))?;
    match report.first_difference() {
        None => Ok(()),
        Some(check) => Err(Exit::new(
            Code::Difference,
            format!("{}: {}", check.name, check.difference.as_deref().unwrap_or_default()),
        )),
    }
}

fn store_facts(lake: LakeFacts) -> StoreFacts {
    StoreFacts {
        raw: Some(lake.raw),
        sightings: ids(lake.sightings),
        rejects: ids(lake.rejects),
        aggregates: lake.aggregates.into_iter().collect(),
    }
}

fn ids(found: Vec<SightingId>) -> Ids {
    let mut ids = Ids { ids: BTreeSet::new(), twice: BTreeSet::new() };
    found.into_iter().for_each(|id| ids.add(id));
    ids
}

/// One plain pass over the file.
fn recomputed(file: &Path) -> Result<Totals, Exit> {
    let atlas = Atlas::new();
    let mut totals = Totals::new();
    let mut rows = Rows::new(input::open(file)?)?;
    let mut value = Vec::new();
    while let Some(id) = rows.next_into(&mut value)? {
        let key = id.to_hex();
        totals.add(RawRecord { key: Some(&key), value: Some(&value) }, &atlas);
        value.clear();
    }
    Ok(totals)
}
