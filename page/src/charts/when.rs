//! When: months, seasons, the timeline, the hours of the week.

use std::collections::BTreeMap;

use domain::Season;

use super::Look;
use crate::facts::Hemisphere;
use crate::table::{Table, Value};

const NO_HEMISPHERE: &str = "Hemispheres are shown once the sightings themselves are read.";

impl Look<'_> {
    /// Twelve rows; by hemisphere as far as the sightings are read.
    pub(super) fn months(&self) -> Table {
        let mut table = Table::new(&["month", "count", "north", "south", "unknown"]);
        let by_facts = self.filter.needs_facts();
        let [north, south, unknown] =
            [Hemisphere::North, Hemisphere::South, Hemisphere::Unknown].map(|half| self.answer.months(half));
        let of_facts: [u64; 12] = std::array::from_fn(|month| north[month] + south[month] + unknown[month]);
        let mut counts = of_facts;
        if !by_facts {
            counts = [0; 12];
            for (_, month, count) in
                self.aggregates.months().filter(|(of, ..)| self.filter.takes_country(*of))
            {
                if let Some(sum) = counts.get_mut(usize::from(month).wrapping_sub(1)) {
                    *sum += count;
                }
            }
        }
        let note = self.of_facts();
        let has_hemispheres = by_facts || note.is_none();
        for (month, count) in counts.iter().enumerate() {
            let half = |counts: &[u64; 12]| has_hemispheres.then(|| counts[month]).into();
            table.push(vec![
                (month as u64 + 1).into(),
                (*count).into(),
                half(north),
                half(south),
                half(unknown),
            ]);
        }
        let missing = (!has_hemispheres).then(|| NO_HEMISPHERE.to_owned());
        table.noted(if by_facts { note } else { missing })
    }

    pub(super) fn seasons(&self) -> Table {
        let mut table = Table::new(&["season", "count"]);
        let by_facts = self.filter.needs_facts();
        let mut counts = self.answer.seasons();
        if !by_facts {
            counts.iter_mut().for_each(|(_, count)| *count = 0);
            for (_, season, count) in
                self.aggregates.seasons().filter(|(of, ..)| self.filter.takes_country(*of))
            {
                let season = season.and_then(Season::from_name);
                if let Some((_, sum)) = counts.iter_mut().find(|(of, _)| *of == season) {
                    *sum += count;
                }
            }
        }
        for (season, count) in counts {
            table.push(vec![season.map(Season::name).into(), count.into()]);
        }
        table.noted(by_facts.then(|| self.of_facts()).flatten())
    }

    pub(super) fn timeline(&self) -> Table {
        let mut table = Table::new(&["year", "month", "count"]);
        // Years alone need no sightings: the view has them.
        let by_facts = self.filter.shape.is_some();
        let mut counts = BTreeMap::new();
        match by_facts {
            true => counts.extend(self.answer.timeline().map(|(year, month, count)| ((year, month), count))),
            false => {
                let ours = self.aggregates.timeline();
                let ours = ours.filter(|(country, year, ..)| {
                    self.filter.takes_country(*country) && self.filter.takes_year(*year)
                });
                for (_, year, month, count) in ours {
                    *counts.entry((year, month)).or_insert(0) += count;
                }
            }
        }
        for ((year, month), count) in counts {
            table.push(vec![u64::from(year).into(), u64::from(month).into(), count.into()]);
        }
        table.noted(by_facts.then(|| self.of_facts()).flatten())
    }

    /// 168 rows, from Monday 0:00 on.
    pub(super) fn hours(&self) -> Table {
        let mut table = Table::new(&["weekday", "hour", "count"]);
        let by_facts = self.filter.needs_facts();
        let mut counts = self.answer.hours().to_vec();
        if !by_facts {
            counts.fill(0);
            for (_, hour, count) in self.aggregates.hours().filter(|(of, ..)| self.filter.takes_country(*of))
            {
                if let Some(sum) = counts.get_mut(usize::from(hour)) {
                    *sum += count;
                }
            }
        }
        for (hour, count) in (0_u64..).zip(counts) {
            table.push(vec![(hour / 24 + 1).into(), (hour % 24).into(), count.into()]);
        }
        table.noted(by_facts.then(|| self.of_facts()).flatten())
    }

    /// Months of the country that the page calls home.
    pub(super) fn domestic(&self) -> Table {
        let mut table = Table::new(&["country", "month", "count"]);
        let mut counts = [0_u64; 12];
        for (country, month, count) in self.aggregates.months() {
            let is_home = country.is_some_and(|country| country.as_str() == self.home);
            if let Some(sum) = counts.get_mut(usize::from(month).wrapping_sub(1)).filter(|_| is_home) {
                *sum += count;
            }
        }
        for (month, count) in (1_u64..).zip(counts) {
            table.push(vec![Value::Text(self.home.to_owned()), month.into(), count.into()]);
        }
        table
    }
}
