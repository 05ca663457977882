//! How numbers, durations and names are shown to a person.

const BAR_WIDTH: u64 = 24;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The countries that the data is mostly about; others are shown by their code.
const COUNTRIES: [(&str, &str); 12] = [
    ("us", "United States"),
    ("ca", "Canada"),
    ("gb", "United Kingdom"),
    ("au", "Australia"),
    ("de", "Germany"),
    ("kr", "South Korea"),
    ("mx", "Mexico"),
    ("in", "India"),
    ("nl", "Netherlands"),
    ("nz", "New Zealand"),
    ("ie", "Ireland"),
    ("za", "South Africa"),
];

pub(super) fn month_name(month: usize) -> &'static str {
    month.checked_sub(1).and_then(|index| MONTHS.get(index)).copied().unwrap_or("?")
}

pub(super) fn country_name(code: &str) -> String {
    COUNTRIES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or_else(|| code.to_uppercase(), |(_, name)| (*name).to_owned())
}

pub(super) fn text(part: Option<&str>) -> String {
    part.unwrap_or("–").to_owned()
}

/// A bar as long as `count` is to `most`; anything above zero is seen.
pub(super) fn bar(count: u64, most: u64) -> String {
    let length = (count * BAR_WIDTH).checked_div(most).unwrap_or(0).max(u64::from(count > 0));
    "█".repeat(usize::try_from(length).unwrap_or(0))
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds in the two largest units that they have: `3 y 36 d`, `2 h 5 min`.
pub(super) fn duration(ms: Option<u128>) -> String {
    const UNITS: [(&str, u128); 5] =
        [("y", 31_536_000_000), ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    let Some(ms) = ms else { return "–".into() };
    let Some(first) = UNITS.iter().position(|(_, unit)| ms >= *unit) else { return format!("{ms} ms") };
    let (name, unit) = UNITS[first];
    let mut shown = format!("{} {name}", grouped(ms / unit));
    if let Some((name, smaller)) = UNITS.get(first + 1)
        && ms % unit / smaller > 0
    {
        shown += &format!(" {} {name}", ms % unit / smaller);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        assert_eq!(duration(Some(97_836_000_000)), "3 y 37 d");
        assert_eq!(duration(Some(7_500_000)), "2 h 5 min");
        assert_eq!(duration(Some(3_600_000)), "1 h");
        assert_eq!(duration(Some(500)), "500 ms");
        assert_eq!(duration(None), "–");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(7_u64), "7");
        assert_eq!(grouped(123_456_u64), "123,456");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
    }
}
