//! Synthetic rows with the real file's skews and its dirt. Pure: the same seed gives the same bytes on every machine, and
//! row by row: whatever number of rows is asked for, the first ones are the same.

mod comment;
mod duration;
mod place;
mod random;
mod text;
mod when;

use std::io::{self, Write};

use self::comment::Comments;
use self::duration::Durations;
use self::place::Gazetteer;
use self::random::{Random, Weighted};
use self::when::Calendar;

/// As in the Kaggle file, trailing blank included.
pub const HEADER: &str = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,date posted,latitude,longitude \n";

/// All 28 labels of the real file and no label. The rarest of them are there some times more often, so that a file of its
/// size has them all.
const SHAPES: [(&str, u64); 30] = [
    ("light", 16_565),
    ("triangle", 7_865),
    ("circle", 7_608),
    ("fireball", 6_208),
    ("other", 5_649),
    ("unknown", 5_584),
    ("sphere", 5_387),
    ("disk", 5_213),
    ("oval", 3_733),
    ("formation", 2_457),
    ("cigar", 2_057),
    ("changing", 1_962),
    ("", 1_932),
    ("flash", 1_328),
    ("rectangle", 1_297),
    ("cylinder", 1_283),
    ("diamond", 1_178),
    ("chevron", 952),
    ("egg", 759),
    ("teardrop", 750),
    ("cone", 316),
    ("cross", 233),
    ("delta", 8),
    ("round", 6),
    ("crescent", 6),
    ("pyramid", 6),
    ("flare", 6),
    ("hexagon", 6),
    ("dome", 6),
    ("changed", 6),
];

/// Exact copies of a row before: 29 in 72,546.
const COPIES_PER_100_000: u32 = 40;
/// Each of the kinds of [`Flaw`].
const FLAWS_PER_100_000: u32 = 6;

/// What makes a row a reject, or nearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    NoDate,
    WrongWidth,
    NoUtf8,
}

/// The rows of a file, without its header.
pub struct Generator {
    random: Random,
    next: u64,
    rows: u64,
    calendar: Calendar,
    gazetteer: Gazetteer,
    shapes: Weighted<&'static str>,
    durations: Durations,
    comments: Comments,
}

impl Generator {
    /// `rows` may be any number: rows are made one by one, and none is kept.
    pub fn new(seed: u64, rows: u64) -> Self {
        Self {
            random: Random::new(seed),
            next: 0,
            rows,
            calendar: Calendar::new(),
            gazetteer: Gazetteer::new(),
            shapes: Weighted::new(SHAPES),
            durations: Durations::new(),
            comments: Comments::new(),
        }
    }

    /// Writes a whole file: a header, and the rows that have not been taken yet.
    pub fn write_to(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(HEADER.as_bytes())?;
        let mut row = Vec::new();
        while self.next_into(&mut row) {
            out.write_all(&row)?;
            row.clear();
        }
        Ok(())
    }

    /// Appends the next row with its line end; false when all have been taken.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> bool {
        if self.next == self.rows {
            return false;
        }
        self.go_to_source(self.next);
        self.write_row(out);
        self.next += 1;
        true
    }

    /// Goes to the numbers that make a row: its own, or those of the row before that it copies.
    fn go_to_source(&mut self, mut row: u64) -> u64 {
        self.random.go_to_row(row);
        // A copy of a copy is one too: its source is found the same way.
        while row > 0 && self.random.below(100_000) < COPIES_PER_100_000 {
            row = self.random.below_u64(row);
            self.random.go_to_row(row);
        }
        row
    }

    fn write_row(&mut self, out: &mut Vec<u8>) {
        let random = &mut self.random;
        let flaw = match random.below(100_000) / FLAWS_PER_100_000 {
            0 => Some(Flaw::NoDate),
            1 => Some(Flaw::WrongWidth),
            2 => Some(Flaw::NoUtf8),
            _ => None,
        };
        let occurred = match flaw {
            Some(Flaw::NoDate) => self.calendar.write_no_date(random, out),
            Some(Flaw::WrongWidth | Flaw::NoUtf8) | None => self.calendar.write_occurred(random, out),
        };
        let place = self.gazetteer.draw(random);
        out.push(b',');
        out.extend_from_slice(place.names);
        out.push(b',');
        out.extend_from_slice(self.shapes.draw(random).as_bytes());
        out.push(b',');
        self.durations.write(random, out);
        out.extend_from_slice(b",\"");
        self.comments.write(random, out);
        if flaw == Some(Flaw::NoUtf8) {
            // As Windows-1252 has them.
            out.extend_from_slice(if random.permille(500) { b" it\x92s true" } else { b" caf\xe9 lights" });
        }
        out.extend_from_slice(b"\",");
        self.calendar.write_posted(occurred, random, out);
        if flaw == Some(Flaw::WrongWidth) && random.permille(500) {
            // Cut off: two fields too few.
            out.push(b'\n');
            return;
        }
        out.push(b',');
        place.write_coordinates(random, out);
        out.extend_from_slice(if flaw == Some(Flaw::WrongWidth) { b",see photo\n" } else { b"\n" });
    }
}

impl Iterator for Generator {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut row = Vec::new();
        self.next_into(&mut row).then_some(row)
    }
}

/// Writes a whole file: a header and `rows` rows.
pub fn write_csv(seed: u64, rows: u64, out: &mut impl Write) -> io::Result<()> {
    Generator::new(seed, rows).write_to(out)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Ten million rows were looked at the same way once.
    #[test]
    fn only_copies_are_alike() {
        let rows = 200_000;
        let mut generator = Generator::new(2, rows);
        let copies = (0..rows).filter(|row| generator.go_to_source(*row) != *row).count();
        assert!((50..110).contains(&copies), "{copies} where 80 are meant");
        let mut seen = HashSet::new();
        assert_eq!(generator.filter(|row| !seen.insert(blake3::hash(row))).count(), copies);
    }
}
