//! The tiers of settings, merged by strength, each value with its origin.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::Serialized;
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::file;
use super::origin::{Origin, variable_of};
use super::secret::HIDDEN;
use super::{CommonFlags, DEFAULT_FILE, Given, ProcessSettings, Settings};
use crate::exit::{Code, Exit};

/// A setting that holds the path of a file with the value.
pub(super) const FILE_SUFFIX: &str = "_file";

/// All values in force.
#[derive(Debug)]
pub(super) struct Tiers {
    /// The defaults of all settings that there are.
    known: Dict,
    values: Dict,
    origins: BTreeMap<String, Origin>,
    file: Option<PathBuf>,
}

impl<F> Given<F> {
    pub(super) fn tiers<S: Settings>(
        &self,
        common: &CommonFlags,
        options: &impl Serialize,
    ) -> Result<Tiers, Exit> {
        let default = Path::new(DEFAULT_FILE);
        let file = common.config.as_deref().or_else(|| default.exists().then_some(default));
        self.tiers_with::<S>(file, common, options, &|name| env::var_os(name))
    }

    /// [`Self::tiers`] with another file and environment.
    pub(super) fn tiers_with<S: Settings>(
        &self,
        file: Option<&Path>,
        common: &CommonFlags,
        options: &impl Serialize,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Tiers, Exit> {
        let mut known = dict_of(&S::default());
        known.extend(dict_of(&ProcessSettings::default()));
        let mut given = dict_of(options);
        given.extend(dict_of(common));
        let stray = given.keys().find(|key| !known.contains_key(*key) && content_of(key, &known).is_none());
        assert!(stray.is_none(), "the flag `{}` is no field of the settings", stray.map_or("", |key| key));
        let file = file.map(Path::to_owned);
        let mut tiers = Tiers { known, values: Dict::new(), origins: BTreeMap::new(), file };
        tiers.add_defaults();
        tiers.add_file(S::TABLE)?;
        tiers.add(variables(&tiers.known, variable)?)?;
        let given = given.into_iter().filter(|(_, value)| is_set(value)).filter_map(|(key, value)| {
            let origin = self.origins.get(&key)?.clone();
            Some((key, (value, origin)))
        });
        tiers.add(given.collect())?;
        Ok(tiers)
    }
}

/// One tier: values with their origins.
type Tier = BTreeMap<String, (Value, Origin)>;

impl Tiers {
    /// The part of the values that are fields of `T`.
    pub(super) fn extract<T: Serialize + DeserializeOwned + Default>(&self) -> Result<T, Exit> {
        let keys = dict_of(&T::default());
        let mut values = self.values.clone();
        values.retain(|key, _| keys.contains_key(key));
        Figment::from(Serialized::defaults(values)).extract().map_err(|error| self.exit_of(&error))
    }

    pub(super) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// The settings file in words.
    pub(super) fn file(&self) -> String {
        self.file.as_ref().map_or_else(|| "no settings file".to_owned(), |file| file.display().to_string())
    }

    fn add_defaults(&mut self) {
        // A default cannot be a secret: it has been hidden on its way here.
        let defaults = self.known.iter().filter(|(_, value)| is_set(value) && value.as_str() != Some(HIDDEN));
        self.values.extend(defaults.map(|(key, value)| (key.clone(), value.clone())));
    }

    fn add_file(&mut self, table: &str) -> Result<(), Exit> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        let known = &self.known;
        let file =
            file::read(&path, table, |key| known.contains_key(key) || content_of(key, known).is_some())?;
        for (part, table) in [(file.shared, None), (file.own, Some(table.to_owned()))] {
            let origin = Origin::File { path: path.clone(), table };
            let tier = dict_of(&part).into_iter().map(|(key, value)| (key, (value, origin.clone())));
            self.add(tier.collect())?;
        }
        Ok(())
    }

    /// Puts a tier over what is there. Tables merge, all else is replaced.
    fn add(&mut self, tier: Tier) -> Result<(), Exit> {
        for (key, (value, origin)) in with_contents(tier, &self.known)? {
            let value = match (self.values.remove(&key), value) {
                (Some(Value::Dict(_, mut below)), Value::Dict(tag, above)) => {
                    below.extend(above);
                    Value::Dict(tag, below)
                }
                (_, value) => value,
            };
            self.values.insert(key.clone(), value);
            self.origins.insert(key, origin);
        }
        Ok(())
    }

    fn exit_of(&self, error: &figment::Error) -> Exit {
        let Fault { path, problem } = fault_of(error);
        let origin = path.first().map_or(Origin::Default, |key| self.origin(key));
        let key = path.join(".");
        let place = if origin == Origin::Default { String::new() } else { format!(" ({origin})") };
        Exit::new(Code::Config, format!("`{key}`{place} {problem}"))
    }
}

/// What is wrong with which setting: the rest of a sentence that begins with the key.
struct Fault {
    path: Vec<String>,
    problem: String,
}

fn fault_of(error: &figment::Error) -> Fault {
    let mut path = error.path.clone();
    let problem = match &error.kind {
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            format!("is {actual} and must be {expected}")
        }
        Kind::InvalidLength(length, expected) => format!("has {length} elements and must have {expected}"),
        Kind::UnknownVariant(actual, expected) => {
            format!("is `{actual}` and must be one of {}", expected.join(", "))
        }
        Kind::UnknownField(_, expected) => {
            format!("is not known there; known: {}", expected.join(", "))
        }
        Kind::MissingField(name) => {
            path.push(name.clone().into_owned());
            "is not set: give it by its flag, its variable (UFO_…) or in the settings file".to_owned()
        }
        Kind::DuplicateField(_)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_)
        | Kind::Unsupported(_)
        | Kind::UnsupportedKey(..) => format!("cannot be used: {}", error.kind),
    };
    Fault { path, problem }
}

/// What the environment says beside clap: settings that have no flag, and files with values.
fn variables(known: &Dict, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Tier, Exit> {
    let mut tier = Tier::new();
    for (key, default) in known {
        for key in [key.clone(), format!("{key}{FILE_SUFFIX}")] {
            let name = variable_of(&key);
            let Some(text) = variable(&name).filter(|text| !text.is_empty()) else { continue };
            let text = text.into_string().map_err(|_| {
                Exit::new(Code::Config, format!("{name} is no UTF-8 text: correct or unset it"))
            })?;
            let value = if key.ends_with(FILE_SUFFIX) { text.into() } else { typed(text, default) };
            tier.insert(key, (value, Origin::Variable(name)));
        }
    }
    Ok(tier)
}

/// A variable's text as what the setting is by default. What does not fit stays text, and is refused as such later.
fn typed(text: String, default: &Value) -> Value {
    let typed = match default {
        Value::Bool(..) => text.parse::<bool>().ok().map(Value::from),
        Value::Num(..) => {
            let whole = text.parse::<i64>().ok().map(Value::from);
            whole.or_else(|| text.parse::<f64>().ok().map(Value::from))
        }
        Value::String(..) | Value::Char(..) | Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
    };
    typed.unwrap_or_else(|| text.into())
}

/// Puts the content of the file in the place of its path: `password_file = "/run/secrets/p"` gives `password`.
fn with_contents(tier: Tier, known: &Dict) -> Result<Tier, Exit> {
    let mut filled = Tier::new();
    for (key, (value, origin)) in tier {
        let Some(secret) = content_of(&key, known) else {
            filled.insert(key, (value, origin));
            continue;
        };
        let bad = |message| Exit::new(Code::Config, message);
        let Some(path) = value.as_str().map(PathBuf::from) else {
            return Err(bad(format!("`{key}` ({origin}) must be the path of a file")));
        };
        if filled.contains_key(secret) {
            return Err(bad(format!("`{secret}` and `{key}` ({origin}) are both given: remove one")));
        }
        let content = fs::read_to_string(&path).map_err(|error| {
            bad(format!("`{key}` ({origin}): cannot read {}", path.display())).caused_by(&error)
        })?;
        // Editors and `echo` end files with a line feed; no password does.
        let content = content.trim_end_matches(['\r', '\n']).to_owned();
        filled.insert(secret.to_owned(), (content.into(), Origin::Content { path, by: Box::new(origin) }));
    }
    Ok(filled)
}

/// The setting whose value lies in the file that `key` names, where `key` is not a setting itself.
fn content_of<'k>(key: &'k str, known: &Dict) -> Option<&'k str> {
    let stem = key.strip_suffix(FILE_SUFFIX)?;
    (!known.contains_key(key) && known.contains_key(stem)).then_some(stem)
}

fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Empty(..))
}

/// The fields of a struct.
fn dict_of(fields: &impl Serialize) -> Dict {
    let value = Value::serialize(fields).expect("settings are plain structs of plain values");
    value.into_dict().expect("settings are structs")
}
