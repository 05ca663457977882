//! Makes the places: large cities as they are, and behind them names of places that do not exist.

use std::collections::HashSet;

use super::Place;
use super::cities::{self, City};
use super::degrees::{Source, micro, push_degrees};
use super::states::{self, Bounds, State};
use super::{abroad, names};
use crate::generate::random::{Random, Weighted};
use crate::generate::text::encoded;

/// Rows of the real file by the country as given. Of the empty ones more than half have a state, and most others a note.
const UNITED_STATES: u64 = 65_114;
const CANADA: u64 = 3_000;
const BRITAIN: u64 = 1_905;
const AUSTRALIA: u64 = 538;
const GERMANY: u64 = 105;
const STATE_ALONE: u64 = 5_650;
const NOTE_ALONE: u64 = 3_570;
const NEITHER: u64 = 450;

/// A place of the tail weighs `1 / (rank + TAIL_OFFSET)`, which fits the real file from its 100th place to its last.
const TAIL_OFFSET: u64 = 216;
const TAIL_SCALE: u64 = 1_000_000_000;
/// A state's place with coordinates on the other side of the world, as a geocoder gives them.
const ASTRAY_PER_1_000: u32 = 12;
const MILLION: u64 = 1_000_000;

pub(super) struct Builder {
    random: Random,
    texts: Vec<u8>,
    /// Names with their states.
    taken: HashSet<(String, &'static str)>,
}

impl Builder {
    /// All groups of places with their weights, and the texts.
    pub(super) fn build() -> (Weighted<Weighted<Place>>, Vec<u8>) {
        let mut builder = Self { random: Random::new(1947), texts: Vec::new(), taken: HashSet::new() };
        let groups = [
            (builder.united_states(), UNITED_STATES),
            (builder.canada(), CANADA),
            (builder.noted(&cities::BRITAIN, &states::BRITAIN, "gb", 700), BRITAIN),
            (builder.noted(&cities::AUSTRALIA, &states::AUSTRALIA, "au", 200), AUSTRALIA),
            (builder.noted(&cities::GERMANY, &states::GERMANY, "de", 60), GERMANY),
            (builder.state_alone(), STATE_ALONE),
            (builder.note_alone(), NOTE_ALONE),
            (builder.neither(), NEITHER),
        ];
        (Weighted::new(groups), builder.texts)
    }

    fn united_states(&mut self) -> Weighted<Place> {
        let tail = 18_000;
        let head: u64 = cities::UNITED_STATES.iter().map(|city| city.4).sum();
        let mut places = Vec::with_capacity(cities::UNITED_STATES.len() + tail);
        for (name, state, latitude, longitude, _) in cities::UNITED_STATES {
            let at = (micro(latitude), micro(longitude));
            places.push(self.place(name, state, "us", at, Source::Gazetteer, false));
        }
        let spread = spread(&states::UNITED_STATES, &cities::UNITED_STATES);
        for _ in 0..tail {
            let (state, bounds) = self.state(&spread);
            let mut name = self.name(state);
            if self.random.permille(40) {
                name = names::noted(&name, &mut self.random);
            }
            let at = self.spot(bounds);
            places.push(self.place(&name, state, "us", at, Source::Gazetteer, false));
        }
        let weights = cities::UNITED_STATES.iter().map(|city| city.4).collect();
        Weighted::new(places.into_iter().zip(with_tail(weights, UNITED_STATES - head, tail)))
    }

    fn canada(&mut self) -> Weighted<Place> {
        let tail = 900;
        let head: u64 = cities::CANADA.iter().map(|city| city.4).sum();
        let mut places = Vec::new();
        for (name, state, latitude, longitude, _) in cities::CANADA {
            let name = format!("{name} (canada)");
            places.push(self.place(
                &name,
                state,
                "ca",
                (micro(latitude), micro(longitude)),
                Source::Geocoder,
                true,
            ));
        }
        let spread = spread(&states::CANADA, &cities::CANADA);
        for _ in 0..tail {
            let (state, bounds) = self.state(&spread);
            let note = if self.random.permille(4) { " (canada" } else { " (canada)" };
            let name = self.name(state) + note;
            let at = self.spot(bounds);
            places.push(self.place(&name, state, "ca", at, Source::Geocoder, true));
        }
        let weights = cities::CANADA.iter().map(|city| city.4).collect();
        Weighted::new(places.into_iter().zip(with_tail(weights, CANADA - head, tail)))
    }

    /// Countries without states: the note says where.
    fn noted(
        &mut self,
        cities: &[City],
        states: &[State],
        country: &'static str,
        tail: usize,
    ) -> Weighted<Place> {
        let note = |region: &str| if country == "gb" { format!("uk/{region}") } else { region.to_owned() };
        let mut places = Vec::new();
        for &(name, region, latitude, longitude, _) in cities {
            let name = format!("{name} ({})", note(region));
            places.push(self.place(
                &name,
                "",
                country,
                (micro(latitude), micro(longitude)),
                Source::Geocoder,
                true,
            ));
        }
        let spread = spread(states, &[]);
        for _ in 0..tail {
            let (region, bounds) = self.state(&spread);
            let name = format!("{} ({})", self.name(region), note(region));
            let at = self.spot(bounds);
            places.push(self.place(&name, "", country, at, Source::Geocoder, true));
        }
        let weights: Vec<u64> = cities.iter().map(|city| city.4).collect();
        // In each of these countries the large cities are about two fifths.
        let rest = weights.iter().sum::<u64>() * 3 / 2;
        Weighted::new(places.into_iter().zip(with_tail(weights, rest, tail)))
    }

    /// A state without its country: what the gazetteer did not find, and therefore hardly ever the same twice.
    fn state_alone(&mut self) -> Weighted<Place> {
        let (american, canadian) = (spread(&states::UNITED_STATES, &[]), spread(&states::CANADA, &[]));
        let places = (0..7_000).map(|_| {
            let is_canadian = self.random.permille(24);
            let (state, bounds) = self.state(if is_canadian { &canadian } else { &american });
            let name = self.name(state);
            let name = names::untidy(&name, &mut self.random);
            let mut at = self.spot(bounds);
            if self.random.permille(ASTRAY_PER_1_000) {
                at = (-at.0, at.1 + 200 * 1_000_000);
            }
            (self.place(&name, state, "", at, Source::Geocoder, false), 1)
        });
        Weighted::new(places.collect::<Vec<_>>())
    }

    fn note_alone(&mut self) -> Weighted<Place> {
        let mut places = Vec::new();
        for (city, note, latitude, longitude, weight) in abroad::NOTED {
            // Half of a country's reports are from its city, the others from around it.
            for near in 0..=12 {
                let (name, spread) = match near {
                    0 => (city.to_owned(), 0),
                    _ => (self.name(note), 30),
                };
                let close = if self.random.permille(6) { "" } else { ")" };
                let mut away = || (i64::from(self.random.below(20_001)) - 10_000) * spread;
                let at = (micro(latitude) + away(), micro(longitude) + away());
                let place = self.place(&format!("{name} ({note}{close}"), "", "", at, Source::Geocoder, true);
                places.push((place, if near == 0 { weight * 12 } else { weight }));
            }
        }
        Weighted::new(places)
    }

    fn neither(&mut self) -> Weighted<Place> {
        let mut places = Vec::new();
        for (name, _, latitude, longitude, weight) in abroad::UNNOTED {
            let at = (micro(latitude), micro(longitude));
            places.push((self.place(name, "", "", at, Source::Geocoder, true), weight));
        }
        Weighted::new(places)
    }

    fn state(&mut self, states: &Weighted<(&'static str, Bounds)>) -> (&'static str, Bounds) {
        *states.draw(&mut self.random)
    }

    /// A name that this state has not yet.
    fn name(&mut self, state: &'static str) -> String {
        loop {
            let name = names::name(&mut self.random);
            if self.taken.insert((name.clone(), state)) {
                return name;
            }
        }
    }

    fn spot(&mut self, (south, west, north, east): Bounds) -> (i64, i64) {
        let mut between = |low: f64, high: f64| {
            let (low, high) = (micro(low), micro(high));
            low + i64::try_from(self.random.below_u64(low.abs_diff(high))).unwrap_or(0)
        };
        (between(south, north), between(west, east))
    }

    fn place(
        &mut self,
        city: &str,
        state: &str,
        country: &str,
        (latitude, longitude): (i64, i64),
        source: Source,
        is_abroad: bool,
    ) -> Place {
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(format!("{},{state},{country}", encoded(city)).as_bytes());
        let middle = self.texts.len() as u32;
        push_degrees(latitude, source, &mut self.texts);
        self.texts.push(b',');
        push_degrees(longitude, source, &mut self.texts);
        Place { names: start..middle, coordinates: middle..self.texts.len() as u32, is_abroad }
    }
}

/// States by the reports that their large cities leave.
fn spread(states: &[State], cities: &[City]) -> Weighted<(&'static str, Bounds)> {
    let total =
        |state: &str| states.iter().filter(|other| other.0 == state).map(|other| other.1).sum::<u64>();
    let of_cities =
        |state: &str| cities.iter().filter(|city| city.1 == state).map(|city| city.4).sum::<u64>();
    Weighted::new(states.iter().map(|(state, reports, bounds)| {
        let left = total(state).saturating_sub(of_cities(state));
        ((*state, *bounds), reports * left / total(state))
    }))
}

/// The weights of the large cities in reports, and behind them a tail of places that weighs `rest` in all.
fn with_tail(head: Vec<u64>, rest: u64, tail: usize) -> Vec<u64> {
    let shape: Vec<u64> = (0..tail as u64).map(|rank| TAIL_SCALE / (rank + TAIL_OFFSET)).collect();
    let total: u64 = shape.iter().sum();
    // In millionths of a report.
    let tail = shape.into_iter().map(|share| share * rest / (total / MILLION));
    head.into_iter().map(|weight| weight * MILLION).chain(tail).collect()
}
