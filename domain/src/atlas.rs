//! What is known about the world: borders and the names of countries. Built once, asked for every row.

use std::collections::HashMap;

use country_boundaries::{BOUNDARIES_ODBL_360X180, CountryBoundaries, LatLon};

use crate::sighting::{Country, Location};

/// ISO 3166-1: each code with the names it is known by, the file's own spellings among them.
const COUNTRIES: &str = include_str!("atlas/countries.txt");

/// Borders (© OpenStreetMap contributors, ODbL 1.0) and names of countries.
pub struct Atlas {
    borders: CountryBoundaries,
    is_code: [bool; 26 * 26],
    by_name: HashMap<&'static str, Country>,
}

impl Atlas {
    /// Takes some milliseconds: build one and share it.
    pub fn new() -> Self {
        let borders = CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180)
            .expect("the border data is part of the program");
        let mut atlas = Self { borders, is_code: [false; 26 * 26], by_name: HashMap::new() };
        for line in COUNTRIES.lines() {
            let (code, names) = line.split_once(' ').expect("a line is a code and its names");
            let country: Country = code.parse().expect("codes are two lower-case letters");
            atlas.is_code[place(country)] = true;
            atlas.by_name.extend(names.split('|').map(|name| (name, country)));
        }
        atlas
    }

    /// The country with this ISO 3166-1 code in lower case.
    pub fn country_coded(&self, code: &str) -> Option<Country> {
        code.parse().ok().filter(|country| self.is_code[place(*country)])
    }

    /// The country with this full name, lower case and without an article.
    pub fn country_named(&self, name: &str) -> Option<Country> {
        self.by_name.get(name).copied()
    }

    /// The country at a place, its coastal waters included; null on the high seas.
    pub fn country_at(&self, location: Location) -> Option<Country> {
        let point = LatLon::new(location.lat(), location.lon()).ok()?;
        // Smallest area first: Puerto Rico before the US. States (`US-TX`) and areas that only other lists
        // than ISO's have a code for (the Canaries' `IC`) are passed over.
        self.borders.ids(point).into_iter().find_map(|id| self.country_coded(&id.to_ascii_lowercase()))
    }
}

impl Default for Atlas {
    fn default() -> Self {
        Self::new()
    }
}

fn place(country: Country) -> usize {
    let [first, second] = country.to_bytes().map(|letter| usize::from(letter - b'a'));
    first * 26 + second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_no_name_stands_twice() {
        let atlas = Atlas::new();
        assert_eq!(atlas.is_code.iter().filter(|is_code| **is_code).count(), 249);
        let names: usize = COUNTRIES.lines().map(|line| line.split('|').count()).sum();
        assert_eq!(atlas.by_name.len(), names);
        for name in atlas.by_name.keys() {
            assert_eq!(name.to_lowercase(), **name);
            assert_eq!(name.trim(), *name);
        }
    }

    #[test]
    fn borders_are_looked_up_offline() {
        let atlas = Atlas::new();
        let at =
            |lat, lon| atlas.country_at(Location::new(lat, lon).unwrap()).map(|country| country.to_string());
        assert_eq!(at(37.57, 126.98).as_deref(), Some("kr"));
        assert_eq!(at(47.6973, 8.6910).as_deref(), Some("de"));
        assert_eq!(at(18.4, -66.06).as_deref(), Some("pr"));
        assert_eq!(at(22.28, 114.16).as_deref(), Some("hk"));
        assert_eq!(at(28.1, -15.4).as_deref(), Some("es"));
        assert_eq!(at(35.7, -39.4), None);
        assert_eq!(at(-89.0, 0.0), None);
        assert_eq!(at(0.0, 180.0), None);
    }
}
