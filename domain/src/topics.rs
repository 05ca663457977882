//! The names of the topics: the one place that forms them.

/// The topics of one pipeline (`prefix`) and of one generation of its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
    generation: String,
}

/// The generation whose topics have the bare names.
pub const FIRST_GENERATION: &str = "v1";

impl Topics {
    pub fn new(prefix: impl Into<String>, generation: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), generation: generation.into() }
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// The source of truth, shared by all generations.
    pub fn raw(&self) -> String {
        format!("{}.raw", self.prefix)
    }

    /// How far each input file has been sent, shared by all generations.
    pub fn producer_progress(&self) -> String {
        format!("{}.producer-progress", self.prefix)
    }

    pub fn sightings(&self) -> String {
        self.of_generation("sightings")
    }

    pub fn rejects(&self) -> String {
        self.of_generation("rejects")
    }

    /// Compacted; also the changelog of the aggregates' state.
    pub fn aggregates(&self) -> String {
        self.of_generation("aggregates")
    }

    pub fn aggregates_repartition(&self) -> String {
        self.of_generation("aggregates-repartition")
    }

    pub fn seen_changelog(&self) -> String {
        self.of_generation("seen-changelog")
    }

    /// Compacted: how far each source of the windows has come.
    pub fn windows_changelog(&self) -> String {
        self.of_generation("windows-changelog")
    }

    /// A group, transactional id or application of this pipeline and generation.
    pub fn application(&self, name: &str) -> String {
        format!("{}-{name}-{}", self.prefix, self.generation)
    }

    fn of_generation(&self, name: &str) -> String {
        if self.generation == FIRST_GENERATION {
            format!("{}.{name}", self.prefix)
        } else {
            format!("{}.{name}-{}", self.prefix, self.generation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_raw_and_progress_are_shared_by_generations() {
        let (one, two) = (Topics::new("ufo", "v1"), Topics::new("ufo", "v2"));
        assert_eq!(one.sightings(), "ufo.sightings");
        assert_eq!(two.sightings(), "ufo.sightings-v2");
        assert_eq!(one.raw(), two.raw());
        assert_eq!(two.application("processor"), "ufo-processor-v2");
    }
}
