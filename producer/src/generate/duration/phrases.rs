//! Lengths and the words for them, with how often the real file has each.

/// A text with places: `#` the number, `<` a lower one, `W` the number in words, `U` the unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) text: &'static str,
}

const fn form(text: &'static str, weight: u64) -> (Form, u64) {
    (Form { text }, weight)
}

pub(super) const FORMS: [(Form, u64); 35] = [
    form("# U", 6_300),
    form("<-# U", 1_120),
    form("#U", 420),
    form("< to # U", 160),
    form("W U", 130),
    form("< - # U", 80),
    form("~# U", 85),
    form("about # U", 105),
    form("#+ U", 45),
    form("<-#U", 40),
    form("# U?", 30),
    form("# U +", 30),
    form("approx. # U", 45),
    form("approx # U", 35),
    form("< or # U", 30),
    form("less than # U", 28),
    form("about W U", 22),
    form("#  U", 12),
    form("over # U", 12),
    form("# U or so", 12),
    form("at least # U", 10),
    form("# U or less", 9),
    form("# U plus", 9),
    form("about#U", 7),
    form("# U or more", 8),
    form("approximately # U", 8),
    form("# U approx", 8),
    form("maybe # U", 6),
    form("# U total", 4),
    form("# U at most", 3),
    form("# U&#44 then gone", 3),
    form("# U&#44 maybe more", 3),
    form("# U &amp; counting", 2),
    form("# U (on film)", 2),
    form("it&#39s been # U", 2),
];

/// One, many.
pub(super) const SECOND_UNITS: [(&str, &str, u64); 7] = [
    ("second", "seconds", 640),
    ("sec", "sec", 95),
    ("sec.", "sec.", 60),
    ("sec", "secs", 25),
    ("sec.", "secs.", 4),
    ("secound", "secounds", 2),
    ("secs", "seconds.", 2),
];
pub(super) const MINUTE_UNITS: [(&str, &str, u64); 9] = [
    ("minute", "minutes", 650),
    ("min", "min", 130),
    ("min.", "min.", 58),
    ("min", "mins", 46),
    ("min.", "mins.", 6),
    ("minute", "minuts", 4),
    ("mintue", "mintues", 3),
    ("minuet", "minuets", 2),
    ("minite", "minites", 1),
];
pub(super) const HOUR_UNITS: [(&str, &str, u64); 4] =
    [("hour", "hours", 640), ("hr", "hrs", 90), ("hr.", "hrs.", 40), ("hr", "hr", 12)];

/// Words for 1 to 12, 15, 20 and 30.
pub(super) const WORDS: [&str; 31] = [
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "", "", "fifteen", "", "", "", "", "twenty", "", "", "", "", "", "", "", "", "", "thirty",
];

pub(super) const VAGUE_SECONDS: [&str; 8] = [
    "seconds",
    "few seconds",
    "a few seconds",
    "several seconds",
    "a split second",
    "couple of seconds",
    "brief",
    "instant",
];
pub(super) const VAGUE_MINUTES: [&str; 6] =
    ["several minutes", "few minutes", "a few minutes", "minutes", "a couple of minutes", "couple minutes"];
pub(super) const HALF_AN_HOUR: [&str; 3] = ["1/2 hour", "half hour", "half an hour"];
pub(super) const AN_HOUR: [&str; 5] = ["one hour", "hour", "an hour", "about an hour", "1 hour +"];
pub(super) const HOUR_AND_A_HALF: [&str; 5] =
    ["1 hr 30 min", "1 1/2 hours", "1.5 hours", "1&#189; hours", "an hour and a half"];
pub(super) const VAGUE_HOURS: [&str; 5] =
    ["hours", "several hours", "a few hours", "couple of hours", "ongoing"];

/// Seconds of common lengths.
pub(super) const SECONDS: [(u32, u64); 80] = [
    (300, 7865),
    (120, 6458),
    (600, 5744),
    (60, 5229),
    (180, 4603),
    (900, 3712),
    (30, 3306),
    (10, 3015),
    (1_200, 2727),
    (5, 2664),
    (1_800, 2512),
    (3_600, 1995),
    (2, 1949),
    (15, 1906),
    (240, 1883),
    (20, 1736),
    (3, 1458),
    (7_200, 1065),
    (2_700, 958),
    (45, 922),
    (4, 825),
    (420, 799),
    (90, 636),
    (1, 627),
    (360, 568),
    (480, 543),
    (10_800, 467),
    (6, 449),
    (1_500, 425),
    (7, 413),
    (8, 386),
    (40, 358),
    (2_400, 356),
    (25, 279),
    (5_400, 268),
    (720, 230),
    (14_400, 217),
    (12, 172),
    (2_100, 164),
    (35, 111),
    (18_000, 108),
    (50, 93),
    (21_600, 80),
    (540, 79),
    (3_000, 76),
    (9_000, 63),
    (150, 56),
    (9, 52),
    (780, 50),
    (4_500, 48),
    (1_080, 46),
    (1_020, 42),
    (660, 37),
    (86_400, 32),
    (960, 31),
    (172_800, 29),
    (1_380, 29),
    (105, 29),
    (6_300, 28),
    (70, 28),
    (1_320, 26),
    (259_200, 25),
    (28_800, 24),
    (75, 23),
    (1_260, 23),
    (3_300, 20),
    (432_000, 7),
    (25_200, 18),
    (36_000, 12),
    (43_200, 9),
    (55, 16),
    (11, 15),
    (13, 14),
    (14, 12),
    (18, 12),
    (22, 10),
    (80, 9),
    (100, 8),
    (345_600, 6),
    (12_600, 6),
];

/// Fractions of a second, and texts of two units.
pub(super) const ODD: [(&str, &str); 19] = [
    ("0.5", "1/2 second"),
    ("0.5", "half a second"),
    (".5", ".5 seconds"),
    ("0.2", "a blink"),
    ("0.1", "1/10 second"),
    ("1.5", "1-2 seconds"),
    ("1.5", "1.5 seconds"),
    ("2.5", "2-3 sec"),
    ("3.5", "3 or 4 seconds"),
    ("60.3", "1 min"),
    ("45", "30 sec to 1 min"),
    ("90", "1 min 30 sec"),
    ("150", "2 min 30 seconds"),
    ("75", "1 minute 15 seconds"),
    ("5400", "1 hour 30 minutes"),
    ("7", "six to seven seconds"),
    ("5", "about5seconds"),
    ("37800", "10:30 until morning"),
    ("1200", "20 min&#39s"),
];

/// Seconds with a slip of the pen behind them, or none at all.
pub(super) const BROKEN: [(&str, &str); 5] =
    [("2`", "2 seconds"), ("8`", "8 sec"), ("0.5`", "half second"), ("", "45 minutes"), ("", "a while")];

/// Durations that nobody believes: a few rows that carry most of all the time.
pub(super) const LONG: [(&str, &str, u64); 14] = [
    ("777600", "9 days", 2),
    ("1209600", "2 weeks", 8),
    ("1209600", "two weeks", 3),
    ("1814400", "3 weeks", 3),
    ("2419200", "4 weeks", 2),
    ("2631600", "1 month", 6),
    ("5263200", "2 months", 5),
    ("7894800", "3 months", 3),
    ("10526400", "4 months", 3),
    ("15789600", "6 months", 2),
    ("31579200", "one year", 2),
    ("52632000", "20 months", 1),
    ("63158400", "2 years", 1),
    ("97836000", "three years", 1),
];
