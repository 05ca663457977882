//! The names in the lake: the one place that forms them.

use domain::{Topics, View, topics};
use engine::record::Partition;

/// Sightings are partitioned by the year of occurrence.
pub const YEAR: &str = "year";
/// Gold is partitioned by the partition of `ufo.aggregates` that its rows come from: whoever reads that replaces them.
pub const PARTITION: &str = "partition";

/// The tables of one generation of rules. As with the topics, the first one has the bare names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    suffix: String,
}

impl Tables {
    pub fn new(topics: &Topics) -> Self {
        let generation = topics.generation();
        let is_first = generation == topics::FIRST_GENERATION;
        Self { suffix: if is_first { String::new() } else { format!("-{generation}") } }
    }

    /// Shared by all generations, as its topic is.
    pub fn raw(&self) -> String {
        "bronze/raw".into()
    }

    pub fn sightings(&self) -> String {
        format!("silver/sightings{}", self.suffix)
    }

    pub fn rejects(&self) -> String {
        format!("silver/rejects{}", self.suffix)
    }

    pub fn gold(&self, view: View) -> String {
        format!("gold/{}{}", view.name(), self.suffix)
    }

    /// Every table, bronze first.
    pub fn all(&self) -> Vec<String> {
        let gold = View::ALL.map(|view| self.gold(view));
        [self.raw(), self.sightings(), self.rejects()].into_iter().chain(gold).collect()
    }
}

/// What a table's transactions call the reader of a partition of a topic: how far the table is with it.
pub(crate) fn app_id(topic: &str, partition: Partition) -> String {
    format!("{topic}/{partition}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bronze_is_shared_by_generations() {
        let of = |generation: &str| Tables::new(&Topics::new("ufo", generation)).all();
        let (one, two) = (of("v1"), of("v2"));
        assert_eq!(one[..4], ["bronze/raw", "silver/sightings", "silver/rejects", "gold/country"]);
        assert_eq!(two[..4], ["bronze/raw", "silver/sightings-v2", "silver/rejects-v2", "gold/country-v2"]);
        assert_eq!(one.len(), 13);
        assert_eq!(one.iter().filter(|name| two.contains(name)).count(), 1);
    }
}
