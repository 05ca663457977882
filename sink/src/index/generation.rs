//! Which generation of the indexes answers: the only place that names indexes and aliases, makes them and moves them.

use std::collections::{BTreeMap, BTreeSet};

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use super::client::Index;
use super::document::Kind;
use super::error::IndexError;
use super::mapping::{index_body, mappings, template_body};

/// Elasticsearch takes 255 bytes; `-aggregates-` and a prefix have to fit as well.
const PART_BYTES_MAX: usize = 80;

/// The names of one pipeline's indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The pipeline's prefix (`ufo`), which becomes part of index names.
    pub fn new(prefix: &str) -> Result<Self, IndexError> {
        check_part(prefix)?;
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// What people and dashboards ask: `ufo-sightings`.
    pub fn alias(&self, kind: Kind) -> String {
        format!("{}-{}", self.prefix, kind.name())
    }

    /// What is written: `ufo-sightings-v1`.
    pub fn index(&self, kind: Kind, generation: &str) -> Result<String, IndexError> {
        check_part(generation)?;
        Ok(format!("{}-{generation}", self.alias(kind)))
    }

    fn pattern(&self, kind: Kind) -> String {
        format!("{}-*", self.alias(kind))
    }

    /// The generation of an index of ours.
    fn generation_of<'i>(&self, kind: Kind, index: &'i str) -> Option<&'i str> {
        index.strip_prefix(&self.alias(kind))?.strip_prefix('-')
    }
}

fn check_part(part: &str) -> Result<(), IndexError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let starts_plain =
        part.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if starts_plain && part.len() <= PART_BYTES_MAX && part.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(IndexError::Name { value: part.to_owned() })
    }
}

/// The indexes behind each alias.
pub type Aliases = BTreeMap<Kind, BTreeSet<String>>;

/// What to do about the aliases before anything is written.
fn first_aliases(names: &Names, aliases: &Aliases, generation: &str) -> Result<Vec<Value>, IndexError> {
    // All three show one generation: an alias that is missing beside others is added only to theirs.
    let is_ours = |(kind, indexes): (&Kind, &BTreeSet<String>)| {
        indexes.iter().all(|index| names.generation_of(*kind, index) == Some(generation))
    };
    if !aliases.iter().all(is_ours) {
        return Ok(Vec::new());
    }
    let missing = Kind::ALL.into_iter().filter(|kind| !aliases.contains_key(kind));
    missing.map(|kind| add(names, kind, generation)).collect()
}

fn add(names: &Names, kind: Kind, generation: &str) -> Result<Value, IndexError> {
    Ok(json!({ "add": { "index": names.index(kind, generation)?, "alias": names.alias(kind) } }))
}

/// One request that takes every alias away from all other generations and gives it to this one.
fn switch_actions(names: &Names, aliases: &Aliases, generation: &str) -> Result<Vec<Value>, IndexError> {
    let mut actions = Vec::new();
    for kind in Kind::ALL {
        let index = names.index(kind, generation)?;
        for other in aliases.get(&kind).into_iter().flatten().filter(|other| **other != index) {
            actions.push(json!({ "remove": { "index": other, "alias": names.alias(kind) } }));
        }
        actions.push(add(names, kind, generation)?);
    }
    Ok(actions)
}

/// Two first sinks of two generations may both have added aliases: the generation that sorts first keeps them.
fn settle_actions(names: &Names, aliases: &Aliases) -> Vec<Value> {
    let mut actions = Vec::new();
    for (kind, indexes) in aliases {
        for index in indexes.iter().skip(1) {
            actions.push(
                json!({ "remove": { "index": index, "alias": names.alias(*kind), "must_exist": false } }),
            );
        }
    }
    actions
}

impl Index {
    /// Makes what is missing for this generation: templates, indexes, and the aliases where nothing answers yet.
    /// May be called again and by several sinks at once.
    pub fn prepare(&self, names: &Names, generation: &str) -> Result<(), IndexError> {
        for kind in Kind::ALL {
            let template = template_body(kind, &names.pattern(kind), &self.settings.shape);
            self.ask(Method::Put, &format!("/_index_template/{}", names.alias(kind)), Some(&template))?;
            self.create(kind, &names.index(kind, generation)?)?;
        }
        let actions = first_aliases(names, &self.aliases(names)?, generation)?;
        if actions.is_empty() {
            return Ok(());
        }
        self.change_aliases(actions)?;
        let doubled = settle_actions(names, &self.aliases(names)?);
        if !doubled.is_empty() {
            match self.change_aliases(doubled) {
                // The other sink has settled it.
                Ok(()) | Err(IndexError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        info!(generation, "the aliases show generation {generation}");
        Ok(())
    }

    fn create(&self, kind: Kind, name: &str) -> Result<(), IndexError> {
        match self.ask(Method::Put, &format!("/{name}"), Some(&index_body(kind, &self.settings.shape))) {
            Ok(_) => {
                info!(index = name, "created index {name}");
                Ok(())
            }
            Err(IndexError::Refused { status: 400, reason, .. })
                if reason.starts_with("resource_already_exists_exception") =>
            {
                self.add_fields(kind, name)
            }
            Err(IndexError::Refused { status: 400, reason, .. }) => {
                Err(IndexError::Misfit { name: name.to_owned(), reason })
            }
            Err(error) => Err(error),
        }
    }

    /// An index of an earlier version of ours gets the fields that it lacks; other types for the same fields are a misfit.
    fn add_fields(&self, kind: Kind, name: &str) -> Result<(), IndexError> {
        match self.ask(Method::Put, &format!("/{name}/_mapping"), Some(&mappings(kind))) {
            Ok(_) => Ok(()),
            Err(IndexError::Refused { status: 400, reason, .. }) => {
                Err(IndexError::Misfit { name: name.to_owned(), reason })
            }
            Err(error) => Err(error),
        }
    }

    /// Moves all three aliases to `generation` at once: no question meets two generations or none.
    pub fn switch(&self, names: &Names, generation: &str) -> Result<(), IndexError> {
        for kind in Kind::ALL {
            let name = names.index(kind, generation)?;
            if self
                .ask(Method::Get, &format!("/{name}/_settings?filter_path=*.settings.index.uuid"), None)?
                .is_none()
            {
                return Err(IndexError::Missing { name });
            }
        }
        self.change_aliases(switch_actions(names, &self.aliases(names)?, generation)?)?;
        info!(generation, "the aliases show generation {generation}");
        Ok(())
    }

    /// The generation that answers, where there is one.
    pub fn active(&self, names: &Names) -> Result<Option<String>, IndexError> {
        let aliases = self.aliases(names)?;
        let mut all = aliases.iter().flat_map(|(kind, indexes)| {
            indexes.iter().filter_map(|index| names.generation_of(*kind, index)).map(str::to_owned)
        });
        Ok(all.next())
    }

    /// The generations that have an index, in alphabetical order.
    pub fn generations(&self, names: &Names) -> Result<BTreeSet<String>, IndexError> {
        let mut generations = BTreeSet::new();
        for kind in Kind::ALL {
            let path = format!("/{}/_settings?filter_path=*.settings.index.uuid", names.pattern(kind));
            let indexes: BTreeMap<String, Value> = self.read(Method::Get, &path)?.unwrap_or_default();
            generations.extend(
                indexes.keys().filter_map(|index| names.generation_of(kind, index)).map(str::to_owned),
            );
        }
        Ok(generations)
    }

    /// Deletes the indexes of a generation that does not answer.
    pub fn drop_generation(&self, names: &Names, generation: &str) -> Result<(), IndexError> {
        if self.active(names)?.as_deref() == Some(generation) {
            return Err(IndexError::Active { generation: generation.to_owned() });
        }
        for kind in Kind::ALL {
            self.ask(Method::Delete, &format!("/{}", names.index(kind, generation)?), None)?;
        }
        Ok(())
    }

    /// Deletes everything of this pipeline: all generations and the templates.
    pub fn remove(&self, names: &Names) -> Result<(), IndexError> {
        for kind in Kind::ALL {
            self.ask(Method::Delete, &format!("/_index_template/{}", names.alias(kind)), None)?;
        }
        for generation in self.generations(names)? {
            for kind in Kind::ALL {
                self.ask(Method::Delete, &format!("/{}", names.index(kind, &generation)?), None)?;
            }
        }
        Ok(())
    }

    fn aliases(&self, names: &Names) -> Result<Aliases, IndexError> {
        #[derive(Deserialize)]
        struct Entry {}
        let mut aliases = Aliases::new();
        for kind in Kind::ALL {
            let path = format!("/_alias/{}", names.alias(kind));
            if let Some(indexes) = self.read::<BTreeMap<String, Entry>>(Method::Get, &path)? {
                aliases.insert(kind, indexes.into_keys().collect());
            }
        }
        Ok(aliases)
    }

    fn change_aliases(&self, actions: Vec<Value>) -> Result<(), IndexError> {
        match self.ask(Method::Post, "/_aliases", Some(&json!({ "actions": actions }))) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(IndexError::Missing { name: "that one of the aliases is to show".into() }),
            Err(IndexError::Refused { status: 400, reason, .. }) => {
                Err(IndexError::Misfit { name: "an alias".into(), reason })
            }
            Err(error) => Err(error),
        }
    }

    /// A request whose answer is JSON; `None` where the thing asked for does not exist.
    pub(super) fn read<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<Option<T>, IndexError> {
        let Some(body) = self.ask(method, path, None)? else { return Ok(None) };
        serde_json::from_slice(&body).map(Some).map_err(|source| IndexError::Answer {
            server: self.client.server().to_owned(),
            request: path.to_owned(),
            source: source.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new("ufo").unwrap()
    }

    fn aliases(shown: &[(Kind, &[&str])]) -> Aliases {
        shown
            .iter()
            .map(|(kind, indexes)| (*kind, indexes.iter().map(ToString::to_string).collect()))
            .collect()
    }

    #[test]
    fn names_are_those_of_the_contract() {
        assert_eq!(names().alias(Kind::Rejects), "ufo-rejects");
        assert_eq!(names().index(Kind::Sightings, "v2").unwrap(), "ufo-sightings-v2");
        assert_eq!(names().generation_of(Kind::Sightings, "ufo-sightings-v2"), Some("v2"));
        assert_eq!(names().generation_of(Kind::Sightings, "ufo-aggregates-v2"), None);
        for bad in ["", "V1", "v 1", "-v1", "v/1", "*", "v1,v2", &"v".repeat(81)] {
            assert!(names().index(Kind::Sightings, bad).is_err(), "{bad}");
            assert!(Names::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn aliases_are_made_only_where_nothing_else_answers() {
        let first = |shown: &[(Kind, &[&str])]| first_aliases(&names(), &aliases(shown), "v1").unwrap().len();
        assert_eq!(first(&[]), 3);
        assert_eq!(first(&[(Kind::Sightings, &["ufo-sightings-v1"])]), 2);
        assert_eq!(first(&[(Kind::Sightings, &["ufo-sightings-v2"])]), 0);
        assert_eq!(first(&[(Kind::Sightings, &["somebody-elses"])]), 0);
    }

    #[test]
    fn a_switch_leaves_exactly_one_index_behind_each_alias() {
        let shown = aliases(&[
            (Kind::Sightings, &["ufo-sightings-v1", "ufo-sightings-v2"]),
            (Kind::Aggregates, &["ufo-aggregates-v2"]),
        ]);
        let actions = switch_actions(&names(), &shown, "v2").unwrap();
        let add = |index: &str, alias: &str| json!({ "add": { "index": index, "alias": alias } });
        let expected = [
            json!({ "remove": { "index": "ufo-sightings-v1", "alias": "ufo-sightings" } }),
            add("ufo-sightings-v2", "ufo-sightings"),
            add("ufo-aggregates-v2", "ufo-aggregates"),
            add("ufo-rejects-v2", "ufo-rejects"),
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn of_two_first_generations_one_stays() {
        let shown = aliases(&[(Kind::Rejects, &["ufo-rejects-v2", "ufo-rejects-v1"])]);
        let remove =
            json!({ "remove": { "index": "ufo-rejects-v2", "alias": "ufo-rejects", "must_exist": false } });
        assert_eq!(settle_actions(&names(), &shown), [remove]);
    }
}
