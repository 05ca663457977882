//! `producer rejects list|show|replay`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use domain::{Atlas, RejectCode};
use kafka::Kafka;
use service::exit::{Code, Exit};
use service::settings::Given;
use service::{Shutdown, telemetry};

use super::{Flags, ProducerSettings};
use crate::rejects::{self, Plan, Repairs, Selection, Time, details, plan};
use crate::writer::Target;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct RejectsFlags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// One line for each reject: where its record is, when, why, its id
    List {
        #[command(flatten)]
        which: Which,
        /// As JSON, one line each, with the original bytes in base64
        #[arg(long, hide_env = true, conflicts_with_all = ["rows", "count"])]
        json: bool,
        /// Their rows as JSON, one line each: to be edited, and sent with `replay --edited`
        #[arg(long, hide_env = true, conflicts_with = "count")]
        rows: bool,
        /// How many there are of each code
        #[arg(long, hide_env = true)]
        count: bool,
    },
    /// All of one reject, its bytes decoded, and what can be done about it
    Show {
        /// Partition and offset of its record (as `list` gives them), or its id
        #[arg(value_name = "PARTITION:OFFSET|ID", value_parser = which_one)]
        which: Selection,
        /// Its record's bytes and nothing else, as they came
        #[arg(long, hide_env = true)]
        raw: bool,
    },
    /// Send rejects again where that helps, or their rows as you have edited them; without --yes it is only told what would be done
    Replay {
        #[command(flatten)]
        which: Which,
        /// Send these rows instead: one JSON object a line, as `list --rows` gives them; - is standard input
        #[arg(long, hide_env = true, value_name = "FILE", conflicts_with_all = ["codes", "since", "until", "partition", "from_offset", "to_offset"])]
        edited: Option<PathBuf>,
        /// Really send them
        #[arg(long, hide_env = true)]
        yes: bool,
    },
}

#[derive(Clone, Debug, clap::Args)]
struct Which {
    /// Only those with this code; several times for several
    #[arg(long = "code", hide_env = true, value_name = "CODE", value_parser = code)]
    codes: Vec<RejectCode>,
    /// Only those from then on, by their record's time in UTC, as in 2026-11-24T09:22:18
    #[arg(long, hide_env = true, value_name = "TIME")]
    since: Option<Time>,
    /// Only those before then
    #[arg(long, hide_env = true, value_name = "TIME")]
    until: Option<Time>,
    /// Only those whose record is in this partition
    #[arg(long, hide_env = true, value_name = "N")]
    partition: Option<u32>,
    /// Only those whose record has this offset or a later one
    #[arg(long, hide_env = true, value_name = "OFFSET")]
    from_offset: Option<u64>,
    /// Only those whose record has this offset or an earlier one
    #[arg(long, hide_env = true, value_name = "OFFSET")]
    to_offset: Option<u64>,
}

impl Which {
    fn selection(&self) -> Selection {
        let Self { codes, since, until, partition, from_offset, to_offset } = self.clone();
        Selection { codes, since, until, partition, from_offset, to_offset, id: None }
    }
}

fn code(text: &str) -> Result<RejectCode, String> {
    RejectCode::from_name(text).ok_or_else(|| {
        let names: Vec<_> = RejectCode::ALL.iter().map(|code| code.name()).collect();
        format!("there is no such code: {}", names.join(", "))
    })
}

fn which_one(text: &str) -> Result<Selection, String> {
    let place = text
        .split_once(':')
        .and_then(|(partition, offset)| Some(Selection::at(partition.parse().ok()?, offset.parse().ok()?)));
    let found = place.or_else(|| Some(Selection::of_id(text.parse().ok()?)));
    found.ok_or_else(|| "expected partition and offset, as in 3:1042, or an id of 32 digits".to_owned())
}

pub(super) fn start(given: &Given<Flags>, flags: &RejectsFlags) -> Result<(), Exit> {
    let loaded = given.load::<ProducerSettings>(&given.flags.common, &given.flags.options)?;
    telemetry::start(&loaded.process)?;
    let settings = &loaded.settings;
    let place = Place { log: settings.kafka(), target: settings.target() };
    let mut out = BufWriter::new(io::stdout().lock());
    match &flags.command {
        Command::List { which, json, rows, count } => {
            let form = match (json, rows, count) {
                (true, ..) => Form::Json,
                (_, true, _) => Form::Rows,
                (_, _, true) => Form::Count,
                (false, false, false) => Form::Table,
            };
            place.list(&which.selection(), form, &mut out)
        }
        Command::Show { which, raw } => place.show(which, *raw, &mut out),
        Command::Replay { which, edited, yes } => {
            let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
                .map_err(|error| Exit::from_error(Code::Software, error))?;
            match edited {
                Some(file) => place.send_edited(file, *yes, &shutdown, &mut out),
                None => place.send_again(&which.selection(), *yes, &shutdown, &mut out),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Table,
    Json,
    Rows,
    Count,
}

/// Where the rejects are.
struct Place {
    log: Kafka,
    target: Target,
}

impl Place {
    fn list(&self, selection: &Selection, form: Form, out: &mut impl Write) -> Result<(), Exit> {
        let mut counts = BTreeMap::<RejectCode, u64>::new();
        let (mut written, mut rowless) = (Ok(()), 0);
        rejects::each(&self.log, &self.target, selection, &mut |reject, value| {
            *counts.entry(reject.code).or_default() += 1;
            written = match form {
                Form::Table => writeln!(out, "{}", rejects::line(reject)),
                Form::Json => out.write_all(value).and_then(|()| out.write_all(b"\n")),
                Form::Rows => match rejects::row(reject) {
                    Some(row) => writeln!(out, "{row}"),
                    None => {
                        rowless += 1;
                        Ok(())
                    }
                },
                Form::Count => Ok(()),
            };
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if matches!(form, Form::Count) && written.is_ok() {
            written =
                counts.iter().try_for_each(|(code, count)| writeln!(out, "{count:>10} {}", code.name()));
        }
        if rowless > 0 {
            tracing::warn!(
                rejects = rowless,
                "{rowless} rejects hold no row: `rejects show` has their bytes"
            );
        }
        ended(written.and_then(|()| out.flush()))
    }

    fn show(&self, selection: &Selection, is_raw: bool, out: &mut impl Write) -> Result<(), Exit> {
        let atlas = Atlas::new();
        let mut written = None;
        rejects::each(&self.log, &self.target, selection, &mut |reject, _| {
            written = Some(match is_raw {
                true => out.write_all(&reject.bytes),
                false => out.write_all(details(reject, &plan(reject, &atlas)).as_bytes()),
            });
            ControlFlow::Break(())
        })?;
        let none =
            || Exit::new(Code::NoInput, "there is no such reject: `rejects list` shows those there are");
        ended(written.ok_or_else(none)?.and_then(|()| out.flush()))
    }

    fn send_again(
        &self,
        selection: &Selection,
        is_real: bool,
        shutdown: &Shutdown,
        out: &mut impl Write,
    ) -> Result<(), Exit> {
        let atlas = Atlas::new();
        let mut repairs = Repairs::new(&self.log, &self.target, shutdown, is_real);
        let mut counts = BTreeMap::<(RejectCode, &str), u64>::new();
        let mut taken = Ok(());
        rejects::each(&self.log, &self.target, selection, &mut |reject, _| {
            let plan: Plan = plan(reject, &atlas);
            *counts.entry((reject.code, plan.advice())).or_default() += 1;
            taken = repairs.take(reject, &plan);
            if taken.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        taken?;
        let told = counts.iter().try_for_each(|((code, advice), count)| {
            writeln!(out, "{count:>10} {:<16} {advice}", code.name())
        });
        ended(told)?;
        finish(repairs, is_real, out)
    }

    fn send_edited(
        &self,
        file: &Path,
        is_real: bool,
        shutdown: &Shutdown,
        out: &mut impl Write,
    ) -> Result<(), Exit> {
        let lines: Box<dyn BufRead> = match file.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::new(File::open(file).map_err(|error| {
                Exit::new(Code::NoInput, format!("cannot read {}", file.display())).caused_by(&error)
            })?)),
        };
        let mut repairs = Repairs::new(&self.log, &self.target, shutdown, is_real);
        let (mut told, mut bad) = (Ok(()), 0_u64);
        repairs.take_lines(lines, &Atlas::new(), &mut |edited| {
            bad += 1;
            let rejects::Edited { line, rejection } = edited;
            if told.is_ok() {
                let (code, message) = (rejection.code.name(), rejection.message.escape_debug());
                told = writeln!(out, "line {line}: {code}: {message}");
            }
        })?;
        ended(told)?;
        finish(repairs, is_real, out)?;
        match bad {
            0 => Ok(()),
            _ => Err(Exit::new(
                Code::BadData,
                format!("{bad} rows would be rejected again: edit them once more"),
            )),
        }
    }
}

fn finish(repairs: Repairs<'_, Kafka>, is_real: bool, out: &mut impl Write) -> Result<(), Exit> {
    let rows = repairs.finish()?;
    let told = match is_real {
        true => writeln!(out, "sent {rows} rows"),
        false => writeln!(out, "{rows} rows would be sent: --yes sends them"),
    };
    ended(told.and_then(|()| out.flush()))
}

/// A reader that has gone away (`| head`) is no error.
fn ended(result: io::Result<()>) -> Result<(), Exit> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Exit::from_error(Code::Io, error)),
    }
}
