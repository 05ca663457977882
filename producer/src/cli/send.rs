//! `producer FILE…`: sends files, and shows how far it is.

use std::io::{self, IsTerminal as _};

use service::exit::{Code, Exit};
use service::http::{self, Watched};
use service::settings::Given;
use service::{Health, Metrics, Shutdown, clock, telemetry};

use super::{Flags, ProducerSettings};
use crate::files::{Synthetic, files};
use crate::metrics::ProducerMetrics;
use crate::progress::{Manner, Screen};
use crate::publish::{Progress, PublishSettings, ensure_topics, publish};

pub(super) fn start(given: &Given<Flags>) -> Result<(), Exit> {
    let loaded = given.load::<ProducerSettings>(&given.flags.common, &given.flags.options)?;
    let screen = Screen::new(Manner::of(loaded.process.quiet, io::stderr().is_terminal()));
    let beside = screen.clone();
    telemetry::start_with(&loaded.process, move || beside.log_writer())?;
    let shutdown = Shutdown::on_signals(loaded.process.shutdown_grace())
        .map_err(|error| Exit::from_error(Code::Software, error))?;
    let settings = &loaded.settings;
    let synthetic = settings.synthetic.map(|rows| {
        let folder = settings.data.clone();
        Synthetic { rows, seed: settings.seed, folder }
    });
    let watched = Watched { health: Health::new(["log"]), metrics: Metrics::new(), shutdown };
    let _server = http::listen(&loaded.process, watched.clone())?;
    let files = files(&given.flags.files, synthetic.as_ref())?;
    if files.is_empty() {
        let message = "name at least one CSV file, a folder with some, or - for standard input";
        return Err(Exit::new(Code::Usage, message));
    }
    let log = settings.kafka();
    let mut publishing = PublishSettings::new(settings.topics(), settings.log.partitions);
    publishing.rate = settings.rate;
    publishing.limit = settings.limit;
    ensure_topics(&log, &publishing)?;
    watched.health.ready("log");
    let metrics = ProducerMetrics::registered(&watched.metrics);
    for file in &files {
        let mut shown = screen.show(&file.display().to_string());
        let begun = clock::now();
        let mut before = Progress::default();
        let result = publish(&log, file, &publishing, &watched.shutdown, &mut |progress| {
            metrics.committed(&std::mem::replace(&mut before, *progress), progress);
            shown.show(progress, begun.elapsed());
        });
        drop(shown);
        let progress = result?;
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(
            rows = progress.sent,
            passed_over = progress.passed_over,
            "sent {} rows of {} in {seconds:.1} s; {} were in already",
            progress.sent,
            file.display(),
            progress.passed_over
        );
        if let Some(limit) = &mut publishing.limit {
            *limit = limit.saturating_sub(progress.sent);
        }
        if watched.shutdown.is_requested() {
            break;
        }
    }
    Ok(())
}
