//! The views: which aggregates a sighting belongs to, and how their keys are written.

mod cell;

use crate::civil::CivilTime;
use crate::sighting::{Country, Location, Sighting};
use crate::wire::json;

/// A way to group sightings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// country
    Country,
    /// country, state, city
    Place,
    /// country, month
    Month,
    /// country, season
    Season,
    /// country, state, city, month
    PlaceMonth,
    /// country, shape
    Shape,
    /// country, year, month
    Timeline,
    /// country, ISO weekday (Monday is 1), hour
    Hour,
    /// H3 cell of resolution 3
    Cell,
    /// country, minute of arrival: a window over the records' own time, filled by the processor
    Arrivals,
}

impl View {
    pub const ALL: [Self; 10] = [
        Self::Country,
        Self::Place,
        Self::Month,
        Self::Season,
        Self::PlaceMonth,
        Self::Shape,
        Self::Timeline,
        Self::Hour,
        Self::Cell,
        Self::Arrivals,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Place => "place",
            Self::Month => "month",
            Self::Season => "season",
            Self::PlaceMonth => "place_month",
            Self::Shape => "shape",
            Self::Timeline => "timeline",
            Self::Hour => "hour",
            Self::Cell => "cell",
            Self::Arrivals => "arrivals",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// The names of the key's parts, in their order.
    pub fn key_fields(self) -> &'static [&'static str] {
        match self {
            Self::Country => &["country"],
            Self::Place => &["country", "state", "city"],
            Self::Month => &["country", "month"],
            Self::Season => &["country", "season"],
            Self::PlaceMonth => &["country", "state", "city", "month"],
            Self::Shape => &["country", "shape"],
            Self::Timeline => &["country", "year", "month"],
            Self::Hour => &["country", "weekday", "hour"],
            Self::Cell => &["cell"],
            Self::Arrivals => &["country", "minute"],
        }
    }

    /// The view whose record key this is, without a look at the rest of it.
    pub fn of_record_key(key: &[u8]) -> Option<Self> {
        let name = key.strip_prefix(b"[\"")?;
        let end = memchr::memchr(b'"', name)?;
        Self::from_name(std::str::from_utf8(&name[..end]).ok()?)
    }
}

/// One part of a key. Null is a key like any other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Null,
    Number(i64),
    Text(String),
}

/// A key of a view, without the view's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Vec<Part>);

impl Key {
    /// The record key of `ufo.aggregates`: `["place","us","wa","seattle"]`.
    pub fn record_key(&self, view: View) -> Vec<u8> {
        let mut key = KeyWriter::new(view);
        for part in &self.0 {
            match part {
                Part::Null => key.null(),
                Part::Number(number) => key.number(*number),
                Part::Text(text) => key.text(text),
            }
        }
        key.finish()
    }

    /// Reads a record key of `ufo.aggregates`. Null where it is none.
    pub fn parse(record_key: &[u8]) -> Option<(View, Self)> {
        json::read_record_key(record_key)
    }
}

/// Calls `each` with the record key of every aggregate that the sighting belongs to: one for each view but
/// [`View::Arrivals`]. `scratch` is where the keys are written; give the same one every time.
pub fn keys_of(sighting: &Sighting<'_>, scratch: &mut Vec<u8>, mut each: impl FnMut(View, &[u8])) {
    let country = sighting.country.as_ref().map(Country::as_str);
    let occurred = sighting.occurred_at;
    let date = occurred.date();
    let month = i64::from(date.month());
    let mut key = KeyWriter { bytes: std::mem::take(scratch) };
    let mut emit = |view: View, key: &mut KeyWriter, rest: &mut dyn FnMut(&mut KeyWriter)| {
        key.start(view);
        rest(key);
        key.bytes.push(b']');
        each(view, &key.bytes);
    };
    let place = |key: &mut KeyWriter| {
        key.text_or_null(country);
        key.text_or_null(sighting.state.as_deref());
        key.text_or_null(sighting.city.as_deref());
    };
    emit(View::Country, &mut key, &mut |key| key.text_or_null(country));
    emit(View::Place, &mut key, &mut |key| place(key));
    emit(View::Month, &mut key, &mut |key| {
        key.text_or_null(country);
        key.number(month);
    });
    emit(View::Season, &mut key, &mut |key| {
        key.text_or_null(country);
        key.text_or_null(sighting.season.map(|season| season.name()));
    });
    emit(View::PlaceMonth, &mut key, &mut |key| {
        place(key);
        key.number(month);
    });
    emit(View::Shape, &mut key, &mut |key| {
        key.text_or_null(country);
        key.text(&sighting.shape);
    });
    emit(View::Timeline, &mut key, &mut |key| {
        key.text_or_null(country);
        key.number(i64::from(date.year()));
        key.number(month);
    });
    emit(View::Hour, &mut key, &mut |key| {
        key.text_or_null(country);
        key.number(i64::from(date.weekday()));
        key.number(i64::from(occurred.hour()));
    });
    emit(View::Cell, &mut key, &mut |key| match sighting.location {
        Some(location) => key.cell(location),
        None => key.null(),
    });
    *scratch = key.bytes;
}

/// The record key of an arrivals window: `["arrivals","us","2026-11-24T09:22:00Z"]`. `minute_ms` is any
/// moment of the window, in milliseconds since 1970 UTC.
pub fn arrivals_key(country: Option<Country>, minute_ms: i64, out: &mut Vec<u8>) {
    let mut key = KeyWriter { bytes: std::mem::take(out) };
    key.start(View::Arrivals);
    key.text_or_null(country.as_ref().map(Country::as_str));
    key.text(&json::minute_of(minute_ms));
    key.bytes.push(b']');
    *out = key.bytes;
}

/// The first millisecond of the window that an arrivals key names. Null for the key of another view.
pub fn arrivals_minute(record_key: &[u8]) -> Option<i64> {
    match Key::parse(record_key)? {
        (View::Arrivals, Key(parts)) => match &parts[..] {
            [_, Part::Text(minute)] => {
                let minute: CivilTime = minute.strip_suffix('Z')?.parse().ok()?;
                Some(minute.seconds() * 1000)
            }
            _ => None,
        },
        _ => None,
    }
}

struct KeyWriter {
    bytes: Vec<u8>,
}

impl KeyWriter {
    fn new(view: View) -> Self {
        let mut key = Self { bytes: Vec::new() };
        key.start(view);
        key
    }

    fn start(&mut self, view: View) {
        self.bytes.clear();
        self.bytes.extend_from_slice(b"[\"");
        self.bytes.extend_from_slice(view.name().as_bytes());
        self.bytes.push(b'"');
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b']');
        self.bytes
    }

    fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b',');
        json::write_text(text, &mut self.bytes);
    }

    fn number(&mut self, number: i64) {
        self.bytes.push(b',');
        json::write_number(number, &mut self.bytes);
    }

    fn null(&mut self) {
        self.bytes.extend_from_slice(b",null");
    }

    fn cell(&mut self, location: Location) {
        self.bytes.extend_from_slice(b",\"");
        json::write_hex(cell::cell_of(location), &mut self.bytes);
        self.bytes.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keys_come_back() {
        let key =
            Key(vec![Part::Text("us".into()), Part::Null, Part::Text("\"x\"\n".into()), Part::Number(7)]);
        let bytes = key.record_key(View::PlaceMonth);
        assert_eq!(bytes, br#"["place_month","us",null,"\"x\"\n",7]"#);
        assert_eq!(View::of_record_key(&bytes), Some(View::PlaceMonth));
        assert_eq!(Key::parse(&bytes), Some((View::PlaceMonth, key)));
        for none in [&b"[]"[..], b"[\"nothing\",1]", b"{}", b"", b"[\"cell\",[]]", b"[\"cell\",1.5]"] {
            assert_eq!(Key::parse(none), None);
        }
    }

    #[test]
    fn a_minute_of_arrival_is_utc() {
        let mut key = Vec::new();
        arrivals_key(Country::new(*b"us"), 1_795_512_138_999, &mut key);
        assert_eq!(String::from_utf8(key).unwrap(), r#"["arrivals","us","2026-11-24T09:22:00Z"]"#);
    }

    #[test]
    fn an_arrivals_key_tells_its_minute() {
        let mut key = Vec::new();
        for (time_ms, minute_ms) in [(1_795_512_138_999, 1_795_512_120_000), (-1, -60_000), (0, 0)] {
            arrivals_key(None, time_ms, &mut key);
            assert_eq!(arrivals_minute(&key), Some(minute_ms));
        }
        for other in [&b"[\"country\",\"us\"]"[..], b"[\"arrivals\",null]", b"[\"arrivals\",null,\"soon\"]"] {
            assert_eq!(arrivals_minute(other), None);
        }
    }
}
