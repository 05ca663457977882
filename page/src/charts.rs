//! What each chart shows under a filter: aggregates where they can answer, the sightings themselves where not. Pure.

mod place;
mod when;

use domain::Aggregate;
use serde::Serialize;

use crate::aggregates::Aggregates;
use crate::facts::{Answer, Facts};
use crate::filter::{Filter, UNKNOWN};
use crate::newest::{NewestRejects, NewestSightings};
use crate::table::{Table, Value};

/// The charts that have a table and a download, by the names that their addresses have.
pub(crate) const NAMES: [&str; 11] = [
    "countries",
    "places",
    "months",
    "seasons",
    "shapes",
    "timeline",
    "hours",
    "cells",
    "domestic",
    "sightings",
    "rejects",
];
/// Shapes that are drawn.
const SHAPES_SHOWN: usize = 40;

/// Everything that the charts are made from.
pub(crate) struct Look<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) home: &'a str,
    pub(crate) aggregates: &'a Aggregates,
    pub(crate) facts: &'a Facts,
    /// The facts of this filter, up to date.
    pub(crate) answer: &'a Answer,
    pub(crate) sightings: &'a NewestSightings,
    pub(crate) rejects: &'a NewestRejects,
}

/// The figures above the charts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Totals {
    sightings: u64,
    /// Countries by name: those of unknown country are not in it.
    countries: u64,
    with_duration: u64,
    total_duration_ms: u128,
    max_duration_ms: Option<u64>,
    implausible: u64,
    total_plausible_ms: u128,
    max_plausible_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// What can be chosen: the shapes by how often they are met, the countries likewise, the years.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Choices {
    countries: Vec<(String, u64)>,
    shapes: Vec<(String, u64)>,
    years: Option<(u16, u16)>,
}

impl Look<'_> {
    /// The table of one of [`NAMES`].
    pub(crate) fn table(&self, name: &str) -> Option<Table> {
        Some(match name {
            "countries" => self.countries(),
            "places" => self.places(),
            "months" => self.months(),
            "seasons" => self.seasons(),
            "shapes" => self.shapes(),
            "timeline" => self.timeline(),
            "hours" => self.hours(),
            "cells" => self.cells(),
            "domestic" => self.domestic(),
            "sightings" => self.sightings.table(self.filter),
            "rejects" => self.rejects.table(),
            _ => return None,
        })
    }

    pub(crate) fn totals(&self) -> Totals {
        let (mut all, mut countries) = (Aggregate::empty(), 0);
        let mut add = |country: Option<_>, aggregate: &Aggregate| {
            if self.filter.takes_country(country) && aggregate.count > 0 {
                all.merge(aggregate);
                countries += u64::from(country.is_some());
            }
        };
        match self.filter.needs_facts() {
            true => self.answer.countries().for_each(|(country, aggregate)| add(country, aggregate)),
            false => self.aggregates.countries().for_each(|(country, aggregate)| add(country, aggregate)),
        }
        Totals {
            sightings: all.count,
            countries,
            with_duration: all.with_duration,
            total_duration_ms: all.total_duration_ms,
            max_duration_ms: all.max_duration_ms,
            implausible: all.implausible,
            total_plausible_ms: all.total_plausible_ms,
            max_plausible_ms: all.max_plausible_ms,
            note: self.filter.needs_facts().then(|| self.of_facts()).flatten(),
        }
    }

    pub(crate) fn choices(&self) -> Choices {
        let countries = self.aggregates.countries().filter(|(_, aggregate)| aggregate.count > 0);
        let name = |country: Option<domain::Country>| {
            country.map_or_else(|| UNKNOWN.to_owned(), |of| of.to_string())
        };
        let mut countries: Vec<_> = countries.map(|(country, all)| (name(country), all.count)).collect();
        largest(&mut countries);
        let mut shapes =
            summed(self.aggregates.shapes().iter().map(|(_, shape, count)| (shape.to_owned(), count)));
        largest(&mut shapes);
        shapes.truncate(SHAPES_SHOWN);
        let years = self.aggregates.timeline().map(|(_, year, ..)| year);
        let years = years.fold(None, |found: Option<(u16, u16)>, year| {
            Some(found.map_or((year, year), |(first, last)| (first.min(year), last.max(year))))
        });
        Choices { countries, shapes, years }
    }

    /// For comparison all shapes are there, also where one is chosen.
    fn shapes(&self) -> Table {
        let mut table = Table::new(&["shape", "count"]);
        let by_facts = self.filter.has_years();
        let mut shapes = match by_facts {
            true => summed(self.answer.shapes(self.facts).map(|(shape, count)| (shape.to_owned(), count))),
            false => {
                let ours = self.aggregates.shapes().iter();
                let ours = ours.filter(|(country, ..)| self.filter.takes_country(*country));
                summed(ours.map(|(_, shape, count)| (shape.to_owned(), count)))
            }
        };
        largest(&mut shapes);
        for (shape, count) in shapes.into_iter().take(SHAPES_SHOWN) {
            table.push(vec![Value::Text(shape), count.into()]);
        }
        let note = self.filter.shape.as_ref().map(|shape| format!("All shapes, {shape} marked."));
        table.noted(note).noted(by_facts.then(|| self.of_facts()).flatten())
    }

    /// What is to be said of a chart that is counted from sightings that are not all there.
    fn of_facts(&self) -> Option<String> {
        let (read, left_out) = (self.facts.len(), self.facts.left_out());
        if left_out > 0 {
            return Some(format!(
                "Counted from the first {read} sightings that were read: more are not kept in memory."
            ));
        }
        let all: u64 = self.aggregates.countries().map(|(_, aggregate)| aggregate.count).sum();
        // While rows flow either topic may be a commit ahead.
        let is_behind = u64::try_from(read).unwrap_or(u64::MAX) < all - all / 50;
        is_behind.then(|| format!("Counted from the {read} of {all} sightings read so far."))
    }
}

/// Largest first; among equals by name.
fn largest<N: Ord>(counts: &mut [(N, u64)]) {
    counts.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
}

fn summed<N: Ord>(counts: impl Iterator<Item = (N, u64)>) -> Vec<(N, u64)> {
    let mut sums = std::collections::BTreeMap::new();
    for (name, count) in counts {
        *sums.entry(name).or_insert(0) += count;
    }
    sums.into_iter().collect()
}
