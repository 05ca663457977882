//! What a filter's sightings come to, in one pass: kept, and brought up to date by the sightings that came since.

use domain::{Aggregate, Country, Season, Sighting};

use super::{CHUNK_ROWS, Fact, Facts, NONE_CELL, NONE_DURATION};
use crate::filter::Filter;

/// The contract's `duration_implausible`: over seven days.
const PLAUSIBLE_MAX_MS: u64 = 7 * 24 * 3_600_000;
const HOURS: usize = 7 * 24;

/// Half of the world; not known without a location. Latitude 0 counts as north.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hemisphere {
    North,
    South,
    Unknown,
}

impl Hemisphere {
    pub(super) fn of(sighting: &Sighting<'_>) -> Self {
        match sighting.location {
            Some(location) if location.lat() < 0.0 => Self::South,
            Some(_) => Self::North,
            None => Self::Unknown,
        }
    }

    fn latitude(self) -> Option<f64> {
        match self {
            Self::North => Some(1.0),
            Self::South => Some(-1.0),
            Self::Unknown => None,
        }
    }
}

/// Counts by everything that is charted. Where a chart compares (countries, shapes), its own part of the filter is left out.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    filter: Filter,
    /// Sightings looked at.
    seen: usize,
    countries: Vec<(Option<Country>, Aggregate)>,
    shapes: Vec<u64>,
    places: Vec<u32>,
    cells: Vec<u32>,
    hours: Vec<u64>,
    /// By hemisphere, then month.
    months: [[u64; 12]; 3],
    /// By `year * 12 + month - 1`.
    timeline: Vec<u32>,
}

impl Answer {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            seen: 0,
            countries: Vec::new(),
            shapes: vec![0; 256],
            places: Vec::new(),
            cells: Vec::new(),
            hours: vec![0; HOURS],
            months: [[0; 12]; 3],
            timeline: Vec::new(),
        }
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Takes in what came since.
    pub(crate) fn advance(&mut self, facts: &Facts) {
        self.places.resize(facts.places.len(), 0);
        self.cells.resize(usize::from(u16::MAX), 0);
        let takes_shape: Vec<bool> =
            (0..=u8::MAX).map(|shape| self.filter.takes_shape(facts.shape_name(shape))).collect();
        let mut skip = self.seen % CHUNK_ROWS;
        for chunk in facts.chunks.iter().skip(self.seen / CHUNK_ROWS) {
            for fact in chunk.iter().skip(skip) {
                self.take(facts, fact, &takes_shape);
            }
            skip = 0;
        }
        self.seen = facts.len();
    }

    fn take(&mut self, facts: &Facts, fact: &Fact, takes_shape: &[bool]) {
        if !self.filter.takes_year(fact.year) {
            return;
        }
        let country = facts.places[fact.place as usize].country;
        let (is_country, is_shape) =
            (self.filter.takes_country(country), takes_shape[usize::from(fact.shape)]);
        if is_shape {
            let duration = (fact.duration != NONE_DURATION).then(|| facts.durations[fact.duration as usize]);
            self.country(country).merge(&aggregate(duration));
        }
        if is_country {
            self.shapes[usize::from(fact.shape)] += 1;
        }
        if !(is_country && is_shape) {
            return;
        }
        self.places[fact.place as usize] += 1;
        if fact.cell != NONE_CELL {
            self.cells[usize::from(fact.cell)] += 1;
        }
        self.hours[usize::from(fact.hour)] += 1;
        self.months[fact.hemisphere as usize][usize::from(fact.month - 1)] += 1;
        let month = usize::from(fact.year) * 12 + usize::from(fact.month - 1);
        if self.timeline.len() <= month {
            self.timeline.resize(month + 1, 0);
        }
        self.timeline[month] += 1;
    }

    /// Few of them, and nearly always the first.
    fn country(&mut self, country: Option<Country>) -> &mut Aggregate {
        let found = self.countries.iter().position(|(known, _)| *known == country);
        let place = found.unwrap_or_else(|| {
            self.countries.push((country, Aggregate::empty()));
            self.countries.len() - 1
        });
        &mut self.countries[place].1
    }

    pub(crate) fn countries(&self) -> impl Iterator<Item = (Option<Country>, &Aggregate)> {
        self.countries.iter().map(|(country, aggregate)| (*country, aggregate))
    }

    pub(crate) fn shapes<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = (&'a str, u64)> {
        let shapes = (0..=u8::MAX).zip(&self.shapes).filter(|(_, count)| **count > 0);
        shapes.map(|(number, count)| (facts.shape_name(number), *count))
    }

    /// Country, state and city, count.
    pub(crate) fn places<'a>(
        &'a self,
        facts: &'a Facts,
    ) -> impl Iterator<Item = (Option<Country>, &'a str, u64)> {
        let places = facts.places.iter().zip(&self.places).filter(|(_, count)| **count > 0);
        places.map(|(place, count)| (place.country, &*place.text, u64::from(*count)))
    }

    /// The cell's number, count.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..u16::MAX).zip(&self.cells).filter(|(_, count)| **count > 0).map(|(cell, n)| (cell, u64::from(*n)))
    }

    /// 168 counts, from Monday 0:00 on.
    pub(crate) fn hours(&self) -> &[u64] {
        &self.hours
    }

    pub(crate) fn months(&self, hemisphere: Hemisphere) -> &[u64; 12] {
        &self.months[hemisphere as usize]
    }

    /// Season, count; without a location there is no season.
    pub(crate) fn seasons(&self) -> [(Option<Season>, u64); 5] {
        let mut counts =
            [Some(Season::Winter), Some(Season::Spring), Some(Season::Summer), Some(Season::Autumn), None]
                .map(|season| (season, 0));
        for hemisphere in [Hemisphere::North, Hemisphere::South, Hemisphere::Unknown] {
            for (month, count) in (1..).zip(self.months(hemisphere)) {
                let season = hemisphere.latitude().map(|latitude| Season::of(month, latitude));
                if let Some((_, sum)) = counts.iter_mut().find(|(of, _)| *of == season) {
                    *sum += count;
                }
            }
        }
        counts
    }

    /// Year, month, count.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = (u16, u8, u64)> {
        let months = (0..).zip(&self.timeline).filter(|(_, count)| **count > 0);
        months.map(|(at, count): (u32, _)| {
            let (year, month) = (at / 12, at % 12 + 1);
            (u16::try_from(year).unwrap_or(0), u8::try_from(month).unwrap_or(1), u64::from(*count))
        })
    }
}

/// One sighting of this duration.
fn aggregate(duration_ms: Option<u64>) -> Aggregate {
    let plausible = duration_ms.filter(|ms| *ms <= PLAUSIBLE_MAX_MS);
    Aggregate {
        count: 1,
        with_duration: u64::from(duration_ms.is_some()),
        total_duration_ms: duration_ms.unwrap_or(0).into(),
        max_duration_ms: duration_ms,
        implausible: u64::from(duration_ms.is_some() && plausible.is_none()),
        total_plausible_ms: plausible.unwrap_or(0).into(),
        max_plausible_ms: plausible,
        first_occurred_at: None,
        last_occurred_at: None,
    }
}
