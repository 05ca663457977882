//! The figures of the questions that people ask of this data, as small tables. Pure: aggregates in, text out.

mod format;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use domain::{Aggregate, Key, Part, View};
use format::{bar, country_name, duration, grouped, month_name, text};

const PLACES_SHOWN: usize = 10;
const SHAPES_SHOWN: usize = 10;
const COUNTRIES_SHOWN: usize = 12;

/// The current aggregates, by view and key.
pub type Aggregates = BTreeMap<(View, Key), Aggregate>;

/// The tables, one below the other. `home` is the country whose own view is shown.
pub fn figures(aggregates: &Aggregates, home: &str) -> String {
    let mut out = String::new();
    for (title, table) in [
        ("Sightings by country: how many, how long", countries(aggregates, home)),
        ("Where a sighting is most likely", places(aggregates)),
        ("When: by month", months(aggregates, None)),
        ("What it looks like", shapes(aggregates)),
    ] {
        let _ = writeln!(out, "\n{title}\n{table}");
    }
    let name = country_name(home);
    let months = months(aggregates, Some(home));
    let count = of_view(aggregates, View::Country)
        .find(|(key, _)| part(key, 0) == Some(home))
        .map_or(0, |(_, aggregate)| aggregate.count);
    if count == 0 {
        let _ = writeln!(out, "\nDomestic ({name}): no sightings (another country: --home CODE)");
    } else {
        let _ = writeln!(out, "\nDomestic ({name}): {} sightings, by month\n{months}", grouped(count));
    }
    out
}

fn of_view(aggregates: &Aggregates, view: View) -> impl Iterator<Item = (&Key, &Aggregate)> {
    aggregates.iter().filter(move |((of, _), _)| *of == view).map(|((_, key), aggregate)| (key, aggregate))
}

fn part(key: &Key, index: usize) -> Option<&str> {
    match key.0.get(index) {
        Some(Part::Text(text)) => Some(text),
        Some(Part::Number(_) | Part::Null) | None => None,
    }
}

fn number(key: &Key, index: usize) -> Option<i64> {
    match key.0.get(index) {
        Some(Part::Number(number)) => Some(*number),
        Some(Part::Text(_) | Part::Null) | None => None,
    }
}

fn table(head: &[&str], right_from: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(head);
    for index in right_from..head.len() {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn countries(aggregates: &Aggregates, home: &str) -> Table {
    let mut rows: Vec<_> = of_view(aggregates, View::Country).collect();
    let total: u128 = rows.iter().map(|(_, aggregate)| aggregate.total_duration_ms).sum();
    let plausible: u128 = rows.iter().map(|(_, aggregate)| aggregate.total_plausible_ms).sum();
    let count: u64 = rows.iter().map(|(_, aggregate)| aggregate.count).sum();
    let longest = rows.iter().filter_map(|(_, aggregate)| aggregate.max_duration_ms).max();
    let longest_plausible = rows.iter().filter_map(|(_, aggregate)| aggregate.max_plausible_ms).max();

    let mut by_time: Vec<u128> = rows.iter().map(|(_, aggregate)| aggregate.total_duration_ms).collect();
    by_time.sort_unstable_by(|left, right| right.cmp(left));
    let rank = |time: u128| 1 + by_time.partition_point(|other| *other > time);

    rows.sort_by(|left, right| right.1.count.cmp(&left.1.count).then(left.0.cmp(right.0)));
    let most = rows.first().map_or(0, |(_, aggregate)| aggregate.count);
    let head = ["country", "", "count", "longest", "longest ≤ 7 d", "total time", "rank", "total ≤ 7 d"];
    let mut table = table(&head, 2);
    for (place, (key, aggregate)) in rows.iter().enumerate() {
        let country = part(key, 0);
        let is_home = country == Some(home);
        if place >= COUNTRIES_SHOWN && !is_home {
            continue;
        }
        let name = country.map_or_else(|| "(not known)".to_owned(), country_name);
        table.add_row([
            if is_home { format!("{name} ◂ home") } else { name },
            bar(aggregate.count, most),
            grouped(aggregate.count),
            duration(aggregate.max_duration_ms.map(u128::from)),
            duration(aggregate.max_plausible_ms.map(u128::from)),
            duration(Some(aggregate.total_duration_ms)),
            rank(aggregate.total_duration_ms).to_string(),
            duration(Some(aggregate.total_plausible_ms)),
        ]);
    }
    table.add_row([
        format!("all {} countries", rows.len()),
        String::new(),
        grouped(count),
        duration(longest.map(u128::from)),
        duration(longest_plausible.map(u128::from)),
        duration(Some(total)),
        String::new(),
        duration(Some(plausible)),
    ]);
    table
}

fn places(aggregates: &Aggregates) -> Table {
    let mut rows: Vec<_> = of_view(aggregates, View::Place).collect();
    rows.sort_by(|left, right| right.1.count.cmp(&left.1.count).then(left.0.cmp(right.0)));
    let most = rows.first().map_or(0, |(_, aggregate)| aggregate.count);
    let mut table = table(&["city", "state", "country", "", "count"], 4);
    for (key, aggregate) in rows.into_iter().take(PLACES_SHOWN) {
        table.add_row([
            text(part(key, 2)),
            text(part(key, 1)),
            text(part(key, 0)),
            bar(aggregate.count, most),
            grouped(aggregate.count),
        ]);
    }
    table
}

fn months(aggregates: &Aggregates, country: Option<&str>) -> Table {
    let mut counts = [0_u64; 12];
    for (key, aggregate) in of_view(aggregates, View::Month) {
        if country.is_some() && part(key, 0) != country {
            continue;
        }
        let month = number(key, 1).and_then(|month| usize::try_from(month - 1).ok());
        if let Some(count) = month.and_then(|month| counts.get_mut(month)) {
            *count += aggregate.count;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut table = table(&["month", "", "count"], 2);
    for (month, count) in (1..).zip(counts) {
        table.add_row([month_name(month).to_owned(), bar(count, most), grouped(count)]);
    }
    table
}

fn shapes(aggregates: &Aggregates) -> Table {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, aggregate) in of_view(aggregates, View::Shape) {
        *counts.entry(part(key, 1).unwrap_or("unknown")).or_default() += aggregate.count;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
    let most = counts.first().map_or(0, |(_, count)| *count);
    let mut table = table(&["shape", "", "count"], 2);
    for (shape, count) in counts.into_iter().take(SHAPES_SHOWN) {
        table.add_row([shape.to_owned(), bar(count, most), grouped(count)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(count: u64, total_ms: u64, max_ms: u64) -> Aggregate {
        Aggregate {
            count,
            with_duration: count,
            total_duration_ms: total_ms.into(),
            max_duration_ms: Some(max_ms),
            total_plausible_ms: total_ms.into(),
            max_plausible_ms: Some(max_ms),
            ..Aggregate::default()
        }
    }

    #[test]
    fn countries_are_ranked_by_time_and_sorted_by_count() {
        let key = |country: &str| (View::Country, Key(vec![Part::Text(country.into())]));
        let aggregates = Aggregates::from([
            (key("us"), aggregate(1_234, 60_000, 30_000)),
            (key("kr"), aggregate(2, 3_600_000, 1_800_000)),
        ]);
        let shown = countries(&aggregates, "kr").to_string();
        let lines: Vec<_> =
            shown.lines().filter(|line| line.contains("home") || line.contains("United")).collect();
        assert!(lines[0].contains("United States") && lines[0].contains("1,234"), "{shown}");
        assert!(lines[0].trim_end().contains(" 2 "), "second by time\n{shown}");
        assert!(lines[1].contains("South Korea ◂ home") && lines[1].contains("1 h"), "{shown}");
    }

    #[test]
    fn an_empty_run_has_tables_too() {
        let shown = figures(&Aggregates::new(), "kr");
        assert!(shown.contains("no sightings"), "{shown}");
    }
}
