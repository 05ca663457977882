//! The current aggregates, as `ufo.aggregates` tells them. Any order of records, and any of them again, gives the same.

use domain::{Aggregate, Country, Key, Part, View, wire};
use engine::record::Record;
use hashbrown::{HashMap, HashSet};

use crate::facts::place_text;
use crate::top::Top;

/// What is known of a key, and by which record of its partition.
type Known<K, V> = HashMap<K, (u64, V)>;

/// The views that are charted, and how many keys there are in all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aggregates {
    countries: Known<Option<Country>, Aggregate>,
    months: Known<(Option<Country>, u8), u64>,
    seasons: Known<(Option<Country>, Option<Box<str>>), u64>,
    timeline: Known<(Option<Country>, u16, u8), u64>,
    hours: Known<(Option<Country>, u8), u64>,
    cells: Known<Box<str>, u64>,
    places: Top,
    shapes: Top,
    /// Hashes of all keys: the size of the pipeline's state.
    keys: HashSet<u64>,
    scratch: String,
}

impl Aggregates {
    /// False for a record that no processor wrote.
    pub(crate) fn take(&mut self, record: Record<'_>) -> bool {
        let Some(view) = record.key.and_then(View::of_record_key) else { return false };
        match view {
            // Windows leave the state when they are closed.
            View::Arrivals => return true,
            View::PlaceMonth => {
                self.count_key(record.key);
                return true;
            }
            View::Country | View::Place | View::Month | View::Season => {}
            View::Shape | View::Timeline | View::Hour | View::Cell => {}
        }
        let Some(value) = record.value else { return false };
        let Ok((view, Key(key), aggregate)) = wire::decode_aggregate(value) else { return false };
        self.count_key(record.key);
        self.set(view, &key, record.offset, aggregate).is_some()
    }

    fn count_key(&mut self, key: Option<&[u8]>) {
        let hash = std::hash::BuildHasher::hash_one(self.keys.hasher(), key);
        self.keys.insert(hash);
    }

    fn set(&mut self, view: View, key: &[Part], offset: u64, aggregate: Aggregate) -> Option<()> {
        let count = aggregate.count;
        match (view, key) {
            (View::Country, [country]) => newer(&mut self.countries, code(country)?, offset, aggregate),
            (View::Month, [country, month]) => {
                newer(&mut self.months, (code(country)?, number(month)?), offset, count);
            }
            (View::Season, [country, season]) => {
                let season = text(season)?.map(Into::into);
                newer(&mut self.seasons, (code(country)?, season), offset, count);
            }
            (View::Timeline, [country, year, month]) => {
                newer(&mut self.timeline, (code(country)?, number(year)?, number(month)?), offset, count);
            }
            (View::Hour, [country, weekday, hour]) => {
                let (weekday, hour): (u8, u8) = (number(weekday)?, number(hour)?);
                let of_week = weekday.checked_sub(1)?.checked_mul(24)?.checked_add(hour)?;
                newer(&mut self.hours, (code(country)?, of_week), offset, count);
            }
            (View::Cell, [cell]) => {
                if let Some(cell) = text(cell)? {
                    newer(&mut self.cells, cell.into(), offset, count);
                }
            }
            (View::Place, [country, state, city]) => {
                place_text(text(state)?, text(city)?, &mut self.scratch);
                self.places.set(code(country)?, &self.scratch, count);
            }
            (View::Shape, [country, shape]) => self.shapes.set(code(country)?, text(shape)??, count),
            (View::PlaceMonth | View::Arrivals, _) => {}
            (
                View::Country
                | View::Month
                | View::Season
                | View::Timeline
                | View::Hour
                | View::Cell
                | View::Place
                | View::Shape,
                _,
            ) => return None,
        }
        Some(())
    }

    pub(crate) fn countries(&self) -> impl Iterator<Item = (Option<Country>, &Aggregate)> {
        self.countries.iter().map(|(country, (_, aggregate))| (*country, aggregate))
    }

    /// Country, month from 1, count.
    pub(crate) fn months(&self) -> impl Iterator<Item = (Option<Country>, u8, u64)> {
        self.months.iter().map(|((country, month), (_, count))| (*country, *month, *count))
    }

    pub(crate) fn seasons(&self) -> impl Iterator<Item = (Option<Country>, Option<&str>, u64)> {
        self.seasons.iter().map(|((country, season), (_, count))| (*country, season.as_deref(), *count))
    }

    /// Country, year, month from 1, count.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = (Option<Country>, u16, u8, u64)> {
        self.timeline.iter().map(|((country, year, month), (_, count))| (*country, *year, *month, *count))
    }

    /// Country, hour of the week from Monday 0:00, count.
    pub(crate) fn hours(&self) -> impl Iterator<Item = (Option<Country>, u8, u64)> {
        self.hours.iter().map(|((country, hour), (_, count))| (*country, *hour, *count))
    }

    /// Cell, count; not by country.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&str, u64)> {
        self.cells.iter().map(|(cell, (_, count))| (&**cell, *count))
    }

    /// The largest of each country: country, state and city, count.
    pub(crate) fn places(&self) -> &Top {
        &self.places
    }

    /// The largest of each country.
    pub(crate) fn shapes(&self) -> &Top {
        &self.shapes
    }

    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }
}

/// A key's records lie in one partition: the later one has the whole current value.
fn newer<K: std::hash::Hash + Eq, V>(known: &mut Known<K, V>, key: K, offset: u64, value: V) {
    let entry = known.entry(key);
    match entry {
        hashbrown::hash_map::Entry::Occupied(mut at) if at.get().0 <= offset => {
            at.insert((offset, value));
        }
        hashbrown::hash_map::Entry::Occupied(_) => {}
        hashbrown::hash_map::Entry::Vacant(at) => {
            at.insert((offset, value));
        }
    }
}

/// The outer `None` is a part of another kind.
fn text(part: &Part) -> Option<Option<&str>> {
    match part {
        Part::Text(text) => Some(Some(text)),
        Part::Null => Some(None),
        Part::Number(_) => None,
    }
}

fn code(part: &Part) -> Option<Option<Country>> {
    text(part)?.map_or(Some(None), |code| Some(Some(code.parse().ok()?)))
}

fn number<N: TryFrom<i64>>(part: &Part) -> Option<N> {
    match part {
        Part::Number(number) => N::try_from(*number).ok(),
        Part::Null | Part::Text(_) => None,
    }
}
