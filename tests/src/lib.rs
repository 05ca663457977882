//! What the tests of the whole pipeline stand on: the real servers, and the programs as their users run them.

pub mod docker;

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;

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
            eprintln!("SKIPPED {group}: {missing}");
        }
        found
    }
}

/// A pipeline of its own on the servers: topics, indexes and lake begin with its name.
#[derive(Clone, Debug)]
pub struct Pipeline {
    servers: Servers,
    prefix: String,
}

impl Pipeline {
    pub fn new(servers: Servers, name: &str) -> Self {
        let unique = std::process::id();
        Self { servers, prefix: format!("{name}-{unique}") }
    }

    /// A program with what it needs to find the servers.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(built(name));
        command
            .args(["--prefix", &self.prefix])
            .env("UFO_BROKERS", &self.servers.brokers)
            .stdin(Stdio::null());
        if matches!(name, "sink" | "verify") {
            let lake = format!("s3://{}/{}", self.servers.bucket, self.prefix);
            command.env("UFO_ELASTICSEARCH", &self.servers.elasticsearch).env("UFO_LAKE", lake);
        }
        command
    }

    /// Runs a program to its end.
    ///
    /// # Panics
    /// If it fails: with what it said.
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.program(name).args(arguments).output().expect("the program can be started");
        assert!(output.status.success(), "{name} {arguments:?}\n{}", said(&output));
        said(&output)
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
}

/// Both outputs of a program.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The program's file; all of them are built once, as the tests themselves are.
///
/// # Panics
/// If they cannot be built.
pub fn built(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "producer", "-p", "processor", "-p", "sink", "-p", "verify", "-p", "dashboards"]);
        assert!(build.status().expect("cargo runs").success(), "the programs can be built");
    });
    let test = env::current_exe().expect("this test is a file");
    test.ancestors().nth(2).expect("target/debug/deps/test").join(name)
}
