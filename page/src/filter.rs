//! What a visitor looks at: country, shape, years. It is the query string of the page, of its data and of its downloads.

use domain::Country;

/// Nothing chosen means all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    pub(crate) country: Option<Chosen>,
    pub(crate) shape: Option<String>,
    /// First and last year, both included.
    pub(crate) from: Option<u16>,
    pub(crate) to: Option<u16>,
}

/// A country, or those sightings whose country is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Chosen {
    Country(Country),
    Unknown,
}

/// How a country that is not known is written in a query.
pub(crate) const UNKNOWN: &str = "unknown";
/// Longer than any shape that is charted.
const SHAPE_BYTES_MAX: usize = 100;

impl Chosen {
    pub(crate) fn country(self) -> Option<Country> {
        match self {
            Self::Country(country) => Some(country),
            Self::Unknown => None,
        }
    }
}

impl Filter {
    /// Reads a query string. Names that are not ours are passed over, so that links may carry the page's own.
    pub(crate) fn parse(query: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            match &*name {
                "country" => filter.country = Some(country(&value)?),
                "shape" if value.len() <= SHAPE_BYTES_MAX => filter.shape = Some(value.into_owned()),
                "shape" => return Err(format!("shape is longer than {SHAPE_BYTES_MAX} bytes")),
                "from" => filter.from = Some(year("from", &value)?),
                "to" => filter.to = Some(year("to", &value)?),
                _ => {}
            }
        }
        match (filter.from, filter.to) {
            (Some(from), Some(to)) if from > to => Err(format!("from {from} is after to {to}")),
            _ => Ok(filter),
        }
    }

    /// The aggregates answer by country alone; anything else is counted from the sightings themselves.
    pub(crate) fn needs_facts(&self) -> bool {
        self.shape.is_some() || self.has_years()
    }

    pub(crate) fn has_years(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    pub(crate) fn takes_country(&self, country: Option<Country>) -> bool {
        self.country.is_none_or(|chosen| chosen.country() == country)
    }

    pub(crate) fn takes_shape(&self, shape: &str) -> bool {
        self.shape.as_deref().is_none_or(|chosen| chosen == shape)
    }

    pub(crate) fn takes_year(&self, year: u16) -> bool {
        self.from.is_none_or(|from| from <= year) && self.to.is_none_or(|to| year <= to)
    }
}

fn country(value: &str) -> Result<Chosen, String> {
    if value == UNKNOWN {
        return Ok(Chosen::Unknown);
    }
    let code = value.parse().map_err(|_| "country is two lower-case letters, or `unknown`".to_owned())?;
    Ok(Chosen::Country(code))
}

fn year(name: &str, value: &str) -> Result<u16, String> {
    match value.parse() {
        Ok(year @ 1..=9999) => Ok(year),
        Ok(_) | Err(_) => Err(format!("{name} is a year, 1 to 9999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_a_filter() {
        let filter = Filter::parse("country=us&shape=fire%20ball&from=1990&to=2010&theme=dark&x").unwrap();
        assert_eq!(filter.country.and_then(Chosen::country), Country::new(*b"us"));
        assert_eq!(filter.shape.as_deref(), Some("fire ball"));
        assert!(filter.takes_year(1990) && filter.takes_year(2010) && !filter.takes_year(2011));
        assert!(filter.needs_facts());
        assert_eq!(Filter::parse(""), Ok(Filter::default()));
        assert_eq!(Filter::parse("country=&from="), Ok(Filter::default()));
    }

    #[test]
    fn not_known_is_a_country_like_any_other() {
        let filter = Filter::parse("country=unknown").unwrap();
        assert!(filter.takes_country(None) && !filter.takes_country(Country::new(*b"us")));
        assert!(!filter.needs_facts());
    }

    #[test]
    fn what_is_no_filter_is_told() {
        let long = format!("shape={}", "x".repeat(101));
        for query in ["country=USA", "from=0", "to=soon", "from=2001&to=2000", &long] {
            assert!(Filter::parse(query).is_err(), "{query}");
        }
    }
}
