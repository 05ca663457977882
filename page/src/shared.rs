//! What the readers fill and the answers are made from. Each part has its own lock; whoever takes several takes them in the
//! order in which they are listed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::PageSettings;
use crate::aggregates::Aggregates;
use crate::charts::{Look, NAMES};
use crate::facts::{Answer, Facts};
use crate::filter::Filter;
use crate::flow::Flow;
use crate::newest::{NewestRejects, NewestSightings};
use crate::rendered::{Part, Rendered};
use crate::table::Table;

/// Filters whose counts are kept up to date: one is a scan of all sightings when it is met first.
const ANSWERS_MAX: usize = 6;
/// Filters whose JSON is kept, for several who look at the same.
const RENDERED_MAX: usize = 6;

/// Shared by the readers and by all connections; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: PageSettings,
    rendered: Mutex<Vec<(Filter, Arc<Rendered>)>>,
    aggregates: Mutex<Aggregates>,
    sightings: Mutex<Sightings>,
    rejects: Mutex<NewestRejects>,
    flow: Mutex<Flow>,
    reading: Mutex<BTreeMap<&'static str, Reading>>,
    /// Grows with every change.
    revision: watch::Sender<u64>,
}

#[derive(Debug)]
pub(crate) struct Sightings {
    pub(crate) facts: Facts,
    pub(crate) newest: NewestSightings,
    /// The one used last comes last.
    answers: Vec<Answer>,
}

impl Sightings {
    fn bring_up_to_date(&mut self, filter: &Filter) {
        let known = self.answers.iter().position(|answer| answer.filter() == filter);
        let mut answer =
            known.map_or_else(|| Answer::new(filter.clone()), |place| self.answers.remove(place));
        answer.advance(&self.facts);
        self.answers.push(answer);
        if self.answers.len() > ANSWERS_MAX {
            self.answers.remove(0);
        }
    }
}

/// How much of what was there when the page began has been read, in offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reading {
    pub(crate) read: u64,
    pub(crate) total: u64,
}

/// What the page is about.
#[derive(Serialize)]
struct Meta<'a> {
    home: &'a str,
    prefix: &'a str,
    generation: &'a str,
    sightings_kept: usize,
    reading: BTreeMap<&'static str, Reading>,
}

impl Shared {
    pub(crate) fn new(settings: PageSettings) -> Self {
        let facts = Facts::new(settings.facts_max);
        Self(Arc::new(Inner {
            settings,
            rendered: Mutex::default(),
            aggregates: Mutex::default(),
            sightings: Mutex::new(Sightings {
                facts,
                newest: NewestSightings::default(),
                answers: Vec::new(),
            }),
            rejects: Mutex::default(),
            flow: Mutex::default(),
            reading: Mutex::default(),
            revision: watch::Sender::new(0),
        }))
    }

    pub(crate) fn settings(&self) -> &PageSettings {
        &self.0.settings
    }

    pub(crate) fn aggregates(&self) -> MutexGuard<'_, Aggregates> {
        held(&self.0.aggregates)
    }

    pub(crate) fn sightings(&self) -> MutexGuard<'_, Sightings> {
        held(&self.0.sightings)
    }

    pub(crate) fn rejects(&self) -> MutexGuard<'_, NewestRejects> {
        held(&self.0.rejects)
    }

    pub(crate) fn flow(&self) -> MutexGuard<'_, Flow> {
        held(&self.0.flow)
    }

    pub(crate) fn read(&self, topic: &'static str, reading: Reading) {
        held(&self.0.reading).insert(topic, reading);
    }

    /// Something was read: whoever waits is told.
    pub(crate) fn changed(&self) {
        self.0.revision.send_modify(|revision| *revision += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// The table of a chart; nothing for a name that none has.
    pub(crate) fn table(&self, name: &str, filter: &Filter) -> Option<Table> {
        self.look(filter, |look| look.table(name))
    }

    /// Everything that the page shows under this filter, now.
    pub(crate) fn rendered(&self, filter: &Filter) -> Arc<Rendered> {
        // Held while it is made: others who want the same wait for it instead of making it again.
        let mut kept = held(&self.0.rendered);
        let revision = *self.0.revision.borrow();
        let known = kept.iter().position(|(of, _)| of == filter);
        if let Some(place) = known {
            let (filter, rendered) = kept.remove(place);
            if rendered.revision == revision {
                kept.push((filter, Arc::clone(&rendered)));
                return rendered;
            }
        }
        let rendered = Arc::new(self.render(filter, revision));
        kept.push((filter.clone(), Arc::clone(&rendered)));
        if kept.len() > RENDERED_MAX {
            kept.remove(0);
        }
        rendered
    }

    fn render(&self, filter: &Filter, revision: u64) -> Rendered {
        let (mut parts, cells) = self.look(filter, |look| {
            let mut parts = vec![
                Part::new("totals", &look.totals()),
                Part::new("choices", &look.choices()),
                Part::new("home", &look.home()),
            ];
            let mut cells = Vec::new();
            for name in NAMES {
                let Some(table) = look.table(name) else { continue };
                if name == "cells" {
                    cells = table
                        .rows
                        .iter()
                        .filter_map(|row| row.first()?.text().map(ToOwned::to_owned))
                        .collect();
                }
                parts.push(Part::new(name, &table));
            }
            (parts, cells)
        });
        let (keys, codes) = (self.aggregates().keys(), self.rejects().by_code().collect());
        let sightings_kept = self.sightings().facts.len();
        {
            let flow = self.flow();
            parts.push(Part::new("flow", &flow.shown(keys, codes)));
            parts.push(Part::new("metrics", &flow.metrics()));
            parts.push(Part::new("history", &flow.history()));
        }
        let settings = &self.0.settings;
        parts.push(Part::new(
            "meta",
            &Meta {
                home: &settings.home,
                prefix: settings.topics.prefix(),
                generation: settings.topics.generation(),
                sightings_kept,
                reading: held(&self.0.reading).clone(),
            },
        ));
        Rendered { revision, parts, cells }
    }

    fn look<T>(&self, filter: &Filter, of: impl FnOnce(&Look<'_>) -> T) -> T {
        let aggregates = self.aggregates();
        let mut sightings = self.sightings();
        sightings.bring_up_to_date(filter);
        let rejects = self.rejects();
        let answer = sightings.answers.last().expect("it was pushed there");
        of(&Look {
            filter,
            home: &self.0.settings.home,
            aggregates: &aggregates,
            facts: &sightings.facts,
            answer,
            sightings: &sightings.newest,
            rejects: &rejects,
        })
    }
}

/// A reader that panicked leaves whole records behind: each is taken in one step.
fn held<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
