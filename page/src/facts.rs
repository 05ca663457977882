//! The sightings themselves, 16 bytes each: so that every chart follows every filter. The aggregates know no shape of a year
//! and no country of a cell.

mod answer;

use domain::{Country, Sighting};
use hashbrown::HashMap;

use crate::cells::Cells;
pub(crate) use answer::{Answer, Hemisphere};

/// Rows that are allocated at a time: a vector that doubled would take twice the memory while it does.
const CHUNK_ROWS: usize = 1 << 16;
/// Shapes with a number of their own; the real file has 28. All others share one.
const SHAPES_MAX: usize = 255;
pub(crate) const OTHER_SHAPES: &str = "(other shapes)";
/// Coordinates whose cells are remembered.
const POINTS_MAX: usize = 1 << 16;
/// Separates a place's state and city. No key of a place has it: blanks are folded there.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// No cell, no duration.
const NONE_CELL: u16 = u16::MAX;
const NONE_DURATION: u32 = u32::MAX;

/// What a chart may ask of a sighting.
#[derive(Clone, Copy, Debug)]
struct Fact {
    place: u32,
    duration: u32,
    cell: u16,
    year: u16,
    shape: u8,
    /// Hour of the week, Monday 0:00 is 0.
    hour: u8,
    month: u8,
    hemisphere: Hemisphere,
}

const _: () = assert!(size_of::<Fact>() == 16, "the memory that the docs state");

#[derive(Clone, Debug)]
struct Place {
    country: Option<Country>,
    /// State and city, with [`SEPARATOR`] between them.
    text: Box<str>,
}

/// The sightings met so far, up to a limit.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    chunks: Vec<Vec<Fact>>,
    max: usize,
    /// Sightings beyond the limit.
    left_out: u64,
    places: Vec<Place>,
    place_numbers: HashMap<Option<Country>, HashMap<Box<str>, u32>>,
    shapes: Vec<Box<str>>,
    shape_numbers: HashMap<Box<str>, u8>,
    durations: Vec<u64>,
    duration_numbers: HashMap<u64, u32>,
    points: HashMap<(u64, u64), u16>,
    pub(crate) cells: Cells,
    scratch: String,
}

impl Facts {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            chunks: Vec::new(),
            max: max.min(u32::MAX as usize - 1),
            left_out: 0,
            places: Vec::new(),
            place_numbers: HashMap::new(),
            shapes: Vec::new(),
            shape_numbers: HashMap::new(),
            durations: Vec::new(),
            duration_numbers: HashMap::new(),
            points: HashMap::new(),
            cells: Cells::default(),
            scratch: String::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK_ROWS + last.len())
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(crate) fn add(&mut self, sighting: &Sighting<'_>) {
        if self.len() >= self.max {
            self.left_out += 1;
            return;
        }
        let (occurred, date) = (sighting.occurred_at, sighting.occurred_at.date());
        let (year, month, _) = date.parts();
        let fact = Fact {
            place: self.place(sighting),
            duration: sighting.duration_ms.map_or(NONE_DURATION, |ms| self.duration(ms)),
            cell: self.cell(sighting),
            // Civil time has the years 1 to 9999 and the months 1 to 12.
            year: u16::try_from(year).unwrap_or(0),
            shape: self.shape(&sighting.shape),
            hour: u8::try_from((date.weekday() - 1) * 24 + occurred.hour()).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
            hemisphere: Hemisphere::of(sighting),
        };
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK_ROWS => last.push(fact),
            Some(_) | None => {
                let mut chunk = Vec::with_capacity(CHUNK_ROWS);
                chunk.push(fact);
                self.chunks.push(chunk);
            }
        }
    }

    fn place(&mut self, sighting: &Sighting<'_>) -> u32 {
        place_text(sighting.state.as_deref(), sighting.city.as_deref(), &mut self.scratch);
        // By country first, so that a text is only copied when it is new.
        let numbers = self.place_numbers.entry(sighting.country).or_default();
        if let Some(number) = numbers.get(self.scratch.as_str()) {
            return *number;
        }
        let number = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let text: Box<str> = self.scratch.as_str().into();
        numbers.insert(text.clone(), number);
        self.places.push(Place { country: sighting.country, text });
        number
    }

    fn shape(&mut self, shape: &str) -> u8 {
        if let Some(number) = self.shape_numbers.get(shape) {
            return *number;
        }
        match u8::try_from(self.shapes.len()) {
            Ok(number) if self.shapes.len() < SHAPES_MAX => {
                self.shapes.push(shape.into());
                self.shape_numbers.insert(shape.into(), number);
                number
            }
            Ok(_) | Err(_) => u8::MAX,
        }
    }

    fn duration(&mut self, ms: u64) -> u32 {
        *self.duration_numbers.entry(ms).or_insert_with(|| {
            self.durations.push(ms);
            // As many as there are sightings at most.
            u32::try_from(self.durations.len() - 1).unwrap_or(NONE_DURATION)
        })
    }

    fn cell(&mut self, sighting: &Sighting<'_>) -> u16 {
        let Some(location) = sighting.location else { return NONE_CELL };
        if self.points.len() >= POINTS_MAX {
            self.points.clear();
        }
        let (lat, lon) = (location.lat(), location.lon());
        let cells = &mut self.cells;
        let found = self.points.entry((lat.to_bits(), lon.to_bits()));
        *found.or_insert_with(|| cells.number_at(lat, lon).unwrap_or(NONE_CELL))
    }

    fn shape_name(&self, number: u8) -> &str {
        self.shapes.get(usize::from(number)).map_or(OTHER_SHAPES, |shape| shape)
    }
}

/// Writes state and city as one text.
pub(crate) fn place_text(state: Option<&str>, city: Option<&str>, out: &mut String) {
    out.clear();
    out.push_str(state.unwrap_or_default());
    out.push(SEPARATOR);
    out.push_str(city.unwrap_or_default());
}

/// State and city again; nothing where there was none.
pub(crate) fn place_parts(text: &str) -> (Option<&str>, Option<&str>) {
    let (state, city) = text.split_once(SEPARATOR).unwrap_or(("", text));
    let some = |text: &'_ str| !text.is_empty();
    (Some(state).filter(|text| some(text)), Some(city).filter(|text| some(text)))
}
