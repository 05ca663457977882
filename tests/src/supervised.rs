//! A program under supervision: whenever it ends with an error, or is killed, it is started again.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use service::clock;

use crate::running::{Lines, Running, show_last, signal};
use crate::{Pipeline, wait};

const LOOK: Duration = Duration::from_millis(20);
const RESTART_PAUSE: Duration = Duration::from_millis(200);
const STOP_LIMIT: Duration = Duration::from_secs(60);

struct Shared {
    name: String,
    pid: AtomicU32,
    starts: AtomicU32,
    is_over: AtomicBool,
    is_done: AtomicBool,
    /// How it ended each time, and its last words.
    ends: Mutex<Vec<String>>,
    lines: Mutex<Lines>,
}

/// Stopped when it is dropped.
pub struct Supervised {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Supervised {
    pub fn start(pipeline: &Pipeline, name: &str, arguments: &[&str]) -> Self {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            pid: AtomicU32::new(0),
            starts: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            is_done: AtomicBool::new(false),
            ends: Mutex::default(),
            lines: Mutex::default(),
        });
        let (supervised, pipeline) = (Arc::clone(&shared), pipeline.clone());
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let thread = thread::spawn(move || supervised.go_on(&pipeline, &arguments));
        Self { shared, thread: Some(thread) }
    }

    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// How often it was started so far.
    pub fn starts(&self) -> u32 {
        self.shared.starts.load(Ordering::Acquire)
    }

    /// `kill -9`: false where nothing of it runs at the moment.
    pub fn kill(&self) -> bool {
        let pid = self.shared.pid.load(Ordering::Acquire);
        pid != 0 && signal(pid, "KILL")
    }

    /// Whether it has ended with 0 by itself.
    pub fn is_done(&self) -> bool {
        self.shared.is_done.load(Ordering::Acquire)
    }

    /// How it ended each time that it was not asked to.
    pub fn ends(&self) -> Vec<String> {
        self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has ended with 0 by itself.
    pub fn wait(&self, limit: Duration) {
        let what = format!("{} is done", self.shared.name);
        wait::until(&what, limit, || self.is_done());
    }

    /// SIGTERM, and no further start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if thread::panicking() {
            eprintln!("--- {} ended {:?}", self.shared.name, self.ends());
            show_last(&self.shared.name, &self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "{} ends in order", self.shared.name);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn go_on(&self, pipeline: &Pipeline, arguments: &[String]) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        while !self.is_over.load(Ordering::Acquire) {
            let mut running = pipeline.running(&self.name, &arguments);
            *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = running.kept();
            self.pid.store(running.pid(), Ordering::Release);
            self.starts.fetch_add(1, Ordering::AcqRel);
            let code = self.until_ended(&mut running);
            self.pid.store(0, Ordering::Release);
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            if code == Some(0) {
                self.is_done.store(true, Ordering::Release);
                return;
            }
            let last = running.lines().pop().unwrap_or_default();
            let end = code.map_or_else(|| "killed".to_owned(), |code| format!("{code}: {last}"));
            self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
            clock::pause(RESTART_PAUSE);
        }
    }

    fn until_ended(&self, running: &mut Running) -> Option<i32> {
        while !running.has_ended() {
            if self.is_over.load(Ordering::Acquire) {
                running.signal("TERM");
                break;
            }
            clock::pause(LOOK);
        }
        running.code(STOP_LIMIT)
    }
}
