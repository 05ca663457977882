//! Synthetic rows with the real file's skews and its dirt. Pure: the same seed and number of rows give the same bytes on
//! every machine.

mod tables;

use std::io::{self, Write};

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tables::{
    ABROAD, CITIES, DURATIONS, ENDINGS, MONTH_WEIGHTS, OPENINGS, SHAPES, SIGHTS, STATES, SYLLABLES,
};

/// As in the Kaggle file, trailing blank included.
const HEADER: &str = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,date posted,latitude,longitude \n";

/// One row in so many is a copy of the row before it.
const DUPLICATE_EVERY: u64 = 2_500;
/// One row in so many has no date; one in so many has a field too many.
const BAD_DATE_EVERY: u64 = 4_000;
const WRONG_WIDTH_EVERY: u64 = 9_000;

/// Writes a whole file: a header and `rows` rows.
pub fn write_csv(seed: u64, rows: u64, out: &mut impl Write) -> io::Result<()> {
    out.write_all(HEADER.as_bytes())?;
    let mut generator = Generator::new(seed);
    let mut row = Vec::new();
    for number in 0..rows {
        if number == 0 || !number.is_multiple_of(DUPLICATE_EVERY) {
            row.clear();
            generator.row(number, &mut row);
        }
        out.write_all(&row)?;
    }
    Ok(())
}

struct Generator {
    random: ChaCha8Rng,
}

/// Where a sighting is.
struct Place {
    city: String,
    state: &'static str,
    country: &'static str,
    latitude: f64,
    longitude: f64,
}

impl Generator {
    fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        (u64::from(self.random.next_u32()) * end) >> 32
    }

    fn is_one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).unwrap_or(0)]
    }

    fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> T {
        let total = choices.iter().map(|(_, weight)| weight).sum();
        let mut point = self.below(total);
        for (choice, weight) in choices {
            if point < *weight {
                return *choice;
            }
            point -= weight;
        }
        choices[0].0
    }

    fn row(&mut self, number: u64, out: &mut Vec<u8>) {
        let place = self.place();
        let (date, posted) = self.dates(number);
        let shape = self.weighted(&SHAPES);
        let (seconds, text) = self.duration();
        let comment = self.comment(number);
        let (latitude, longitude) = self.coordinates(&place);
        let extra =
            if number % WRONG_WIDTH_EVERY == WRONG_WIDTH_EVERY - 1 { ",one field too many" } else { "" };
        let Place { city, state, country, .. } = place;
        let row = format!(
            "{date},{city},{state},{country},{shape},{seconds},{text},\"{comment}\",{posted},{latitude},{longitude}{extra}\n"
        );
        let start = out.len();
        out.extend_from_slice(row.as_bytes());
        // A byte of another encoding now and then, as older copies have them.
        if number % 5_000 == 17
            && let Some(place) = out[start..].iter().position(|byte| *byte == b'~')
        {
            out[start + place] = 0x92;
        }
    }

    fn place(&mut self) -> Place {
        let from = self.below(1_000);
        if from >= 935 {
            let (city, state, country, latitude, longitude) = self.of(&ABROAD);
            let city = if self.is_one_in(3) { self.invented(city) } else { city.to_owned() };
            let (latitude, longitude) = (latitude + self.spread(0.4), longitude + self.spread(0.4));
            return Place { city, state, country, latitude, longitude };
        }
        // A state without its country, as in 9,670 rows of the real file.
        let country = if self.is_one_in(13) { "" } else { "us" };
        if from < 230 {
            let ((city, state, latitude, longitude), _) = self.weighted_city();
            return Place { city: city.to_owned(), state, country, latitude, longitude };
        }
        let (state, south, west, north, east) = self.of(&STATES);
        let share = |random: u64| random as f64 / 10_000.0;
        // The long tail: names of their own, each at its own place.
        let name = self.below(420);
        let city = tail_name(name);
        let spot = (name * 7_919 % 10_000, name * 104_729 % 10_000);
        Place {
            city: self.dirty_city(city),
            state,
            country,
            latitude: south + (north - south) * share(spot.0),
            longitude: west + (east - west) * share(spot.1),
        }
    }

    fn weighted_city(&mut self) -> (tables::City, u64) {
        let choices: Vec<_> = CITIES.iter().map(|(city, weight)| ((*city, *weight), *weight)).collect();
        self.weighted(&choices)
    }

    fn invented(&mut self, note: &str) -> String {
        let name = tail_name(self.below(300));
        match note.find('(') {
            Some(start) => format!("{name} {}", &note[start..]),
            None => name,
        }
    }

    fn dirty_city(&mut self, city: String) -> String {
        match self.below(200) {
            0 => format!("{city} (near)"),
            1 => format!("{city}&#44 outskirts"),
            2 => format!("st. {city}&#39s"),
            3 => format!("{city} (west of"),
            _ => city,
        }
    }

    fn spread(&mut self, width: f64) -> f64 {
        (self.below(10_001) as f64 / 5_000.0 - 1.0) * width
    }

    fn dates(&mut self, number: u64) -> (String, String) {
        if number % BAD_DATE_EVERY == BAD_DATE_EVERY - 1 {
            return ("some time last summer".into(), "1/1/2010".into());
        }
        // Reports grow over the years: most are of the internet's time.
        let year = match self.below(100) {
            0 => 1906 + self.below(44),
            1..=5 => 1950 + self.below(30),
            6..=15 => 1980 + self.below(17),
            _ => 1997 + (self.below(18).max(self.below(18))),
        };
        let month = self.weighted(&MONTH_WEIGHTS);
        let day = 1 + self.below(if month == 2 { 28 } else { 30 });
        let (hour, minute) = match self.below(100) {
            0 => (24, 0),
            1..=60 => (19 + self.below(5), self.below(12) * 5),
            _ => (self.below(24), self.below(12) * 5),
        };
        let posted_year = (year + self.below(2)).max(1998);
        let posted = format!("{}/{}/{posted_year}", 1 + self.below(12), 1 + self.below(28));
        (format!("{month}/{day}/{year} {hour:02}:{minute:02}"), posted)
    }

    fn duration(&mut self) -> (String, &'static str) {
        let (seconds, text) = self.of(&DURATIONS);
        match self.below(3_000) {
            0 => (format!("{seconds}`"), text),
            1 => ("97836000".into(), "31 years"),
            2 => (String::new(), text),
            3 => (".5".into(), "1/2 second"),
            _ => (seconds.to_owned(), text),
        }
    }

    fn comment(&mut self, number: u64) -> String {
        let mut comment = format!("{} {} {}", self.of(&OPENINGS), self.of(&SIGHTS), self.of(&ENDINGS));
        // Makes rows distinct at any size, as the witnesses' own words do.
        comment += &format!("  Report {number:x}.");
        if number % 5_000 == 17 {
            comment += " It~s still there.";
        }
        comment
    }

    fn coordinates(&mut self, place: &Place) -> (String, String) {
        match self.below(2_000) {
            0 => ("0".into(), "0".into()),
            1 => (format!("{:.6}q.2", place.latitude), format!("{:.7}", place.longitude)),
            2 => (".583333".into(), format!("{:.7}", place.longitude)),
            _ => (format!("{:.7}", place.latitude), format!("{:.7}", place.longitude)),
        }
    }
}

/// A made-up name of two or three syllables; the same for the same number.
fn tail_name(number: u64) -> String {
    let count = SYLLABLES.len() as u64;
    let syllable = |index: u64| SYLLABLES[usize::try_from(index % count).unwrap_or(0)];
    format!(
        "{}{}{}",
        syllable(number),
        syllable(number / count + 3),
        ["ton", "ville", " city", "field", " springs"][(number % 5) as usize]
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn generated(seed: u64, rows: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write_csv(seed, rows, &mut out).expect("memory takes it");
        out
    }

    #[test]
    fn the_same_seed_gives_the_same_file() {
        assert_eq!(generated(7, 2_000), generated(7, 2_000));
        assert_ne!(generated(7, 2_000), generated(8, 2_000));
    }

    #[test]
    fn the_skews_are_those_of_the_real_file() {
        let file = generated(1, 50_000);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_slice());
        let mut counts: HashMap<String, f64> = HashMap::new();
        for row in reader.byte_records() {
            let row = row.expect("a row");
            let text =
                |index: usize| String::from_utf8_lossy(row.get(index).unwrap_or_default()).into_owned();
            let month = text(0).split('/').next().unwrap_or_default().to_owned();
            for fact in [text(3), text(4), format!("{}, {}", text(1), text(2)), format!("month {month}")] {
                *counts.entry(fact).or_default() += 1.0 / 50_000.0;
            }
        }
        let share = |fact: &str| counts.get(fact).copied().unwrap_or(0.0);
        assert!((0.79..0.87).contains(&share("us")), "{}", share("us"));
        assert!((0.17..0.23).contains(&share("light")), "{}", share("light"));
        assert!(share("month 7") > share("month 8") && share("month 8") > share("month 2"));
        assert!(share("seattle, wa") > share("phoenix, az") && share("phoenix, az") > share("tulsa, ok"));
    }
}
