//! What is known about the world: borders and the names of countries. Built once, asked for every row.

use country_boundaries::{BOUNDARIES_ODBL_360X180, CountryBoundaries, LatLon};

use crate::sighting::{Country, Location};

/// Border data (© OpenStreetMap contributors, ODbL).
pub struct Atlas {
    boundaries: CountryBoundaries,
}

impl Atlas {
    /// Takes some milliseconds: build one and share it.
    pub fn new() -> Self {
        let boundaries = CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180)
            .expect("the border data is part of the program");
        Self { boundaries }
    }

    /// The country at a place; null at sea.
    pub fn country_at(&self, location: Location) -> Option<Country> {
        let point = LatLon::new(location.lat(), location.lon()).ok()?;
        // Ids come smallest area first: a state (`US-TX`) before its country.
        self.boundaries.ids(point).into_iter().find_map(|id| id.to_ascii_lowercase().parse().ok())
    }
}

impl Default for Atlas {
    fn default() -> Self {
        Self::new()
    }
}
