//! Servers of the test's own, in containers: from the file to documents and lake, and from one processor to three.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pipeline_tests::docker::{self, free_port, image, succeed, wait_for};
use pipeline_tests::{Pipeline, Servers};
use tempfile::TempDir;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, ContainerRequest, GenericImage, ImageExt};

const ROWS: u64 = 20_000;
const START_LIMIT: Duration = Duration::from_secs(240);
const KEY: &str = "ufotest";
const SECRET: &str = "ufotest-secret";
const KAFKA: u16 = 19_092;
const ELASTICSEARCH: u16 = 9_200;
const MINIO: u16 = 9_000;

/// Broker, Elasticsearch and MinIO; they end with it.
struct World {
    servers: Servers,
    minio_port: u16,
    _containers: [Container<GenericImage>; 3],
}

impl World {
    fn start() -> Self {
        let (kafka, elasticsearch, minio) = (free_port(), free_port(), free_port());
        let start = |request: ContainerRequest<GenericImage>| request.start().expect("the server starts");
        let containers = [start(broker(kafka)), start(search(elasticsearch)), start(store(minio))];
        // Each says by itself when it is there: images of other makers have no health check, or another log.
        wait_for("Elasticsearch", START_LIMIT, || {
            curl(&format!("http://127.0.0.1:{elasticsearch}/_cluster/health"))
        });
        wait_for("MinIO", START_LIMIT, || curl(&format!("http://127.0.0.1:{minio}/minio/health/ready")));
        let servers = Servers {
            brokers: format!("127.0.0.1:{kafka}"),
            elasticsearch: format!("http://127.0.0.1:{elasticsearch}"),
            bucket: "containers".into(),
        };
        Self { servers, minio_port: minio, _containers: containers }
    }
}

fn generic(variable: &str, inside: u16) -> GenericImage {
    let (name, tag) = image(variable);
    GenericImage::new(name, tag).with_exposed_port(inside.tcp()).with_wait_for(WaitFor::seconds(1))
}

/// A broker has to know how it is reached from outside, so the port is chosen before.
fn broker(port: u16) -> ContainerRequest<GenericImage> {
    let advertised = format!("internal://127.0.0.1:9092,external://127.0.0.1:{port}");
    let broker = generic("REDPANDA_IMAGE", KAFKA)
        .with_startup_timeout(START_LIMIT)
        .with_mapped_port(port, KAFKA.tcp());
    if !image("REDPANDA_IMAGE").0.contains("redpanda") {
        return broker
            .with_env_var("KAFKA_ADVERTISED_HOST", "127.0.0.1")
            .with_env_var("KAFKA_ADVERTISED_PORT", port.to_string());
    }
    broker.with_cmd([
        "redpanda".to_owned(),
        "start".into(),
        "--mode=dev-container".into(),
        "--smp=1".into(),
        "--memory=640M".into(),
        "--kafka-addr=internal://0.0.0.0:9092,external://0.0.0.0:19092".into(),
        format!("--advertise-kafka-addr={advertised}"),
    ])
}

fn search(port: u16) -> ContainerRequest<GenericImage> {
    let search = generic("ELASTICSEARCH_IMAGE", ELASTICSEARCH).with_startup_timeout(START_LIMIT);
    let search =
        search.with_mapped_port(port, ELASTICSEARCH.tcp()).with_env_var("discovery.type", "single-node");
    search.with_env_var("xpack.security.enabled", "false").with_env_var("ES_JAVA_OPTS", "-Xms512m -Xmx512m")
}

fn store(port: u16) -> ContainerRequest<GenericImage> {
    let store =
        generic("MINIO_IMAGE", MINIO).with_startup_timeout(START_LIMIT).with_mapped_port(port, MINIO.tcp());
    let store = store.with_env_var("MINIO_ROOT_USER", KEY).with_env_var("MINIO_ROOT_PASSWORD", SECRET);
    store.with_cmd(["server", "/data"])
}

fn curl(url: &str) -> Result<(), String> {
    let output =
        Command::new("curl").args(["-fsS", "-m", "3", url]).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A pipeline on these servers.
struct Run {
    pipeline: Pipeline,
    endpoint: String,
}

impl Run {
    fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.pipeline.program(name);
        command.args(arguments).env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_ALLOW_HTTP", "true");
        command
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1");
        command
    }

    fn run(&self, name: &str, arguments: &[&str]) -> String {
        succeed(&mut self.program(name, arguments))
    }

    fn start(&self, name: &str) -> Child {
        let mut command = self.program(name, &[]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program can be started")
    }
}

#[test]
fn from_one_processor_to_three_on_servers_in_containers() {
    if !docker::is_there("containers") {
        return;
    }
    let world = World::start();
    let endpoint = format!("http://127.0.0.1:{}", world.minio_port);
    let run = Run { pipeline: Pipeline::new(world.servers.clone(), "containers"), endpoint };
    wait_for("the setup", START_LIMIT, || {
        let output = run.program("sink", &["--setup"]).output().expect("it can be started");
        if output.status.success() { Ok(()) } else { Err(pipeline_tests::said(&output)) }
    });
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path());

    let mut running = vec![run.start("processor"), run.start("sink")];
    run.run("producer", &["--limit", "8000", &file]);
    running.extend([run.start("processor"), run.start("processor")]);
    run.run("producer", &["--rate", "4000", &file]);
    for mut child in running {
        child.kill().expect("kill -9");
        child.wait().expect("ended");
    }
    run.run("processor", &["--until-end"]);
    run.run("sink", &["--until-end"]);
    run.run("verify", &[&file]);
    // A setup changes nothing that is there.
    run.run("sink", &["--setup"]);
    run.run("verify", &[&file]);
}

fn synthetic(folder: &Path) -> String {
    let file = folder.join("rows.csv");
    let mut rows = Vec::new();
    producer::generate::write_csv(5, ROWS, &mut rows).expect("memory takes it");
    fs::write(&file, rows).expect("written");
    file.to_string_lossy().into_owned()
}
