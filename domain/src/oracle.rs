//! The plain recomputation: one pass over all records, with nothing but maps. Every run is compared with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::aggregate::Aggregate;
use crate::atlas::Atlas;
use crate::judge::{Outcome, RawRecord, judge};
use crate::raw::SightingId;
use crate::reject::RejectCode;
use crate::view::keys_of;

/// What all records come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub rows: u64,
    /// Exact duplicates, good or bad: counted here and nowhere else.
    pub duplicates: u64,
    pub sightings: u64,
    pub rejects: BTreeMap<RejectCode, u64>,
    /// Every identity met, of sightings and of rejects.
    pub sighting_ids: BTreeSet<SightingId>,
    pub reject_ids: BTreeSet<SightingId>,
    /// By record key of `ufo.aggregates`; the arrivals, which depend on the clock, are not in here.
    pub aggregates: BTreeMap<Vec<u8>, Aggregate>,
}

impl Totals {
    pub fn new() -> Self {
        Self::default()
    }

    /// `rows = sightings + rejects + duplicates` holds after every call.
    pub fn add(&mut self, record: RawRecord<'_>, atlas: &Atlas) {
        self.rows += 1;
        let verdict = judge(record, atlas);
        if self.sighting_ids.contains(&verdict.id) || self.reject_ids.contains(&verdict.id) {
            self.duplicates += 1;
            return;
        }
        match verdict.outcome {
            Outcome::Sighting(sighting) => {
                self.sightings += 1;
                self.sighting_ids.insert(verdict.id);
                let delta = Aggregate::of(&sighting);
                keys_of(&sighting, &mut Vec::new(), |_, key| {
                    self.aggregates.entry(key.to_vec()).or_default().merge(&delta);
                });
            }
            Outcome::Reject(rejection) => {
                *self.rejects.entry(rejection.code).or_default() += 1;
                self.reject_ids.insert(verdict.id);
            }
        }
    }

    /// How many rejects there are, of all codes.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}
