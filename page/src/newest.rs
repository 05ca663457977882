//! The newest sightings and rejects, a bounded number of them, each cut to a bounded length.

use std::collections::BTreeMap;

use domain::{CivilTime, Country, Reject, RejectCode, Sighting};
use engine::record::Record;

use crate::facts::place_text;
use crate::filter::Filter;
use crate::table::{Table, Value};

const SIGHTINGS_MAX: usize = 300;
const REJECTS_MAX: usize = 100;
const SHOWN_MAX: usize = 30;
const TEXT_CHARS_MAX: usize = 240;

pub(crate) const SIGHTINGS: &[&str] =
    &["occurred_at", "city", "state", "country", "shape", "duration_ms", "comments"];
pub(crate) const REJECTS: &[&str] = &["rejected_at_ms", "code", "message", "record", "bytes"];

/// When the record was written, and where it is: an order that is the same for every reader.
type At = (i64, u32, u64);

/// The last of what came, by when it was written.
#[derive(Clone, Debug)]
struct Newest<T> {
    max: usize,
    rows: BTreeMap<At, T>,
}

impl<T> Newest<T> {
    fn new(max: usize) -> Self {
        Self { max, rows: BTreeMap::new() }
    }

    fn offer(&mut self, record: Record<'_>, row: impl FnOnce() -> T) {
        let at = (record.timestamp_ms, record.partition.0, record.offset);
        if self.rows.len() >= self.max && self.rows.first_key_value().is_some_and(|(oldest, _)| at < *oldest)
        {
            return;
        }
        self.rows.insert(at, row());
        while self.rows.len() > self.max {
            self.rows.pop_first();
        }
    }
}

#[derive(Clone, Debug)]
struct Seen {
    occurred_at: CivilTime,
    country: Option<Country>,
    /// State and city.
    place: Box<str>,
    shape: Box<str>,
    duration_ms: Option<u64>,
    comments: Box<str>,
}

#[derive(Clone, Debug)]
pub(crate) struct NewestSightings(Newest<Seen>);

impl Default for NewestSightings {
    fn default() -> Self {
        Self(Newest::new(SIGHTINGS_MAX))
    }
}

impl NewestSightings {
    pub(crate) fn offer(&mut self, record: Record<'_>, sighting: &Sighting<'_>) {
        self.0.offer(record, || {
            let mut place = String::new();
            place_text(sighting.state.as_deref(), sighting.city.as_deref(), &mut place);
            Seen {
                occurred_at: sighting.occurred_at,
                country: sighting.country,
                place: cut(&place),
                shape: cut(&sighting.shape),
                duration_ms: sighting.duration_ms,
                comments: cut(&sighting.comments),
            }
        });
    }

    /// Those of the filter among the newest, newest first.
    pub(crate) fn table(&self, filter: &Filter) -> Table {
        let mut table = Table::new(SIGHTINGS);
        let takes = |seen: &&Seen| {
            let year = u16::try_from(seen.occurred_at.year()).unwrap_or(0);
            filter.takes_country(seen.country) && filter.takes_shape(&seen.shape) && filter.takes_year(year)
        };
        for seen in self.0.rows.values().rev().filter(takes).take(SHOWN_MAX) {
            let (state, city) = crate::facts::place_parts(&seen.place);
            table.push(vec![
                Value::Text(seen.occurred_at.to_string()),
                city.into(),
                state.into(),
                seen.country.as_ref().map(Country::as_str).into(),
                (&*seen.shape).into(),
                seen.duration_ms.into(),
                (&*seen.comments).into(),
            ]);
        }
        let is_filtered = filter.country.is_some() || filter.needs_facts();
        let note = is_filtered
            .then(|| format!("Those of your filter among the last {} that came.", self.0.rows.len()));
        table.noted(note)
    }
}

#[derive(Clone, Debug)]
struct Refused {
    at_ms: i64,
    code: RejectCode,
    message: Box<str>,
    /// Topic, partition, offset.
    record: Box<str>,
    bytes: Box<str>,
}

#[derive(Clone, Debug)]
pub(crate) struct NewestRejects {
    newest: Newest<Refused>,
    by_code: BTreeMap<RejectCode, u64>,
}

impl Default for NewestRejects {
    fn default() -> Self {
        Self { newest: Newest::new(REJECTS_MAX), by_code: BTreeMap::new() }
    }
}

impl NewestRejects {
    pub(crate) fn take(&mut self, record: Record<'_>, reject: &Reject<'_>) {
        *self.by_code.entry(reject.code).or_default() += 1;
        self.newest.offer(record, || Refused {
            at_ms: reject.rejected_at_ms,
            code: reject.code,
            message: cut(&reject.message),
            record: format!("{} {}:{}", reject.topic, reject.partition, reject.offset).into(),
            bytes: cut(&String::from_utf8_lossy(&reject.bytes[..reject.bytes.len().min(4 * TEXT_CHARS_MAX)])),
        });
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(REJECTS);
        for refused in self.newest.rows.values().rev().take(SHOWN_MAX) {
            table.push(vec![
                u64::try_from(refused.at_ms).ok().into(),
                refused.code.name().into(),
                (&*refused.message).into(),
                (&*refused.record).into(),
                (&*refused.bytes).into(),
            ]);
        }
        table
    }

    /// Code, count.
    pub(crate) fn by_code(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.by_code.iter().map(|(code, count)| (code.name(), *count))
    }
}

/// A text as long as a person reads.
fn cut(text: &str) -> Box<str> {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use engine::record::Partition;

    use super::*;

    fn record(timestamp_ms: i64, offset: u64) -> Record<'static> {
        Record { partition: Partition(0), offset, timestamp_ms, key: None, value: None }
    }

    #[test]
    fn the_last_written_are_kept_in_any_order_of_reading() {
        let (mut one, mut other) = (Newest::new(3), Newest::new(3));
        for at in [5, 1, 4, 2, 3, 5] {
            one.offer(record(at, at.unsigned_abs()), || at);
        }
        for at in 1..=5 {
            other.offer(record(at, at.unsigned_abs()), || at);
        }
        assert_eq!(one.rows, other.rows);
        assert_eq!(one.rows.into_values().collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let text = "ü".repeat(TEXT_CHARS_MAX + 1);
        assert_eq!(cut(&text).chars().count(), TEXT_CHARS_MAX + 1);
        assert_eq!(&*cut("short"), "short");
    }
}
