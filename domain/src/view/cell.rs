//! The H3 cell of a location. Computing one takes as long as cleaning half a row, and reports come from the
//! same few thousand towns again and again: each thread remembers the cells of the places it met last.

use std::cell::RefCell;

use h3o::{LatLng, Resolution};

use crate::sighting::Location;

/// 96 KiB a thread; the real file has some 18,000 places, and the large ones are most of the rows.
const SLOTS_LOG2: u32 = 12;

#[derive(Clone, Copy, Default)]
struct Slot {
    latitude: u64,
    longitude: u64,
    /// Zero, which is no cell, while the slot is empty.
    cell: u64,
}

thread_local! {
    static RECENT: RefCell<Vec<Slot>> = RefCell::new(vec![Slot::default(); 1 << SLOTS_LOG2]);
}

/// The cell of resolution 3 that the location is in.
pub(super) fn cell_of(location: Location) -> u64 {
    let (latitude, longitude) = (location.lat().to_bits(), location.lon().to_bits());
    // Fibonacci hashing: the upper bits of the product depend on all bits of both numbers.
    let mixed = (latitude ^ longitude.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let place = (mixed >> (64 - SLOTS_LOG2)) as usize;
    RECENT.with_borrow_mut(|recent| {
        let slot = &mut recent[place];
        if slot.cell == 0 || (slot.latitude, slot.longitude) != (latitude, longitude) {
            *slot = Slot { latitude, longitude, cell: computed(location) };
        }
        slot.cell
    })
}

fn computed(location: Location) -> u64 {
    let point = LatLng::new(location.lat(), location.lon()).expect("a location's numbers are finite");
    point.to_cell(Resolution::Three).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_cell_is_the_computed_one() {
        for round in 0..3 {
            for step in 0..20_000u32 {
                let (lat, lon) = (f64::from(step % 140) - 70.0, f64::from(step) * 0.017 - 170.0);
                let location = Location::new(lat, lon).unwrap();
                assert_eq!(cell_of(location), computed(location), "{round} {lat} {lon}");
            }
        }
        for (lat, lon) in [(90.0, 180.0), (-90.0, -180.0), (0.0, 1e-300), (5e-324, 0.0)] {
            let location = Location::new(lat, lon).unwrap();
            assert_eq!(cell_of(location), computed(location));
        }
    }
}
