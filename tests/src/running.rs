//! A program that goes on beside its test: what it says is kept, and it can be frozen, woken, stopped and killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::wait;

/// What is shown of a program where its test fails.
const LAST_LINES: usize = 40;

/// What a program says, while it says it.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// Killed when it is dropped.
pub struct Running {
    name: String,
    child: Child,
    lines: Lines,
    keepers: Vec<JoinHandle<()>>,
}

impl Running {
    /// # Panics
    /// If it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let lines = Lines::default();
        let keepers = vec![keep(child.stdout.take(), &lines), keep(child.stderr.take(), &lines)];
        Self { name: name.to_owned(), child, lines, keepers }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// # Panics
    /// If the signal cannot be sent.
    pub fn signal(&self, name: &str) {
        assert!(signal(self.pid(), name), "{} takes {name}", self.name);
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("ended");
    }

    pub(crate) fn kept(&self) -> Lines {
        Arc::clone(&self.lines)
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All that it said, once it has ended.
    pub fn said(mut self) -> String {
        for keeper in self.keepers.drain(..) {
            keeper.join().expect("lines are kept");
        }
        self.lines().join("\n")
    }

    /// How many of its lines hold `part`.
    pub fn told(&self, part: &str) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.contains(part)).count()
    }

    /// Waits until so many of its lines hold `part`.
    pub fn wait_for(&self, part: &str, times: usize, limit: Duration) -> Duration {
        let what = format!("{} says `{part}` {times} times", self.name);
        wait::until(&what, limit, || self.told(part) >= times)
    }

    pub fn has_ended(&mut self) -> bool {
        self.status().is_some()
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked for")
    }

    /// Waits until it has ended by itself: `None` where a signal ended it.
    pub fn code(&mut self, limit: Duration) -> Option<i32> {
        let what = format!("{} ends", self.name);
        wait::until(&what, limit, || self.status().is_some());
        self.status().and_then(|status| status.code())
    }

    /// SIGTERM, and 0 within its time.
    ///
    /// # Panics
    /// If it ends otherwise.
    pub fn stop(&mut self, limit: Duration) {
        self.signal("TERM");
        self.ends_well(limit);
    }

    /// Waits until it has ended by itself, with 0.
    ///
    /// # Panics
    /// If it ends otherwise.
    pub fn ends_well(&mut self, limit: Duration) {
        let code = self.code(limit);
        assert_eq!(code, Some(0), "{}: {:#?}", self.name, self.lines());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            show_last(&self.name, &self.lines);
        }
    }
}

/// Shows the last words of a program whose test fails.
pub fn show_last(name: &str, lines: &Lines) {
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("--- the last words of {name}:");
    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
        eprintln!("{line}");
    }
}

fn keep(from: Option<impl Read + Send + 'static>, lines: &Lines) -> JoinHandle<()> {
    let (from, lines) = (from.expect("piped"), Arc::clone(lines));
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}

/// Whether the process took the signal.
pub fn signal(pid: u32, name: &str) -> bool {
    // The shell's own `kill`, since not every machine has the program.
    let kill = format!("kill -{name} {pid}");
    Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
