//! The cleaned sighting and its types.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::civil::{CivilDate, CivilTime};
use crate::quality::Quality;
use crate::raw::SightingId;

/// A cleaned sighting. Built only by [`crate::clean()`] and read back by [`crate::wire::decode_sighting`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sighting<'a> {
    pub id: SightingId,
    pub occurred_at: CivilTime,
    pub posted_on: Option<CivilDate>,
    /// Lower case, the bracketed note included.
    pub city: Option<Cow<'a, str>>,
    /// What the last bracket of the city says.
    pub city_note: Option<Cow<'a, str>>,
    /// Lower case, as found: not only US states.
    pub state: Option<Cow<'a, str>>,
    pub country: Option<Country>,
    pub country_source: CountrySource,
    /// The column as found; may be empty.
    pub country_given: Cow<'a, str>,
    /// Lower case; `unknown` where none was given.
    pub shape: Cow<'a, str>,
    /// At most 1,000 years, so that sums have room.
    pub duration_ms: Option<u64>,
    pub duration_text: Cow<'a, str>,
    pub comments: Cow<'a, str>,
    pub location: Option<Location>,
    pub season: Option<Season>,
    pub quality: Quality,
}

/// ISO 3166-1 alpha-2 code, lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Null unless `code` is two lower-case ASCII letters. Whether ISO has given the code away is not asked here.
    pub const fn new(code: [u8; 2]) -> Option<Self> {
        if code[0].is_ascii_lowercase() && code[1].is_ascii_lowercase() { Some(Self(code)) } else { None }
    }

    pub const fn to_bytes(self) -> [u8; 2] {
        self.0
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("both bytes are ASCII letters")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no lower-case two-letter code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a country code: expected two lower-case letters")]
pub struct CountryError;

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        let code: [u8; 2] = text.as_bytes().try_into().map_err(|_| CountryError)?;
        Self::new(code).ok_or(CountryError)
    }
}

/// Where the country comes from, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountrySource {
    Given,
    CityNote,
    State,
    Coordinates,
    Unknown,
}

impl CountrySource {
    pub const ALL: [Self; 5] = [Self::Given, Self::CityNote, Self::State, Self::Coordinates, Self::Unknown];

    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::CityNote => "city_note",
            Self::State => "state",
            Self::Coordinates => "coordinates",
            Self::Unknown => "unknown",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Degrees, inside their ranges and never `0,0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    lat: f64,
    lon: f64,
}

impl Location {
    /// Null outside ±90, ±180, for what is no number and for `0,0`, the source's "not known".
    pub fn new(lat: f64, lon: f64) -> Option<Self> {
        let is_inside = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        // Adding zero turns -0 into 0, so that one place has one spelling.
        (is_inside && (lat != 0.0 || lon != 0.0)).then_some(Self { lat: lat + 0.0, lon: lon + 0.0 })
    }

    pub fn lat(self) -> f64 {
        self.lat
    }

    pub fn lon(self) -> f64 {
        self.lon
    }
}

/// Meteorological season by hemisphere: July is winter in the south.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Season {
    Winter,
    Spring,
    Summer,
    Autumn,
}

impl Season {
    pub const ALL: [Self; 4] = [Self::Winter, Self::Spring, Self::Summer, Self::Autumn];

    /// `month` is 1 to 12; latitude 0 counts as north.
    pub fn of(month: u32, latitude: f64) -> Self {
        let quarter = (month as usize % 12) / 3;
        let shift = if latitude < 0.0 { 2 } else { 0 };
        Self::ALL[(quarter + shift) % 4]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Winter => "winter",
            Self::Spring => "spring",
            Self::Summer => "summer",
            Self::Autumn => "autumn",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|season| season.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasons_turn_with_the_hemisphere() {
        let north: Vec<_> = (1..=12).map(|month| Season::of(month, 47.6).name()).collect();
        let expected = [
            "winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer", "autumn",
            "autumn", "autumn", "winter",
        ];
        assert_eq!(north, expected);
        assert_eq!(Season::of(7, -33.9), Season::Winter);
        assert_eq!(Season::of(12, -33.9), Season::Summer);
        assert_eq!(Season::of(7, 0.0), Season::Summer);
    }

    #[test]
    fn nowhere_is_no_location() {
        assert_eq!(Location::new(0.0, 0.0), None);
        assert_eq!(Location::new(-0.0, 0.0), None);
        assert_eq!(Location::new(90.1, 0.0), None);
        assert_eq!(Location::new(f64::NAN, 10.0), None);
        assert!(Location::new(0.0, 10.0).is_some());
        assert!(Location::new(-0.0, 10.0).unwrap().lat().is_sign_positive());
    }
}
