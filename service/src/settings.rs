//! Settings: flags, then environment, then one TOML file, then defaults; the first that has a value wins.
//! Flags and environment are clap's; the file and the defaults stand below them.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Parser;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::exit::{Code, Exit};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "ufo.toml";

/// Flags that every binary has.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
pub struct CommonFlags {
    /// Settings file; its keys are the long flags with `_` for `-` [default: ufo.toml where there is one]
    #[arg(long, env = "UFO_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Check the settings, say what is wrong with them, and exit
    #[arg(long)]
    #[serde(skip)]
    pub check: bool,
    /// Print the settings in force as TOML (secrets as ***), and exit
    #[arg(long)]
    #[serde(skip)]
    pub print: bool,
    /// Log warnings and errors only
    #[arg(long, short)]
    #[serde(skip)]
    pub quiet: bool,
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(value))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// Reads the flags and environment of this process. `--help` and `--version` end it, a bad flag does with code 64.
pub fn flags<F: Parser>() -> Result<F, Exit> {
    F::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.render().to_string();
        Exit::new(Code::Usage, text.trim_start_matches("error: ").trim_end().to_owned())
    })
}

/// The settings in force: `given` (flags and environment, absent ones skipped when serialised) over the file over the
/// defaults. The file may have a table for this binary (`[sink]`) over keys that all of them share.
pub fn load<S>(binary: &str, file: Option<&Path>, given: &impl Serialize) -> Result<S, Exit>
where
    S: DeserializeOwned + Serialize + Default,
{
    let mut figment = Figment::from(Serialized::defaults(S::default()));
    let default = Path::new(DEFAULT_FILE);
    let file = match file {
        Some(file) if !file.is_file() => {
            return Err(Exit::new(Code::Config, format!("no settings file {}", file.display())));
        }
        Some(file) => Some(file),
        None => default.is_file().then_some(default),
    };
    if let Some(file) = file {
        let toml = Figment::from(Toml::file_exact(file));
        let shared = toml.clone();
        figment = figment.merge(shared);
        if toml.find_value(binary).is_ok() {
            figment = figment.merge(toml.focus(binary));
        }
    }
    figment.merge(Serialized::globals(given)).extract().map_err(|error| {
        let place = file.map_or_else(String::new, |file| format!(" (settings file {})", file.display()));
        Exit::new(Code::Config, format!("bad setting: {error}{place}"))
    })
}

/// The settings as TOML, secrets hidden.
pub fn print(settings: &impl Serialize) -> String {
    toml::to_string(settings).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Settings {
        brokers: String,
        partitions: u32,
        password: Option<Secret>,
    }

    impl Default for Settings {
        fn default() -> Self {
            Self { brokers: "127.0.0.1:9092".into(), partitions: 6, password: None }
        }
    }

    #[derive(Default, Serialize)]
    struct Given {
        #[serde(skip_serializing_if = "Option::is_none")]
        brokers: Option<String>,
    }

    fn loaded(toml: &str, brokers: Option<&str>) -> Result<Settings, Exit> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("settings.toml");
        fs::write(&file, toml).expect("written");
        load("sink", Some(&file), &Given { brokers: brokers.map(Into::into) })
    }

    #[test]
    fn what_is_given_wins_over_the_file_and_the_file_over_the_defaults() {
        let settings = loaded("brokers = 'file:1'\n[sink]\npartitions = 3\n", None).expect("loads");
        assert_eq!((settings.brokers.as_str(), settings.partitions), ("file:1", 3));
        let settings = loaded("brokers = 'file:1'", Some("flag:1")).expect("loads");
        assert_eq!((settings.brokers.as_str(), settings.partitions), ("flag:1", 6));
    }

    #[test]
    fn an_error_names_the_key_and_the_file() {
        let message = loaded("partitions = 'many'", None).expect_err("no number").to_string();
        assert!(message.contains("partitions") && message.contains("settings.toml"), "{message}");
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = loaded("password = 'hush'", None).expect("loads");
        assert_eq!(settings.password.as_ref().map(Secret::reveal), Some("hush"));
        assert!(!print(&settings).contains("hush") && !format!("{settings:?}").contains("hush"));
    }
}
