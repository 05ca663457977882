//! Servers of a test's own, which may be frozen, killed and started again: the scripts that `UFO_SERVERS` names start
//! them, on ports and in a folder of their own.

use std::env;
use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::{running, skipped, wait};

/// Where the scripts keep what they have fetched, unless they are told otherwise.
const STACK_DEFAULT: &str = "/var/tmp/pipeline-servers";
const END_LIMIT: Duration = Duration::from_secs(60);
/// Below the ports that systems give to outgoing connections: one of those could take a server's place while it is down.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// The scripts' folder; `None`, with one plain line, where there is none.
///
/// # Panics
/// If `UFO_REQUIRE_SERVERS` is set and it is not named.
pub fn scripts(group: &str) -> Option<PathBuf> {
    let folder = env::var_os("UFO_SERVERS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    if folder.is_none() {
        let missing = "UFO_SERVERS names no scripts that start servers";
        assert!(env::var_os("UFO_REQUIRE_SERVERS").is_none(), "{group}: {missing}");
        skipped(group, missing);
    }
    folder
}

/// A port that nobody listens at.
///
/// # Panics
/// If none is free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() * 7 % u32::from(PORTS)).unwrap_or(0);
    (0..PORTS)
        .map(|_| FIRST_PORT + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A folder whose servers end with the test, however it ends, and which is gone then; `UFO_KEEP=1` keeps the servers' files.
pub struct Folder {
    path: PathBuf,
    /// Waits for the end of its input, which comes when this process is gone.
    guardian: Child,
}

impl Folder {
    /// # Panics
    /// If it cannot be made.
    pub fn new() -> Self {
        let path = tempfile::Builder::new().prefix("ufo-own-").tempdir().expect("a folder").keep();
        let clean = "read _; for f in \"$1\"/run/*.pid; do kill -9 \"$(cat \"$f\")\"; done; [ -n \"$UFO_KEEP\" ] || rm -rf \"$1\"";
        let guardian = Command::new("sh")
            .args(["-c", clean, "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What interrupts the test must not end its guardian.
            .process_group(0)
            .spawn()
            .expect("a shell");
        Self { path, guardian }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// One server process.
pub struct Server {
    script: PathBuf,
    variables: Vec<(&'static str, OsString)>,
    pid_file: PathBuf,
}

impl Server {
    /// Not started yet. `kind` is its folder among the scripts.
    pub fn new(
        scripts: &Path,
        kind: &str,
        pid_file: PathBuf,
        folder: &Folder,
        variables: Vec<(&'static str, OsString)>,
    ) -> Self {
        let mut variables = variables;
        variables.push(("STACK", folder.path().into()));
        Self { script: scripts.join(kind).join("start.sh"), variables, pid_file }
    }

    /// What the scripts have fetched.
    pub fn fetched(part: &str) -> OsString {
        let stack = env::var_os("STACK").unwrap_or_else(|| STACK_DEFAULT.into());
        Path::new(&stack).join(part).into_os_string()
    }

    /// The server's own tools, where its scripts have such.
    pub fn tool(&self) -> Command {
        let mut command = Command::new(self.script.with_file_name("tool.sh"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Begins to start it.
    ///
    /// # Panics
    /// If the script cannot be run.
    pub fn starting(&self) -> Child {
        let mut command = Command::new(&self.script);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the script can be run")
    }

    /// Starts it, and returns when it answers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&self) {
        started(self.starting());
    }

    /// # Panics
    /// If it was never started.
    pub fn pid(&self) -> u32 {
        let read = || -> io::Result<Option<u32>> {
            Ok(std::fs::read_to_string(&self.pid_file)?.trim().parse().ok())
        };
        read().ok().flatten().expect("its pid is in its file")
    }

    /// # Panics
    /// If it is not there.
    pub fn signal(&self, name: &str) {
        assert!(running::signal(self.pid(), name), "{} takes {name}", self.pid_file.display());
    }

    pub fn is_there(&self) -> bool {
        running::signal(self.pid(), "0")
    }

    /// Ends it by this signal, and returns when it is gone.
    pub fn end(&self, signal: &str) {
        self.signal(signal);
        wait::until("the server is gone", END_LIMIT, || !self.is_there());
    }
}

/// Waits for a script that [`Server::starting`] has begun.
///
/// # Panics
/// If the server did not start.
pub fn started(script: Child) {
    let output = script.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "the server starts: {}", String::from_utf8_lossy(&output.stderr));
}
