//! `country`: as given, else from the city's note, the state, the coordinates.

use crate::atlas::Atlas;
use crate::sighting::{Country, CountrySource, Location};

const US: Country = Country::new(*b"us").expect("two lower-case letters");
const CANADA: Country = Country::new(*b"ca").expect("two lower-case letters");

/// What is known of where a sighting was, each decoded and folded.
pub(super) struct Clues<'c> {
    pub(super) given: &'c str,
    pub(super) city_note: Option<&'c str>,
    pub(super) state: Option<&'c str>,
    pub(super) location: Option<Location>,
}

/// The first of the four clues that names a country.
pub(super) fn country(clues: &Clues<'_>, atlas: &Atlas) -> (Option<Country>, CountrySource) {
    let given = || atlas.country_coded(clues.given).or_else(|| atlas.country_named(clues.given));
    let noted = || of_note(clues.city_note?, clues.state, atlas);
    let of_state = || clues.state.and_then(of_state);
    let located = || atlas.country_at(clues.location?);
    None.or_else(|| Some((given()?, CountrySource::Given)))
        .or_else(|| Some((noted()?, CountrySource::CityNote)))
        .or_else(|| Some((of_state()?, CountrySource::State)))
        .or_else(|| Some((located()?, CountrySource::Coordinates)))
        .map_or((None, CountrySource::Unknown), |(country, source)| (Some(country), source))
}

/// Words that make a note tell about a place beside a country: `over juarez, mexico`.
const BESIDE: [&str; 16] = [
    "near", "over", "above", "between", "from", "to", "toward", "towards", "off", "of", "outside", "border",
    "around", "past", "not", "or",
];

/// A full name of a country as the note or as a part of it (`uk/england`, `nsw, australia`). Notes that name two
/// countries or speak of a place beside one (`near switzerland`) say nothing.
fn of_note(note: &str, state: Option<&str>, atlas: &Atlas) -> Option<Country> {
    let country = named(note, atlas).or_else(|| of_parts(note, atlas))?;
    // `in-flight (georgia)` in state `ga` is not in the Caucasus.
    let is_us_state = plain(note) == "georgia" && state.and_then(of_state) == Some(US);
    Some(if is_us_state { US } else { country })
}

fn of_parts(note: &str, atlas: &Atlas) -> Option<Country> {
    let parts = || note.split([',', ';', '/']);
    let is_beside = |part: &str| part.split_whitespace().any(|word| BESIDE.contains(&word));
    if parts().nth(1).is_none() || parts().any(|part| named(part, atlas).is_none() && is_beside(part)) {
        return None;
    }
    let mut countries = parts().filter_map(|part| named(part, atlas));
    let first = countries.next()?;
    countries.all(|country| country == first).then_some(first)
}

fn named(name: &str, atlas: &Atlas) -> Option<Country> {
    let name = plain(name);
    atlas.country_named(name).or_else(|| atlas.country_named(name.strip_prefix("the ")?))
}

/// Without what surrounds a name: `uk/wales??`.
fn plain(name: &str) -> &str {
    let name = name.trim().trim_end_matches(['?', '!', '*', ' ']);
    // A final point belongs to an abbreviation with points inside (`u.s.a.`), else to nothing.
    match name.strip_suffix('.') {
        Some(word) if !word.contains('.') => word,
        _ => name,
    }
}

fn of_state(state: &str) -> Option<Country> {
    match state {
        "al" | "ak" | "az" | "ar" | "ca" | "co" | "ct" | "de" | "dc" | "fl" | "ga" | "hi" | "id" | "il"
        | "in" | "ia" | "ks" | "ky" | "la" | "me" | "md" | "ma" | "mi" | "mn" | "ms" | "mo" | "mt" | "ne"
        | "nv" | "nh" | "nj" | "nm" | "ny" | "nc" | "nd" | "oh" | "ok" | "or" | "pa" | "ri" | "sc" | "sd"
        | "tn" | "tx" | "ut" | "vt" | "va" | "wa" | "wv" | "wi" | "wy" => Some(US),
        // Quebec, Newfoundland and the Yukon also by the codes of their time.
        "ab" | "bc" | "mb" | "nb" | "nl" | "nf" | "ns" | "nt" | "nu" | "on" | "pe" | "qc" | "pq" | "sk"
        | "yt" | "yk" => Some(CANADA),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_note(note: &str, state: Option<&str>) -> Option<String> {
        of_note(note, state, &Atlas::new()).map(|country| country.to_string())
    }

    #[test]
    fn full_names_in_notes() {
        for (note, expected) in [
            ("south korea", "kr"),
            ("uk/england", "gb"),
            ("uk/scotland", "gb"),
            ("uk/wales??", "gb"),
            ("uk/north wales", "gb"),
            ("devon, uk/england", "gb"),
            ("northern ireland", "gb"),
            ("republic of ireland", "ie"),
            ("nsw, australia", "au"),
            ("south australia", "au"),
            ("the netherlands", "nl"),
            ("natherlands", "nl"),
            ("guatamala", "gt"),
            ("west germany", "de"),
            ("trinidad/tobago", "tt"),
            ("san juan, puerto rico", "pr"),
            ("u. s. virgin islands", "vi"),
            ("italy; mt. etna", "it"),
            ("s. africa, east coast", "za"),
            ("uae", "ae"),
            ("lamma island; prc", "cn"),
            ("colombia s.a.", "co"),
            ("canada0", "ca"),
            ("u.s.a.", "us"),
            ("mexico.", "mx"),
            ("georgia", "ge"),
        ] {
            assert_eq!(by_note(note, None).as_deref(), Some(expected), "{note}");
        }
    }

    #[test]
    fn notes_that_say_nothing() {
        for note in [
            "co",
            "il",
            "nv",
            "near switzerland",
            "near",
            "brooklyn",
            "czech border",
            "north part of france",
            "above",
            "over juarez, mexico",
            "or windsor, ont",
            "on mexican border",
            "lesotho; south africa",
            "texas",
            "texas, not nebraska",
            "alabama/tennessee",
            "10-miles south of canada",
            "?",
            "la",
            "in",
            "yugoslavia",
            "hwy 20; near wilderness camp rd.",
            "jamaica area",
            "new york city, queens",
            "in-flight",
            "de",
        ] {
            assert_eq!(by_note(note, None), None, "{note}");
        }
    }

    #[test]
    fn georgia_is_a_state_where_the_state_is_one() {
        assert_eq!(by_note("georgia", Some("ga")).as_deref(), Some("us"));
        assert_eq!(by_note("georgia", Some("tn")).as_deref(), Some("us"));
        assert_eq!(by_note("georgia", Some("on")).as_deref(), Some("ge"));
        assert_eq!(by_note("india", Some("az")).as_deref(), Some("in"));
    }

    #[test]
    fn clues_in_their_order() {
        let atlas = Atlas::new();
        let seoul = Location::new(37.57, 126.98);
        let find = |given, city_note, state, location| {
            let (country, source) = country(&Clues { given, city_note, state, location }, &atlas);
            (country.map(|country| country.to_string()), source.name())
        };
        let some = |code: &str| Some(code.to_owned());
        assert_eq!(find("us", Some("canada"), Some("on"), seoul), (some("us"), "given"));
        assert_eq!(find("uk", None, None, None), (some("gb"), "given"));
        assert_eq!(find("germany", None, None, None), (some("de"), "given"));
        assert_eq!(find("xx", Some("canada"), Some("wa"), seoul), (some("ca"), "city_note"));
        assert_eq!(find("", Some("near"), Some("wa"), seoul), (some("us"), "state"));
        assert_eq!(find("", None, Some("pq"), seoul), (some("ca"), "state"));
        assert_eq!(find("", None, Some("sa"), seoul), (some("kr"), "coordinates"));
        assert_eq!(find("", None, None, Location::new(35.7, -39.4)), (None, "unknown"));
        assert_eq!(find("", None, None, None), (None, "unknown"));
    }
}
