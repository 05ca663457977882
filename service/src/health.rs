//! Whether the process lives and is ready, and if not, why: what a supervisor asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The state of a process, shared by its parts; clones are the same state.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Why the process cannot go on; it should be started again.
    dead: Option<String>,
    /// The parts that must be ready, with why they are not.
    parts: BTreeMap<&'static str, Option<String>>,
}

impl Health {
    /// Ready once each of these parts has said so (`broker`, `state`, `lake`, …). Without parts: ready at once.
    pub fn new(parts: impl IntoIterator<Item = &'static str>) -> Self {
        let parts = parts.into_iter().map(|part| (part, Some("starting".to_owned()))).collect();
        Self(Arc::new(Mutex::new(State { dead: None, parts })))
    }

    pub fn ready(&self, part: &'static str) {
        self.state().parts.insert(part, None);
    }

    /// Said without secrets: anyone who can reach the listener reads it.
    pub fn not_ready(&self, part: &'static str, why: impl Into<String>) {
        self.state().parts.insert(part, Some(why.into()));
    }

    /// Something ended that must not, such as a worker: only a new start helps. The first reason stays.
    pub fn dead(&self, why: impl Into<String>) {
        self.state().dead.get_or_insert(why.into());
    }

    pub fn report(&self) -> Report {
        let state = self.state();
        let waiting = state.parts.iter().filter_map(|(part, why)| Some((*part, why.clone()?)));
        Report { dead: state.dead.clone(), waiting: waiting.collect() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state at one moment; shown as one line for each reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub dead: Option<String>,
    /// What is not ready, and why.
    pub waiting: Vec<(&'static str, String)>,
}

impl Report {
    pub fn is_live(&self) -> bool {
        self.dead.is_none()
    }

    pub fn is_ready(&self) -> bool {
        self.is_live() && self.waiting.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.dead, self.is_ready()) {
            (Some(why), _) => writeln!(f, "dead: {why}")?,
            (None, true) => writeln!(f, "ready")?,
            (None, false) => writeln!(f, "not ready")?,
        }
        self.waiting.iter().try_for_each(|(part, why)| writeln!(f, "{part}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_every_part_is() {
        let health = Health::new(["broker", "lake"]);
        health.ready("broker");
        assert_eq!(health.report().to_string(), "not ready\nlake: starting\n");
        assert!(health.report().is_live());
        health.clone().ready("lake");
        assert!(health.report().is_ready());
        health.not_ready("broker", "no answer for 5 s");
        assert_eq!(health.report().to_string(), "not ready\nbroker: no answer for 5 s\n");
    }

    #[test]
    fn without_parts_it_is_ready_at_once() {
        assert!(Health::default().report().is_ready());
    }

    #[test]
    fn the_dead_are_not_ready_and_keep_their_first_reason() {
        let health = Health::new([]);
        health.dead("worker 2 panicked");
        health.dead("worker 1 panicked");
        let report = health.report();
        assert!(!report.is_live() && !report.is_ready());
        assert_eq!(report.to_string(), "dead: worker 2 panicked\n");
    }
}
