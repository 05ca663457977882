//! A log with input, and a lake: a folder of its own, or a prefix of its own on S3.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use delta::{Lake, Table};
use service::{Shutdown, clock};
use sink::lake::path::Tables;
use sink::lake::{LakeError, LakeFacts, LakeSettings, lake_facts_of, run_lake};

use crate::input::Input;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) input: Input,
    pub(crate) lake: Lake,
    /// Gone with the world.
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        Self { input: Input::new(), lake, _folder: Some(folder) }
    }

    /// Every place that is there to be tested on.
    pub(crate) fn all() -> Vec<Self> {
        std::iter::once(Self::local()).chain(Self::bucket()).collect()
    }

    /// A prefix of its own in the bucket `UFO_S3_BUCKET` (`test`), by the `AWS_*` variables.
    fn bucket() -> Option<Self> {
        static ONCE: Once = Once::new();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let missing = match std::env::var_os("UFO_S3_ENDPOINT") {
            None => "UFO_S3_ENDPOINT is not set",
            Some(_) if !cfg!(feature = "s3") => "built without the feature s3",
            Some(_) => {
                let bucket = std::env::var("UFO_S3_BUCKET").unwrap_or_else(|_| "test".into());
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let url = format!("s3://{bucket}/sink-{}-{}-{number}", std::process::id(), clock::unix_ms());
                return Some(Self { input: Input::new(), lake: Lake::open(&url).unwrap(), _folder: None });
            }
        };
        assert!(std::env::var_os("UFO_REQUIRE_SERVERS").is_none(), "{missing}, and UFO_REQUIRE_SERVERS is");
        // Past the capture of the test harness: what was not run is told also where everything passes.
        ONCE.call_once(|| {
            let _ = writeln!(io::stderr(), "SKIPPED sink's lake on S3: {missing}");
        });
        None
    }

    pub(crate) fn settings(&self) -> LakeSettings {
        LakeSettings::new(self.input.topics.clone(), self.lake.clone())
    }

    /// Runs until everything is in.
    pub(crate) fn catch_up(&self) {
        self.run(&self.settings()).unwrap();
    }

    pub(crate) fn run(&self, settings: &LakeSettings) -> Result<(), LakeError> {
        run_lake(&self.input.log, settings, Some(&AtomicBool::new(true)), &Shutdown::new())
    }

    /// Runs beside `check`, until it returns.
    pub(crate) fn beside<T>(&self, settings: &LakeSettings, check: impl FnOnce() -> T) -> T {
        let shutdown = Shutdown::new();
        thread::scope(|scope| {
            let running = scope.spawn(|| run_lake(&self.input.log, settings, None, &shutdown));
            // Also where the check panics: otherwise its scope would wait for ever.
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
            shutdown.request();
            running.join().unwrap().unwrap();
            checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    pub(crate) fn facts(&self) -> LakeFacts {
        lake_facts_of(&self.lake, &self.input.topics).unwrap()
    }

    pub(crate) fn tables(&self) -> Tables {
        Tables::new(&self.input.topics)
    }

    pub(crate) fn table(&self, name: &str) -> Option<Table> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Table::open(self.lake.store.clone(), self.lake.table(name))).unwrap()
    }

    /// Every record once, and the aggregates to the digit.
    pub(crate) fn assert_exact(&self) {
        let facts = self.facts();
        let raw_topic = self.input.topics.raw();
        let rows: Vec<_> =
            facts.bronze.iter().map(|((topic, number), facts)| (topic, *number, *facts)).collect();
        let expected: Vec<_> = self
            .input
            .raw
            .iter()
            .map(|(number, rows)| {
                let facts = sink::lake::BronzeFacts { rows: *rows, max_offset: rows - 1 };
                (&raw_topic, *number, facts)
            })
            .collect();
        assert_eq!(rows, expected, "bronze");
        let sorted = |ids: &[domain::SightingId]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        assert_eq!(facts.sightings.len(), self.input.sightings.len(), "rows of silver");
        assert_eq!(sorted(&facts.sightings), sorted(&self.input.sightings));
        assert_eq!(sorted(&facts.rejects), sorted(&self.input.rejects));
        let mut aggregates = facts.aggregates;
        aggregates.sort_by(|one, two| one.0.cmp(&two.0));
        let expected: Vec<_> = self.input.aggregates.clone().into_iter().collect();
        assert!(aggregates == expected, "gold: {} rows for {} keys", aggregates.len(), expected.len());
    }
}

/// Waits until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end: Instant = clock::now() + PATIENCE;
    while !is_so() {
        assert!(clock::now() < end, "not within {PATIENCE:?}: {what}");
        clock::pause(Duration::from_millis(5));
    }
}
