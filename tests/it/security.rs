//! Brokers and Elasticsearch that let in only whom they know; secrets that nobody sees.

use std::process::Command;

use pipeline_tests::certificates::{Certificates, text};
use pipeline_tests::secured::{PASSWORD, SecuredBroker, USER};
use pipeline_tests::tls::TlsFront;
use pipeline_tests::{Pipeline, Servers, built, said, synthetic};
use tempfile::TempDir;

const GROUP: &str = "security";
/// As Kibana shows it; no other text of the tests has it.
const API_KEY: &str = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHM6bmV2ZXI";
const PROGRAMS: [&str; 4] = ["producer", "processor", "sink", "verify"];

fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program can be started");
    let said = said(&output);
    assert!(!said.contains(PASSWORD) && !said.contains(API_KEY), "a secret is shown: {said}");
    (output.status.code(), said)
}

/// One broker for all of it: it takes longer to start than the tests take.
#[test]
fn the_whole_pipeline_over_tls_with_a_user_and_an_api_key() {
    let Some(servers) = Servers::attached(GROUP) else { return };
    let certificates = Certificates::new();
    let Some(broker) = SecuredBroker::start(GROUP, &certificates) else { return };
    let front = TlsFront::start(&servers.elasticsearch, &certificates, &format!("ApiKey {API_KEY}"));
    let authority = certificates.path("ca.crt");
    let authority = text(&authority);
    let pipeline = Pipeline::new(servers, "secured")
        .by(&broker.by_password)
        .with("UFO_KAFKA_SECURITY", "sasl_ssl")
        .with("UFO_KAFKA_CA", authority)
        .with("UFO_KAFKA_USER", USER)
        .with("UFO_KAFKA_PASSWORD", PASSWORD)
        .with("UFO_ELASTICSEARCH", front.url())
        .with("UFO_ELASTICSEARCH_CA", authority)
        .with("UFO_ELASTICSEARCH_API_KEY", API_KEY)
        .with("UFO_LOG", "debug");
    let folder = TempDir::new().expect("a folder");
    let file = synthetic(folder.path(), 6, 2_000);
    for (program, arguments) in [
        ("producer", vec![file.as_str()]),
        ("processor", vec!["--until-end"]),
        ("sink", vec!["--until-end"]),
        ("verify", vec![file.as_str()]),
    ] {
        let said = pipeline.run(program, &arguments);
        assert!(!said.contains(PASSWORD) && !said.contains(API_KEY), "{program} shows a secret: {said}");
    }
    assert_eq!(front.refused(), Vec::<String>::new(), "each request had its key");

    other_mechanisms(&pipeline, &file);
    a_client_certificate(&pipeline, &broker, &certificates, &file);
    a_wrong_password(&pipeline, &file);
    an_unknown_authority(&pipeline, &certificates, &file);
    strangers_at_elasticsearch(&pipeline, &certificates, &front);
}

fn other_mechanisms(pipeline: &Pipeline, file: &str) {
    for mechanism in ["SCRAM-SHA-512", "PLAIN", "scram-sha-256"] {
        let (code, said) = refused(pipeline.program("producer").args(["--kafka-mechanism", mechanism, file]));
        assert_eq!(code, Some(0), "{mechanism}: {said}");
    }
}

fn a_client_certificate(
    pipeline: &Pipeline,
    broker: &SecuredBroker,
    certificates: &Certificates,
    file: &str,
) {
    let (certificate, key) = (certificates.path("client.crt"), certificates.path("client.key"));
    let by_certificate = pipeline.by(&broker.by_certificate).with("UFO_KAFKA_SECURITY", "ssl");
    let by_certificate = by_certificate.with("UFO_KAFKA_USER", "").with("UFO_KAFKA_PASSWORD", "");
    let mut producer = by_certificate.program("producer");
    producer.args(["--kafka-certificate", text(&certificate), "--kafka-key", text(&key), file]);
    let (code, said) = refused(&mut producer);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = refused(by_certificate.program("producer").arg(file));
    // By its alert, or because the broker hangs up: which of both comes first is not ours to say.
    assert!(matches!(code, Some(77 | 69)), "without its certificate: {code:?} {said}");
}

fn a_wrong_password(pipeline: &Pipeline, file: &str) {
    for program in PROGRAMS {
        let mut command = pipeline.program(program);
        command.env("UFO_KAFKA_PASSWORD", "wrong-and-not-shown");
        if matches!(program, "producer" | "verify") {
            command.arg(file);
        }
        let (code, said) = refused(&mut command);
        assert_eq!(code, Some(77), "{program}: {said}");
        assert!(said.contains("refuses the credentials") && said.contains("UFO_KAFKA_PASSWORD"), "{said}");
        assert!(!said.contains("wrong-and-not-shown"), "{program}: {said}");
    }
}

fn an_unknown_authority(pipeline: &Pipeline, certificates: &Certificates, file: &str) {
    let stranger = certificates.path("stranger.crt");
    let (code, said) = refused(pipeline.program("producer").args(["--kafka-ca", text(&stranger), file]));
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("no common ground in TLS") && said.contains("--kafka-ca"), "{said}");
}

fn strangers_at_elasticsearch(pipeline: &Pipeline, certificates: &Certificates, front: &TlsFront) {
    let until_end = ["--until-end", "--lake", "none"];
    let mut sink = pipeline.program("sink");
    let (code, said) = refused(sink.args(until_end).env("UFO_ELASTICSEARCH_API_KEY", "bm90LXRoZS1rZXk"));
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("refuses the credentials"), "{said}");
    let mut sink = pipeline.program("sink");
    sink.args(until_end).args(["--elasticsearch-user", "elastic"]).env("UFO_ELASTICSEARCH_API_KEY", "");
    let (code, said) = refused(sink.env("UFO_ELASTICSEARCH_PASSWORD", PASSWORD));
    assert_eq!(code, Some(77), "{said}");
    let basic = front.refused().pop().unwrap_or_default();
    assert!(basic.starts_with("Basic "), "user and password are sent as such: {basic}");
    let stranger = certificates.path("stranger.crt");
    let mut sink = pipeline.program("sink");
    let (code, said) = refused(sink.args(until_end).args(["--elasticsearch-ca", text(&stranger)]));
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("is not trusted") && said.contains("--elasticsearch-ca"), "{said}");
}

#[test]
fn secrets_are_in_no_help_and_no_print() {
    for program in PROGRAMS {
        for flag in ["--help", "--print", "--check"] {
            let mut command = Command::new(built(program));
            command.args([flag, "--kafka-security", "sasl_ssl", "--kafka-user", USER]);
            command.env("UFO_KAFKA_PASSWORD", PASSWORD).env("UFO_ELASTICSEARCH_PASSWORD", PASSWORD);
            command.env("UFO_ELASTICSEARCH_API_KEY", API_KEY);
            let (code, said) = refused(&mut command);
            // Elasticsearch's are none of the producer's and the processor's: they pass them over.
            assert_eq!(code, Some(0), "{program} {flag}: {said}");
            let is_hidden = said.contains("kafka_password = \"***\"");
            assert_eq!(is_hidden, flag == "--print", "{program} {flag}: {said}");
        }
    }
}

#[test]
fn properties_of_the_file_are_checked_and_their_secrets_hidden() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ufo.toml");
    let print = |content: &str, flag: &str| {
        std::fs::write(&file, content).expect("written");
        refused(Command::new(built("processor")).args(["--config", text(&file), flag]))
    };
    let content = format!("[properties]\n\"linger.ms\" = 7\n\"ssl.key.password\" = \"{PASSWORD}\"\n");
    let (code, said) = print(&content, "--print");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("\"linger.ms\" = \"7\"") && said.contains("\"ssl.key.password\" = \"***\""),
        "{said}"
    );
    let (code, said) = print("[properties]\n\"lingr.ms\" = 7\n", "--check");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("lingr.ms") && said.contains(text(&file)), "{said}");
}

/// The addresses that programs listen at by themselves: none, or this machine's own.
#[test]
fn nothing_listens_beyond_this_machine_unless_told() {
    for program in PROGRAMS {
        let (code, said) = refused(Command::new(built(program)).arg("--print"));
        assert_eq!(code, Some(0), "{said}");
        for line in said.lines().filter(|line| line.contains("listen") && line.contains('=')) {
            assert!(line.contains("127.0.0.1"), "{program} listens: {line}");
        }
        assert!(!said.contains("0.0.0.0") && !said.contains("[::]"), "{program}: {said}");
    }
}
