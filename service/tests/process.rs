//! The example program as a process: its environment, exit codes, streams and signals.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

/// `target/…/examples/citizen`, beside the folder of this test; `cargo test` builds both.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/citizen");
    assert!(program.exists(), "no {}: `cargo test -p service` builds it", program.display());
    program
}

/// The program in an empty folder, with none of this environment's settings.
fn citizen(folder: &tempfile::TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder.path()).args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    ended(citizen(&folder, arguments, variables).output().unwrap())
}

#[test]
fn check_says_that_the_settings_are_good() {
    let Ended { code, out, err } = run(&["--check"], &[]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "the settings are good (no settings file)\n", ""));
}

#[test]
fn what_is_asked_of_one_run_has_no_variable_and_an_empty_variable_is_none() {
    let Ended { code, out, .. } = run(&["--check"], &[("UFO_PRINT", "1"), ("UFO_PARTITIONS", "")]);
    assert_eq!((code, out.as_str()), (0, "the settings are good (no settings file)\n"));
}

#[test]
fn print_shows_where_settings_came_from_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ufo.toml"), "partitions = 4\n[citizen]\nlog = 'debug'\n").unwrap();
    let variables = [("UFO_PASSWORD", "hush"), ("UFO_BROKERS", "b:1"), ("UFO_QUIET", "1")];
    let Ended { code, out, err } = ended(citizen(&folder, &["--print"], &variables).output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "# settings in force of `citizen` (ufo.toml)\n\
         brokers = \"b:1\"  # UFO_BROKERS\n\
         log = \"debug\"  # ufo.toml [citizen]\n\
         log_format = \"auto\"  # default\n\
         partitions = 4  # ufo.toml\n\
         password = \"***\"  # UFO_PASSWORD\n\
         quiet = true  # UFO_QUIET\n\
         shutdown_grace_ms = 25000  # default\n"
    );
}

#[test]
fn help_is_no_error_and_names_variables_without_their_values() {
    let Ended { code, out, err } = run(&["--help"], &[("UFO_BROKERS", "secret-host:1")]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("--brokers <HOST:PORT>") && out.contains("[env: UFO_BROKERS]"), "{out}");
    assert!(!out.contains("secret-host") && !out.contains("UFO_CHECK") && !out.contains('\u{1b}'), "{out}");
    assert_eq!(run(&["--version"], &[]).out, format!("citizen {}\n", service::VERSION));
}

#[test]
fn a_bad_flag_is_64_a_bad_variable_78() {
    let flag = run(&["--partitions", "many"], &[("UFO_PARTITIONS", "6")]);
    assert_eq!(flag.code, 64, "{}", flag.err);
    assert!(flag.err.starts_with("error: invalid value 'many' for '--partitions <N>'"), "{}", flag.err);
    let unknown = run(&["--partition-count", "6"], &[]);
    assert_eq!(unknown.code, 64);
    let variable = run(&[], &[("UFO_PARTITIONS", "many")]);
    assert_eq!(variable.code, 78, "{}", variable.err);
    assert!(variable.err.starts_with("error: UFO_PARTITIONS: invalid value 'many' for"), "{}", variable.err);
    let range = run(&[], &[("UFO_PARTITIONS", "0")]);
    assert_eq!(
        (range.code, range.err.as_str()),
        (78, "error: `partitions` (UFO_PARTITIONS) must be at least 1\n")
    );
    assert_eq!(run(&["--config", "none.toml"], &[]).code, 78);
    assert_eq!(run(&["--check"], &[("UFO_LISTEN", "here")]).code, 78);
}

/// A running program whose standard error is read line by line.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Returns once the program says that it runs.
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = citizen(&folder, arguments, &[("UFO_LOG", "info")]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut running = Self { child, lines, _folder: folder };
        running.line_with("running");
        running
    }

    fn line_with(&mut self, part: &str) -> String {
        self.lines.by_ref().map(Result::unwrap).find(|line| line.contains(part)).unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn code(mut self) -> Option<i32> {
        for _ in 0..1000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().unwrap();
        panic!("still there after 10 s");
    }
}

#[test]
fn one_signal_ends_in_order_and_logs_are_json_away_from_a_terminal() {
    for signal in ["-TERM", "-INT"] {
        let mut running = Running::start(&[]);
        running.signal(signal);
        let line = running.line_with("stopping");
        assert!(line.starts_with('{') && line.contains(r#""grace_ms":25000"#), "{line}");
        running.line_with(r#""message":"stopped""#);
        assert_eq!(running.code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut running = Running::start(&["--stubborn"]);
    running.signal("-TERM");
    running.line_with("stopping");
    running.signal("-INT");
    assert_eq!(running.code(), Some(130));
}

#[test]
fn who_does_not_stop_is_ended_some_time_after_the_grace_time() {
    let mut running = Running::start(&["--stubborn", "--shutdown-grace-ms", "50"]);
    running.signal("-TERM");
    running.line_with("error: not stopped within 50 ms");
    assert_eq!(running.code(), Some(75));
}

#[cfg(feature = "http")]
#[test]
fn what_is_served_is_there_until_the_end() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let mut child = citizen(&folder, &["--listen", "127.0.0.1:0"], &[]).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut running = Running { child, lines, _folder: folder };
    let line = running.line_with("/metrics are at");
    let address = line.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
    running.line_with("running");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    running.signal("-TERM");
    assert_eq!(running.code(), Some(0));
}

#[cfg(not(feature = "http"))]
#[test]
fn a_listener_that_is_not_built_in_is_refused() {
    let Ended { code, err, .. } = run(&["--listen", "127.0.0.1:0"], &[]);
    assert_eq!(code, 78);
    assert!(err.contains("built without a server"), "{err}");
}
