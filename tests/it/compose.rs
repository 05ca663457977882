//! `docker compose up` and nothing else, with kills and a second start.

use std::env;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use pipeline_tests::docker::{self, free_port, programs_image, root, succeed, wait_for};
use pipeline_tests::said;
use tempfile::TempDir;

const ROWS: u32 = 20_000;
/// So that there is a middle.
const RATE: u32 = 3_000;
const FILE: &str = "/data/synthetic-20000-1.csv";
const UP_LIMIT: Duration = Duration::from_secs(240);
const LEDGER_LIMIT: Duration = Duration::from_secs(180);

/// A stack of its own, gone when it is dropped.
struct Stack {
    name: String,
    image: String,
    input: TempDir,
    ports: [u16; 4],
}

impl Stack {
    fn new() -> Self {
        let name = format!("ufotest{}", std::process::id());
        let ports = [free_port(), free_port(), free_port(), free_port()];
        Self { name, image: programs_image(), input: TempDir::new().expect("a folder"), ports }
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        if is_plugin() {
            command.arg("compose");
        } else {
            command = Command::new("docker-compose");
        }
        command.current_dir(root()).args(["-p", &self.name, "-f", "docker-compose.yml"]);
        if let Ok(file) = env::var("UFO_COMPOSE_OVERRIDE") {
            command.args(["-f", &file]);
        }
        let [kafka, elasticsearch, minio, page] = self.ports.map(|port| port.to_string());
        let (rows, rate) = (ROWS.to_string(), RATE.to_string());
        let variables = [
            ("UFO_IMAGE", self.image.as_str()),
            ("UFO_INPUT", self.input.path().to_str().expect("a name")),
            ("UFO_SYNTHETIC", rows.as_str()),
            ("UFO_RATE", rate.as_str()),
            ("KAFKA_PORT", kafka.as_str()),
            ("ELASTICSEARCH_PORT", elasticsearch.as_str()),
            ("MINIO_PORT", minio.as_str()),
            ("PAGE_PORT", page.as_str()),
        ];
        command.envs(variables).args(arguments).stdin(Stdio::null());
        // Those of the other tests' servers.
        for variable in ["UFO_BROKERS", "UFO_ELASTICSEARCH", "UFO_PREFIX", "AWS_ENDPOINT_URL"] {
            command.env_remove(variable);
        }
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        succeed(&mut self.compose(arguments))
    }

    /// Without Kibana, for which there is an image only where a registry is.
    fn up(&self, more: &[&str]) {
        let mut arguments = vec!["up", "-d"];
        arguments.extend(more);
        arguments.extend(["producer", "processor", "sink"]);
        self.run(&arguments);
    }

    fn count(&self, index: &str) -> Result<u64, String> {
        let url = format!("http://127.0.0.1:{}/{index}/_count", self.ports[1]);
        let output = Command::new("curl").args(["-s", &url]).output().map_err(|error| error.to_string())?;
        let body: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        body["count"].as_u64().ok_or_else(|| body.to_string())
    }

    fn counts(&self) -> [u64; 3] {
        let refreshed = |index| {
            let url = format!("http://127.0.0.1:{}/{index}/_refresh", self.ports[1]);
            succeed(Command::new("curl").args(["-s", "-X", "POST", &url]));
            self.count(index).expect("it is counted")
        };
        ["ufo-sightings", "ufo-rejects", "ufo-aggregates"].map(refreshed)
    }

    /// The ledger over file, log, index and lake, once everything has arrived.
    fn ledger(&self) {
        wait_for("the ledger", LEDGER_LIMIT, || {
            let output = self.compose(&["run", "--rm", "-T", "verify", "verify", FILE]).output();
            ok(output.expect("it can be started"))
        });
    }

    fn wait_until_healthy(&self, service: &str) {
        wait_for(service, UP_LIMIT, || {
            let containers = self.run(&["ps", "-q", service]);
            let states = containers.lines().filter(|id| id.len() >= 12).map(|id| {
                let format = "{{.State.Health.Status}}";
                succeed(Command::new("docker").args(["inspect", "-f", format, id])).trim().to_owned()
            });
            let states: Vec<_> = states.collect();
            let is_healthy = !states.is_empty() && states.iter().all(|state| state == "healthy");
            if is_healthy { Ok(()) } else { Err(format!("{states:?}")) }
        });
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.compose(&["logs", "--no-color", "--tail", "40"]).output();
            eprintln!("{}", logs.map(|output| said(&output)).unwrap_or_default());
        }
        let _ = self.compose(&["down", "-v", "--remove-orphans"]).output();
        if env::var_os("UFO_IMAGE").is_none() {
            let _ = Command::new("docker").args(["rmi", &self.image]).output();
        }
    }
}

/// Compose v2; without it the program of its first version is there.
fn is_plugin() -> bool {
    static IS_PLUGIN: OnceLock<bool> = OnceLock::new();
    *IS_PLUGIN.get_or_init(|| {
        let version = Command::new("docker").args(["compose", "version"]).output();
        version.is_ok_and(|output| output.status.success())
    })
}

fn ok(output: Output) -> Result<(), String> {
    if output.status.success() { Ok(()) } else { Err(said(&output)) }
}

#[test]
fn compose_up_is_all_it_takes_whatever_is_killed() {
    if !docker::is_there("compose") {
        return;
    }
    let stack = Stack::new();
    stack.up(&["--scale", "processor=2"]);
    wait_for("the first documents", UP_LIMIT, || match stack.count("ufo-sightings") {
        Ok(0) => Err("none".into()),
        other => other,
    });
    let in_the_middle = stack.count("ufo-sightings").expect("it is counted");
    stack.run(&["kill", "-s", "KILL", "processor"]);
    stack.run(&["restart", "-t", "5", "sink"]);
    stack.up(&["--scale", "processor=2"]);
    assert!(
        in_the_middle < u64::from(ROWS) / 2,
        "{in_the_middle} were there: nothing was killed in the middle"
    );
    stack.ledger();
    let figures = stack.counts();
    for service in ["processor", "sink"] {
        stack.wait_until_healthy(service);
    }

    stack.run(&["down"]);
    stack.up(&[]);
    stack.wait_until_healthy("sink");
    wait_for("the second run", UP_LIMIT, || {
        let logs = stack.run(&["logs", "--no-color", "producer"]);
        if logs.contains(&format!("{ROWS} were in already")) { Ok(()) } else { Err(logs) }
    });
    stack.ledger();
    assert_eq!(stack.counts(), figures, "a second start adds nothing");

    stack.run(&["down", "-v"]);
    let filter = format!("label=com.docker.compose.project={}", stack.name);
    for kind in ["volume", "container", "network"] {
        let left = succeed(Command::new("docker").args([kind, "ls", "-q", "--filter", &filter]));
        assert_eq!(left.trim(), "", "{kind}s are left");
    }
}

#[test]
fn nothing_is_reachable_from_outside_and_memory_is_bounded() {
    let file = fs::read_to_string(root().join("docker-compose.yml")).expect("it is there");
    let published: Vec<_> = file
        .lines()
        .filter(|line| line.trim_start().starts_with("- \"") && line.contains("PORT:-"))
        .collect();
    assert!(published.len() >= 7, "{published:?}");
    for line in published {
        assert!(line.contains("\"127.0.0.1:"), "{line}");
    }
    let mut total = 0;
    let (mut limit, mut is_extra) = (0, false);
    for line in file.lines().chain(["  end:"]) {
        let is_service = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_service || line == "volumes:" {
            total += if is_extra { 0 } else { limit };
            (limit, is_extra) = (0, false);
        }
        is_extra |= line.contains("profiles:");
        if let Some(value) = line.trim().strip_prefix("memory: ") {
            limit = value.trim_end_matches('M').parse::<u32>().expect("megabytes");
        }
    }
    assert!((3_000..=4_096).contains(&total), "{total} MB");
}
