//! Where the map's cells lie. The page is told each cell's outline once.

use std::str::FromStr;

use h3o::{CellIndex, LatLng};
use hashbrown::HashMap;

/// More cells than resolution 3 has (41,162) are never met.
const CELLS_MAX: usize = u16::MAX as usize;

/// Cells in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    numbers: HashMap<u64, u16>,
    met: Vec<CellIndex>,
}

impl Cells {
    /// The cell's number, from 0. Nothing for what is no cell.
    pub(crate) fn number(&mut self, name: &str) -> Option<u16> {
        self.number_of(CellIndex::from_str(name).ok()?)
    }

    /// The number of the cell that a place is in.
    pub(crate) fn number_at(&mut self, lat: f64, lon: f64) -> Option<u16> {
        let point = LatLng::new(lat, lon).ok()?;
        self.number_of(point.to_cell(h3o::Resolution::Three))
    }

    fn number_of(&mut self, cell: CellIndex) -> Option<u16> {
        if let Some(number) = self.numbers.get(&u64::from(cell)) {
            return Some(*number);
        }
        let number = u16::try_from(self.met.len()).ok().filter(|_| self.met.len() < CELLS_MAX)?;
        self.numbers.insert(cell.into(), number);
        self.met.push(cell);
        Some(number)
    }

    pub(crate) fn name(&self, number: u16) -> String {
        self.met.get(usize::from(number)).map(ToString::to_string).unwrap_or_default()
    }

    /// The outlines of all cells from this number on: name, then longitude and latitude in turn.
    pub(crate) fn outlines(&self, from: usize) -> Vec<(String, Vec<f64>)> {
        let cells = self.met.get(from..).unwrap_or_default();
        cells.iter().map(|cell| (cell.to_string(), outline(*cell))).collect()
    }
}

/// Latitude and longitude of a cell's middle, to a hundredth of a degree (a kilometre).
pub(crate) fn middle(name: &str) -> Option<(f64, f64)> {
    let middle = LatLng::from(CellIndex::from_str(name).ok()?);
    Some((rounded(middle.lat()), rounded(middle.lng())))
}

fn outline(cell: CellIndex) -> Vec<f64> {
    let boundary = cell.boundary();
    let first = boundary.first().map_or(0.0, |point| point.lng());
    // A cell on the date line is drawn whole on the side where it begins, not across the map.
    let near = |lon: f64| match lon - first {
        far if far > 180.0 => lon - 360.0,
        far if far < -180.0 => lon + 360.0,
        _ => lon,
    };
    boundary.iter().flat_map(|point| [rounded(near(point.lng())), rounded(point.lat())]).collect()
}

fn rounded(degrees: f64) -> f64 {
    (degrees * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_one_number_by_name_and_by_place() {
        let mut cells = Cells::default();
        let number = cells.number_at(47.6, -122.3).unwrap();
        let name = cells.name(number);
        assert_eq!(cells.number(&name), Some(number));
        assert_eq!(cells.outlines(0).len(), 1);
        assert!(cells.outlines(1).is_empty() && cells.outlines(9).is_empty());
        for none in ["", "seattle", "ffffffffffffffff", "0"] {
            assert_eq!(cells.number(none), None, "{none}");
        }
    }

    #[test]
    fn no_outline_crosses_the_map() {
        let mut cells = Cells::default();
        for lon in [-180.0, -179.9, 179.9, 0.0] {
            for lat in [-80.0, -17.0, 0.5, 52.0] {
                cells.number_at(lat, lon).unwrap();
            }
        }
        for (name, points) in cells.outlines(0) {
            let lons: Vec<_> = points.iter().step_by(2).copied().collect();
            let spread =
                lons.iter().copied().fold(f64::MIN, f64::max) - lons.iter().copied().fold(f64::MAX, f64::min);
            assert!(points.len() >= 10 && spread < 40.0, "{name}: {points:?}");
        }
    }
}
