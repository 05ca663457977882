//! What is wrong gets one clear message and its exit code.

use std::process::Command;

use pipeline_tests::{Pipeline, Servers, built, said};

fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program can be started");
    (output.status.code(), said(&output))
}

#[test]
fn an_unreachable_broker() {
    for program in ["producer", "processor", "sink"] {
        let mut command = Command::new(built(program));
        command.args(["--brokers", "127.0.0.1:1"]);
        if program == "producer" {
            command.arg("-");
        }
        let (code, said) = refused(&mut command);
        assert_eq!(code, Some(69), "{program}: {said}");
        assert!(said.contains("127.0.0.1:1") && said.contains("UFO_BROKERS"), "{program}: {said}");
    }
}

#[test]
fn a_setting_that_cannot_be() {
    let (code, said) = refused(Command::new(built("processor")).args(["--partitions", "0", "--check"]));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("partitions"), "{said}");
}

#[test]
fn another_partition_count() {
    let Some(servers) = Servers::attached("wrong settings, partitions") else { return };
    let pipeline = Pipeline::new(servers, "partitions");
    pipeline.run("processor", &["--partitions", "2", "--until-end"]);
    let (code, said) = refused(pipeline.program("processor").args(["--partitions", "3"]));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("has 2 partitions, not the 3"), "{said}");
}

#[test]
fn an_unreachable_elasticsearch_and_a_missing_bucket() {
    let Some(servers) = Servers::attached("wrong settings, stores") else { return };
    let pipeline = Pipeline::new(servers, "stores");
    let mut sink = pipeline.program("sink");
    let (code, said) = refused(sink.args(["--elasticsearch", "http://127.0.0.1:1", "--lake", "none"]));
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains("127.0.0.1:1"), "{said}");
    let mut sink = pipeline.program("sink");
    let (code, said) = refused(sink.args(["--elasticsearch", "none", "--lake", "s3://no-such-bucket/x"]));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("bucket no-such-bucket does not exist"), "{said}");
    let mut sink = pipeline.program("sink");
    sink.env("AWS_SECRET_ACCESS_KEY", "wrong");
    let (code, said) = refused(sink.args(["--elasticsearch", "none"]));
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("credentials"), "{said}");
}
