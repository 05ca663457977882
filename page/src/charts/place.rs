//! Where: countries, places, the cells of the map, and the country called home.

use domain::{Aggregate, Country};
use serde::Serialize;

use super::{Look, largest};
use crate::cells::middle;
use crate::facts::place_parts;
use crate::table::{Table, Value};

const PLACES_SHOWN: usize = 100;
const HOME_PLACES_SHOWN: usize = 5;
/// More than any run has filled; a bound for what is sent.
const CELLS_SHOWN: usize = 10_000;

const COUNTRIES: &[&str] = &[
    "country",
    "count",
    "longest_ms",
    "longest_plausible_ms",
    "mean_ms",
    "mean_plausible_ms",
    "total_ms",
    "total_rank",
    "total_plausible_ms",
    "total_plausible_rank",
];

/// The country called home, by itself; no filter changes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Home {
    country: String,
    count: u64,
    /// 1 for the country with the most sightings; none without sightings.
    rank: Option<usize>,
    countries: usize,
    total_duration_ms: u128,
    total_rank: Option<usize>,
    max_duration_ms: Option<u64>,
    max_plausible_ms: Option<u64>,
    all: u64,
    /// State, city, count.
    places: Vec<(Option<String>, Option<String>, u64)>,
}

impl Look<'_> {
    /// For comparison all countries are there, also where one is chosen. The rank is that of the total time, as in the end all
    /// countries' totals are compared.
    pub(super) fn countries(&self) -> Table {
        let by_facts = self.filter.needs_facts();
        let mut rows: Vec<(Option<Country>, &Aggregate)> = match by_facts {
            true => self.answer.countries().collect(),
            false => self.aggregates.countries().collect(),
        };
        rows.sort_unstable_by(|left, right| {
            right.1.count.cmp(&left.1.count).then_with(|| left.0.cmp(&right.0))
        });
        let (by_time, by_plausible) =
            (ranks(&rows, |all| all.total_duration_ms), ranks(&rows, |all| all.total_plausible_ms));
        let mut table = Table::new(COUNTRIES);
        for (country, all) in rows.iter().filter(|(_, all)| all.count > 0) {
            table.push(vec![
                country.as_ref().map(Country::as_str).into(),
                all.count.into(),
                all.max_duration_ms.into(),
                all.max_plausible_ms.into(),
                all.mean_duration_ms().into(),
                all.mean_plausible_ms().into(),
                all.total_duration_ms.into(),
                rank(&by_time, all.total_duration_ms).into(),
                all.total_plausible_ms.into(),
                rank(&by_plausible, all.total_plausible_ms).into(),
            ]);
        }
        let note = self.filter.country.is_some().then(|| "All countries, yours marked.".to_owned());
        table.noted(note).noted(by_facts.then(|| self.of_facts()).flatten())
    }

    pub(super) fn places(&self) -> Table {
        let by_facts = self.filter.needs_facts();
        let mut rows: Vec<((Option<Country>, &str), u64)> = match by_facts {
            true => self
                .answer
                .places(self.facts)
                .map(|(country, place, count)| ((country, place), count))
                .collect(),
            false => {
                let all = self.aggregates.places().iter();
                let ours = all.filter(|(country, ..)| self.filter.takes_country(*country));
                ours.map(|(country, place, count)| ((country, place), count)).collect()
            }
        };
        shorten(&mut rows, PLACES_SHOWN);
        let mut table = Table::new(&["country", "state", "city", "count"]);
        for ((country, place), count) in rows {
            let (state, city) = place_parts(place);
            table.push(vec![
                country.as_ref().map(Country::as_str).into(),
                state.into(),
                city.into(),
                count.into(),
            ]);
        }
        table.noted(by_facts.then(|| self.of_facts()).flatten())
    }

    /// The view knows no country of a cell: with one, cells are counted from the sightings.
    pub(super) fn cells(&self) -> Table {
        let by_facts = self.filter.needs_facts() || self.filter.country.is_some();
        let mut rows: Vec<(String, u64)> = match by_facts {
            true => self.answer.cells().map(|(cell, count)| (self.facts.cells.name(cell), count)).collect(),
            false => self.aggregates.cells().map(|(cell, count)| (cell.to_owned(), count)).collect(),
        };
        shorten(&mut rows, CELLS_SHOWN);
        let mut table = Table::new(&["cell", "count", "lat", "lon"]);
        for (cell, count) in rows {
            let (lat, lon) = middle(&cell)
                .map_or((Value::Null, Value::Null), |(lat, lon)| (Value::Degrees(lat), Value::Degrees(lon)));
            table.push(vec![Value::Text(cell), count.into(), lat, lon]);
        }
        table.noted(by_facts.then(|| self.of_facts()).flatten())
    }

    pub(crate) fn home(&self) -> Home {
        let is_home = |country: &Option<Country>| country.as_ref().is_some_and(|of| of.as_str() == self.home);
        let known: Vec<_> =
            self.aggregates.countries().filter(|(of, all)| of.is_some() && all.count > 0).collect();
        let own = known.iter().find(|(country, _)| is_home(country)).map(|(_, all)| **all);
        let rank_by = |of: fn(&Aggregate) -> u128| {
            let own = own.as_ref().map(of)?;
            Some(1 + known.iter().filter(|(_, all)| of(all) > own).count())
        };
        let places = self.aggregates.places().iter().filter(|(country, ..)| is_home(country));
        let mut places: Vec<_> = places.map(|(_, place, count)| (place, count)).collect();
        shorten(&mut places, HOME_PLACES_SHOWN);
        let own_or_none = own.unwrap_or_default();
        Home {
            country: self.home.to_owned(),
            count: own_or_none.count,
            rank: rank_by(|all| all.count.into()),
            countries: known.len(),
            total_duration_ms: own_or_none.total_duration_ms,
            total_rank: rank_by(|all| all.total_duration_ms),
            max_duration_ms: own_or_none.max_duration_ms,
            max_plausible_ms: own_or_none.max_plausible_ms,
            all: self.aggregates.countries().map(|(_, all)| all.count).sum(),
            places: places
                .into_iter()
                .map(|(place, count)| {
                    let (state, city) = place_parts(place);
                    (state.map(ToOwned::to_owned), city.map(ToOwned::to_owned), count)
                })
                .collect(),
        }
    }
}

/// The largest only, largest first.
fn shorten<N: Ord>(rows: &mut Vec<(N, u64)>, max: usize) {
    if rows.len() > max {
        rows.select_nth_unstable_by(max, |left, right| {
            right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0))
        });
        rows.truncate(max);
    }
    largest(rows);
}

/// Largest first.
fn ranks(rows: &[(Option<Country>, &Aggregate)], of: fn(&Aggregate) -> u128) -> Vec<u128> {
    let mut times: Vec<_> = rows.iter().map(|(_, all)| of(all)).collect();
    times.sort_unstable_by(|left, right| right.cmp(left));
    times
}

/// Equal times have the same rank.
fn rank(times: &[u128], time: u128) -> u64 {
    1 + u64::try_from(times.partition_point(|other| *other > time)).unwrap_or(u64::MAX)
}
