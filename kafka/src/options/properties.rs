//! Further properties of librdkafka, by their own names. What may be a secret is never shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// What stands for a value that is not shown.
const HIDDEN: &str = "***";
/// Parts of the names whose values are not shown; a PEM may be a private key.
const SECRET_PARTS: [&str; 5] = ["password", "secret", "token", "pem", "oauthbearer.config"];

/// The table `properties` of the settings file: `"linger.ms" = 5`. Without quotes TOML makes tables of the dots; they are
/// read as the same names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(pub BTreeMap<String, String>);

/// Whether the value of the property may be a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    // Where tokens are got is no secret.
    !name.ends_with(".url") && SECRET_PARTS.iter().any(|part| name.contains(part))
}

fn shown<'p>(name: &str, value: &'p str) -> &'p str {
    if is_secret(name) { HIDDEN } else { value }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, shown(name, value))))
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut properties = BTreeMap::new();
        match Part::deserialize(deserializer)? {
            Part::Table(parts) => flatten("", parts, &mut properties),
            Part::Text(_) => return Err(de::Error::custom("must be a table in the settings file")),
        }
        Ok(Self(properties))
    }
}

/// A value, or what a dot in a name made of it.
enum Part {
    Text(String),
    Table(BTreeMap<String, Part>),
}

fn flatten(prefix: &str, parts: BTreeMap<String, Part>, properties: &mut BTreeMap<String, String>) {
    for (name, part) in parts {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match part {
            Part::Text(text) => drop(properties.insert(name, text)),
            Part::Table(parts) => flatten(&name, parts, properties),
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

/// Refuses what is neither without repeating it: serde's own messages quote the value.
struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties with text, whole numbers or true and false")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Part, E> {
        Ok(Part::Text(value.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Part, E> {
        Ok(Part::Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Part, E> {
        Ok(Part::Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Part, E> {
        Ok(Part::Text(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Part, E> {
        Ok(Part::Text(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Part, E> {
        Ok(Part::Text(value.to_string()))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Part, M::Error> {
        let mut parts = BTreeMap::new();
        while let Some((name, part)) = map.next_entry()? {
            parts.insert(name, part);
        }
        Ok(Part::Table(parts))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, MapDeserializer, StrDeserializer};

    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let names = [
            "sasl.password",
            "ssl.key.password",
            "sasl.oauthbearer.client.secret",
            "ssl.key.pem",
            "sasl.oauthbearer.config",
        ];
        for name in names {
            assert!(is_secret(name), "{name}");
            let properties = Properties([(name.to_owned(), "hunter2".to_owned())].into());
            assert!(!format!("{properties:?}").contains("hunter2"), "{properties:?}");
        }
        assert!(!is_secret("linger.ms") && !is_secret("sasl.oauthbearer.token.endpoint.url"));
    }

    #[test]
    fn a_text_in_the_place_of_the_table_is_refused_without_being_repeated() {
        let text: StrDeserializer<'_, Error> = "sasl.password=hunter2".into_deserializer();
        let message = Properties::deserialize(text).unwrap_err().to_string();
        assert!(message.contains("table") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn dots_without_quotes_are_the_same_name() {
        let mut found = BTreeMap::new();
        let ms = Part::Table([("ms".to_owned(), Part::Text("5".into()))].into());
        flatten("", [("linger".to_owned(), ms)].into(), &mut found);
        let plain: MapDeserializer<'_, _, Error> = MapDeserializer::new([("linger.ms", "5")].into_iter());
        assert_eq!(Properties(found), Properties::deserialize(plain).unwrap());
    }
}
