//! A pipeline at work: rows come at a steady rate, processors and a sink work under supervision, and an observer watches.

use std::time::Duration;

use tempfile::TempDir;

use crate::supervised::Supervised;
use crate::watch::Watch;
use crate::{LIMIT, Pipeline, synthetic, wait};

pub struct Flow {
    pub pipeline: Pipeline,
    pub producer: Supervised,
    pub processors: Vec<Supervised>,
    pub sink: Supervised,
    pub watch: Watch,
    rows: u64,
    file: String,
    folder: TempDir,
}

impl Flow {
    /// Programs reach the brokers by `brokers`; the observer, and the ledger at the end, by `straight`.
    pub fn start(name: &str, straight: &str, brokers: &str, (seed, rows, rate): (u64, u64, u32)) -> Self {
        let folder = TempDir::new().expect("a folder");
        let pipeline = Pipeline::on(straight, name).with("UFO_LAKE", folder.path().join("lake"));
        let file = synthetic(folder.path(), seed, rows);
        let faulty = pipeline.by(brokers);
        Self {
            watch: pipeline.watch(),
            producer: Supervised::start(&faulty, "producer", &["--rate", &rate.to_string(), &file]),
            processors: (0..2).map(|_| Supervised::start(&faulty, "processor", &[])).collect(),
            sink: Supervised::start(&faulty, "sink", &[]),
            pipeline,
            rows,
            file,
            folder,
        }
    }

    /// Waits until readers see so many sightings in the aggregates.
    pub fn wait_for(&self, sightings: u64) -> Duration {
        let what = format!("{sightings} sightings are in the aggregates");
        wait::until(&what, LIMIT, || self.watch.sightings() >= sightings)
    }

    /// Waits until readers see so many sightings more than now, or nearly all that there are.
    pub fn wait_for_more(&self, sightings: u64) -> Duration {
        let nearly_all = self.rows * 9 / 10;
        self.wait_for((self.watch.sightings() + sightings).min(nearly_all))
    }

    /// Lets everything come to its end, and draws up the ledger.
    ///
    /// # Panics
    /// If something is missing, twice, or went back meanwhile.
    pub fn finish(self) {
        self.producer.wait(LIMIT);
        for program in self.processors.into_iter().chain([self.sink, self.producer]) {
            for end in program.ends() {
                eprintln!("{}: ended by itself: {end}", self.pipeline.prefix());
            }
            program.stop();
        }
        self.pipeline.settle(&self.file);
        assert!(self.watch.finish() > 0, "nothing was seen");
        drop(self.folder);
    }
}
