//! Where: some tens of thousands of places, the same for every seed. A few are in hundreds of reports, most in one or two.

mod abroad;
mod builder;
mod cities;
mod degrees;
mod names;
mod states;

use std::ops::Range;

use self::builder::Builder;
use super::random::{Random, Weighted};

/// Coordinates "0,0" stand for "not known"; outside the United States.
const UNKNOWN_PER_1_000: u32 = 80;
/// "33q.200088"
const STRAY_LETTER_PER_100_000: u32 = 5;

/// Where in the texts a place's are.
#[derive(Clone, Debug)]
struct Place {
    /// City, state and country, with commas between.
    names: Range<u32>,
    /// Latitude and longitude, with a comma between.
    coordinates: Range<u32>,
    is_abroad: bool,
}

/// All places.
pub(super) struct Gazetteer {
    texts: Vec<u8>,
    groups: Weighted<Weighted<Place>>,
}

/// One report's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Where<'g> {
    pub(super) names: &'g [u8],
    coordinates: &'g [u8],
    is_abroad: bool,
}

impl Gazetteer {
    pub(super) fn new() -> Self {
        let (groups, texts) = Builder::build();
        Self { texts, groups }
    }

    pub(super) fn draw(&self, random: &mut Random) -> Where<'_> {
        let place = self.groups.draw(random).draw(random);
        let text = |range: &Range<u32>| &self.texts[range.start as usize..range.end as usize];
        Where { names: text(&place.names), coordinates: text(&place.coordinates), is_abroad: place.is_abroad }
    }
}

impl Where<'_> {
    pub(super) fn write_coordinates(&self, random: &mut Random, out: &mut Vec<u8>) {
        if self.is_abroad && random.permille(UNKNOWN_PER_1_000) {
            out.extend_from_slice(b"0,0");
            return;
        }
        let start = out.len();
        out.extend_from_slice(self.coordinates);
        if random.below(100_000) < STRAY_LETTER_PER_100_000
            && let Some(point) = self.coordinates.iter().position(|byte| *byte == b'.')
        {
            out.insert(start + point, b'q');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_each_time_and_no_two_have_the_same_names() {
        let (one, two) = (Gazetteer::new(), Gazetteer::new());
        assert_eq!(one.texts, two.texts);
        let mut random = Random::new(1);
        let mut names: Vec<_> = (0..200_000).map(|_| one.draw(&mut random).names).collect();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() > 18_000, "{}", names.len());
    }
}
