//! The closed list of quality flags: what was repaired or looks wrong in a sighting.

/// One repair or doubt. Declared in the alphabetical order of the names, which is the order on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Flag {
    CountryInferred = 1 << 0,
    DurationFromText = 1 << 1,
    DurationImplausible = 1 << 2,
    DurationMissing = 1 << 3,
    DurationRepaired = 1 << 4,
    EncodingRepaired = 1 << 5,
    Hour24 = 1 << 6,
    LocationMissing = 1 << 7,
    LocationRepaired = 1 << 8,
    PostedBeforeOccurred = 1 << 9,
}

impl Flag {
    pub const ALL: [Self; 10] = [
        Self::CountryInferred,
        Self::DurationFromText,
        Self::DurationImplausible,
        Self::DurationMissing,
        Self::DurationRepaired,
        Self::EncodingRepaired,
        Self::Hour24,
        Self::LocationMissing,
        Self::LocationRepaired,
        Self::PostedBeforeOccurred,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::CountryInferred => "country_inferred",
            Self::DurationFromText => "duration_from_text",
            Self::DurationImplausible => "duration_implausible",
            Self::DurationMissing => "duration_missing",
            Self::DurationRepaired => "duration_repaired",
            Self::EncodingRepaired => "encoding_repaired",
            Self::Hour24 => "hour_24",
            Self::LocationMissing => "location_missing",
            Self::LocationRepaired => "location_repaired",
            Self::PostedBeforeOccurred => "posted_before_occurred",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.name() == name)
    }
}

/// A set of flags; iterates in the order of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quality(u16);

impl Quality {
    pub fn insert(&mut self, flag: Flag) {
        self.0 |= flag as u16;
    }

    /// Sets the flag where the fact holds.
    pub(crate) fn set(&mut self, flag: Flag, is_so: bool) {
        self.0 |= if is_so { flag as u16 } else { 0 };
    }

    pub fn contains(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags that are set, sorted by name.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

impl FromIterator<Flag> for Quality {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut quality = Self::default();
        flags.into_iter().for_each(|flag| quality.insert(flag));
        quality
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_sorted_by_name_and_come_back() {
        let names: Vec<_> = Flag::ALL.iter().map(|flag| flag.name()).collect();
        assert!(names.is_sorted());
        for flag in Flag::ALL {
            assert_eq!(Flag::from_name(flag.name()), Some(flag));
        }
        assert_eq!(Flag::from_name("hour_25"), None);
    }
}
