//! What the tests of the whole pipeline stand on: the real servers, and the programs as their users run them.

pub mod broker;
pub mod certificates;
pub mod cluster;
pub mod docker;
pub mod flow;
pub mod http;
pub mod own;
pub mod proxy;
pub mod running;
pub mod secured;
pub mod supervised;
pub mod tls;
pub mod wait;
pub mod watch;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::Topics;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use service::clock;

use running::Running;
use watch::Watch;

/// How long a fact is waited for: as long as a busy machine may take.
pub const LIMIT: Duration = Duration::from_secs(180);

/// How long a whole program may take.
const RUN_LIMIT: Duration = Duration::from_secs(1_800);

/// The servers that the tests run against, attached by environment variables.
#[derive(Clone, Debug)]
pub struct Servers {
    pub brokers: String,
    pub elasticsearch: String,
    pub bucket: String,
}

impl Servers {
    /// `None`, with one plain line, where they are not there; a failure where they have to be.
    ///
    /// # Panics
    /// If `UFO_REQUIRE_SERVERS` is set and a server is not named.
    pub fn attached(group: &str) -> Option<Self> {
        let found = (|| {
            env::var("UFO_S3_ENDPOINT").ok()?;
            Some(Self {
                brokers: env::var("UFO_BROKERS").ok()?,
                elasticsearch: env::var("UFO_ELASTICSEARCH").ok()?,
                bucket: env::var("UFO_TEST_BUCKET").unwrap_or_else(|_| "test".into()),
            })
        })();
        if found.is_none() {
            let missing = "UFO_BROKERS, UFO_ELASTICSEARCH and UFO_S3_ENDPOINT name no servers";
            assert!(env::var_os("UFO_REQUIRE_SERVERS").is_none(), "{group}: {missing}");
            skipped(group, missing);
        }
        found
    }
}

/// One plain line, also where the test runner keeps what passing tests say to itself.
pub fn skipped(group: &str, missing: &str) {
    // Nobody listens: then nobody is misled.
    let _ = writeln!(io::stderr(), "SKIPPED {group}: {missing}");
}

/// A pipeline of its own on the servers: topics, indexes and lake begin with its name.
#[derive(Clone, Debug)]
pub struct Pipeline {
    brokers: String,
    prefix: String,
    variables: Vec<(&'static str, OsString)>,
}

impl Pipeline {
    pub fn new(servers: Servers, name: &str) -> Self {
        let mut pipeline = Self::on(&servers.brokers, name);
        let lake = format!("s3://{}/{}", servers.bucket, pipeline.prefix);
        pipeline.variables =
            vec![("UFO_ELASTICSEARCH", servers.elasticsearch.into()), ("UFO_LAKE", lake.into())];
        pipeline
    }

    /// On these brokers, without any store.
    pub fn on(brokers: &str, name: &str) -> Self {
        // Building them may take longer than any fact is waited for.
        built("processor");
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let off = ["UFO_ELASTICSEARCH", "UFO_LAKE"].map(|store| (store, "none".into()));
        Self {
            brokers: brokers.to_owned(),
            prefix: format!("{name}-{process}-{number}"),
            variables: off.into(),
        }
    }

    /// Every program gets this variable, whatever it was before.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    /// The same pipeline, reached by other addresses.
    #[must_use]
    pub fn by(&self, brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), ..self.clone() }
    }

    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn topics(&self) -> Topics {
        Topics::new(&self.prefix, "v1")
    }

    /// A program with what it needs to find the servers.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(built(name));
        command.args(["--prefix", &self.prefix]).env("UFO_BROKERS", &self.brokers).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a program to its end.
    ///
    /// # Panics
    /// If it fails, or does not come to its end: with what it said.
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let begun = clock::now();
        let mut running = self.running(name, arguments);
        running.ends_well(RUN_LIMIT);
        eprintln!("{}: {name} ran for {:.1?}", self.prefix, begun.elapsed());
        running.said()
    }

    /// Starts a program that goes on until it is killed.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(&self, name: &str, arguments: &[&str]) -> Child {
        let mut command = self.program(name);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program can be started")
    }

    /// Starts a program whose words are kept.
    pub fn running(&self, name: &str, arguments: &[&str]) -> Running {
        Running::start(name, self.program(name).args(arguments))
    }

    /// An observer of the aggregates.
    pub fn watch(&self) -> Watch {
        Watch::start(&self.brokers, &self.topics())
    }

    /// Everything that is left is done, and the ledger drawn up.
    pub fn settle(&self, file: &str) -> String {
        self.run("producer", &[file]);
        self.run("processor", &["--until-end"]);
        if self
            .variables
            .iter()
            .any(|(name, value)| matches!(*name, "UFO_LAKE" | "UFO_ELASTICSEARCH") && value != "none")
        {
            self.run("sink", &["--until-end"]);
        }
        self.run("verify", &[file])
    }
}

/// What is drawn in this run: from the seed that `UFO_SEED` gives, or from a fixed one. It is told, so that the run can be
/// repeated.
pub fn seeded(test: &str) -> (u64, ChaCha8Rng) {
    let seed = env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    eprintln!("{test}: UFO_SEED={seed}");
    (seed, ChaCha8Rng::seed_from_u64(seed))
}

/// A synthetic file of so many rows.
///
/// # Panics
/// If it cannot be written.
pub fn synthetic(folder: &Path, seed: u64, rows: u64) -> String {
    let file = folder.join(format!("rows-{seed}-{rows}.csv"));
    let mut out = Vec::new();
    producer::generate::write_csv(seed, rows, &mut out).expect("memory takes it");
    fs::write(&file, out).expect("written");
    file.to_string_lossy().into_owned()
}

/// Both outputs of a program.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The program's file: one of those in the folder that `UFO_PROGRAMS` names, or built once, as the tests themselves are.
///
/// # Panics
/// If they cannot be built.
pub fn built(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    if let Some(folder) = env::var_os("UFO_PROGRAMS") {
        return PathBuf::from(folder).join(name);
    }
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "-p",
            "producer",
            "-p",
            "processor",
            "-p",
            "sink",
            "-p",
            "verify",
            "-p",
            "dashboards",
        ]);
        build.args(["--features", "processor/failpoints"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the programs can be built");
    });
    let test = env::current_exe().expect("this test is a file");
    test.ancestors().nth(2).expect("target/debug/deps/test").join(name)
}
