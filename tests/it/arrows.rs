//! Which crate may know which: docs/architecture.md as a test.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Each crate of ours, and those of ours that it may depend on.
const ARROWS: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("engine", &[]),
    ("delta", &[]),
    ("service", &["engine"]),
    ("kafka", &["engine", "service"]),
    ("embedded", &["engine"]),
    ("producer", &["domain", "engine", "service", "kafka"]),
    ("processor", &["domain", "engine", "service", "kafka"]),
    ("sink", &["domain", "engine", "service", "kafka", "delta", "page"]),
    ("page", &["domain", "engine", "service"]),
    ("verify", &["domain", "engine", "service", "kafka", "delta", "producer", "processor", "sink"]),
    (
        "local",
        &[
            "domain",
            "engine",
            "service",
            "embedded",
            "delta",
            "page",
            "producer",
            "processor",
            "sink",
            "verify",
        ],
    ),
    ("dashboards", &["service", "sink"]),
    ("benches", &["domain", "producer"]),
    ("pipeline-tests", &["domain", "engine", "kafka", "producer", "service"]),
];

/// What the pure crates must not be able to do: wait, talk to servers, log.
const IMPURE: [&str; 8] =
    ["tokio", "rdkafka", "object_store", "reqwest", "hyper", "tracing", "elasticsearch", "futures"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Name and normal dependencies of each crate of ours.
fn packages() -> Vec<(String, BTreeSet<String>)> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let normal = |package: &Value| {
        let dependencies = list(&package["dependencies"]);
        dependencies.iter().filter(|one| one["kind"].is_null()).map(|one| text(&one["name"])).collect()
    };
    list(&metadata["packages"]).iter().map(|package| (text(&package["name"]), normal(package))).collect()
}

#[test]
fn crates_know_only_what_they_may() {
    let packages = packages();
    let ours: BTreeSet<_> = packages.iter().map(|(name, _)| name.clone()).collect();
    let named: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ours, named, "every crate has its line here");
    for (name, dependencies) in &packages {
        let (_, allowed) = ARROWS.iter().find(|(of, _)| of == name).expect("it has its line");
        for dependency in dependencies.intersection(&ours) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn pure_crates_can_do_no_input_or_output() {
    for (name, dependencies) in packages() {
        let impure: &[&str] = match name.as_str() {
            "domain" => &IMPURE,
            // The engine logs what it recovers from.
            "engine" => &["tokio", "rdkafka", "object_store", "reqwest", "hyper", "elasticsearch", "futures"],
            _ => &[],
        };
        for one in impure {
            assert!(!dependencies.contains(*one), "{name} must not depend on {one}");
        }
    }
}

/// `cargo run` on a fresh machine builds no client of a server.
#[test]
fn the_embedded_default_stays_small() {
    let tree = cargo(&["tree", "-p", "local", "-e", "normal", "--prefix", "none", "--format", "{p}"]);
    let built: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for client in ["rdkafka", "elasticsearch", "reqwest", "rustls", "kafka"] {
        assert!(!built.contains(client), "`cargo run` builds {client}");
    }
    assert!(built.contains("redb"), "the tree is that of the embedded default");
}
