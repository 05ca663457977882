//! Names of places that do not exist, by the tens of thousands.

use super::super::random::Random;

const STEMS: [&str; 96] = [
    "alder", "amber", "ash", "aspen", "badger", "barn", "bay", "bear", "beaver", "birch", "black", "blue",
    "bridge", "briar", "bright", "brook", "buck", "canyon", "cedar", "chapel", "cherry", "clay", "clear",
    "clover", "cold", "copper", "cotton", "crane", "crow", "dawn", "deer", "dove", "eagle", "ebon", "elk",
    "elm", "ember", "fair", "falcon", "fern", "finch", "flint", "fox", "frost", "glen", "gold", "granite",
    "green", "hale", "harvest", "hawk", "hazel", "heron", "hollow", "holly", "honey", "iron", "ivy",
    "juniper", "kestrel", "lark", "laurel", "lime", "linden", "long", "lynx", "maple", "marsh", "mead",
    "mill", "moss", "oak", "otter", "owl", "pebble", "pine", "plum", "quail", "raven", "red", "robin",
    "rose", "sage", "sand", "silver", "snow", "spruce", "star", "stone", "sun", "swan", "thorn", "timber",
    "walnut", "willow", "winter",
];

const ENDINGS: [&str; 44] = [
    "ville",
    "ton",
    "field",
    "wood",
    "dale",
    "burg",
    "port",
    "view",
    "brook",
    "ford",
    "land",
    "ridge",
    "crest",
    "haven",
    "bury",
    "ham",
    "stead",
    "worth",
    "mont",
    "side",
    "gate",
    "by",
    "ley",
    "more",
    "mere",
    "wick",
    " springs",
    " falls",
    " city",
    " park",
    " hills",
    " creek",
    " beach",
    " heights",
    " valley",
    " grove",
    " lake",
    " junction",
    " point",
    " hollow",
    " island",
    " bluff",
    " harbor",
    " mills",
];

const PREFIXES: [&str; 14] = [
    "north ", "south ", "east ", "west ", "new ", "old ", "upper ", "lower ", "fort ", "mount ", "lake ",
    "port ", "st. ", "point ",
];

/// Some name; most have no prefix.
pub(super) fn name(random: &mut Random) -> String {
    let prefix = if random.permille(220) { *random.of(&PREFIXES) } else { "" };
    format!("{prefix}{}{}", random.of(&STEMS), random.of(&ENDINGS))
}

/// What people write around a name where a gazetteer would have found nothing.
pub(super) fn untidy(name: &str, random: &mut Random) -> String {
    let other = self::name(random);
    match random.below(100) {
        0..=24 => format!("{name}/{other}"),
        25..=31 => format!("{name}/{other} (between)"),
        32..=36 => format!("{name} (near)"),
        37..=40 => format!("{name} (rural)"),
        41..=50 => format!("{name} township"),
        51..=56 => format!("{name} & {other}"),
        57..=62 => format!("{name}, {other}"),
        63..=66 => format!("{name} area"),
        67..=69 => format!(
            "{name} ({} miles {} of, on i-{})",
            random.between(2, 40),
            side(random),
            random.between(5, 95)
        ),
        70..=71 => format!("{name} (in-flight sighting)"),
        72..=73 => format!("{name} ?"),
        74 if random.permille(300) => format!("{name} ({other}"),
        75..=76 => format!("{name}  {other}"),
        77..=78 => format!("{name}'s corner"),
        79 => format!("interstate {} (near {name})", random.between(5, 95)),
        80 => format!("\"{name}\""),
        _ => slipped(name, random),
    }
}

/// What the tidy ones have too, now and then.
pub(super) fn noted(name: &str, random: &mut Random) -> String {
    match random.below(12) {
        0..=2 => format!("{name} (near)"),
        3..=4 => format!("{name} ({} of)", side(random)),
        5 => format!("{name} (outside of)"),
        6 => format!("{name} (rural)"),
        7 => format!("{name} ({} miles {} of)", random.between(2, 30), side(random)),
        8 => format!("{name} (above)"),
        9 => format!("{name} (downtown)"),
        10 => format!("{name}'s landing"),
        _ => format!("{name} (outskirts of, {} side)", side(random)),
    }
}

fn side(random: &mut Random) -> &'static str {
    const SIDES: [&str; 6] = ["north", "south", "east", "west", "southeast", "northwest"];
    random.of::<&str>(&SIDES)
}

/// A letter too few, too many, or two in the wrong order.
fn slipped(name: &str, random: &mut Random) -> String {
    let mut letters = name.as_bytes().to_vec();
    let at = random.between(1, letters.len() as u32 - 2) as usize;
    match random.below(3) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    String::from_utf8(letters).unwrap_or_else(|_| name.to_owned())
}
