//! Saved objects: what Kibana keeps and what it takes, one per line.
//!
//! They say the shape of Kibana 7.10 (`migrationVersion`): that one takes them as they are, every later one up to 8.19
//! brings them to its own shape while it imports them. A newer shape would be refused by an older Kibana.

use serde_json::{Map, Value, json};

/// The kinds of objects that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    DataView,
    Panel,
    Dashboard,
}

impl ObjectKind {
    pub const ALL: [Self; 3] = [Self::DataView, Self::Panel, Self::Dashboard];

    /// Kibana's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DataView => "index-pattern",
            Self::Panel => "visualization",
            Self::Dashboard => "dashboard",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The last change of its shape up to Kibana 7.10.
    pub fn shape_version(self) -> &'static str {
        match self {
            Self::DataView => "7.6.0",
            Self::Panel => "7.10.0",
            Self::Dashboard => "7.9.3",
        }
    }
}

/// One object needs another; `name` is where in its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub kind: ObjectKind,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SavedObject {
    pub kind: ObjectKind,
    pub id: String,
    pub attributes: Value,
    pub references: Vec<Reference>,
}

/// A line that is no object of ours.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("line {line} is no JSON")]
    Json { line: usize, source: serde_json::Error },
    #[error("line {line} has no usable `{name}`")]
    Part { line: usize, name: &'static str },
}

impl SavedObject {
    pub fn title(&self) -> &str {
        self.attributes["title"].as_str().unwrap_or_default()
    }

    /// An attribute that is JSON in a string, as Kibana likes it; null where there is none.
    pub fn embedded(&self, pointer: &str) -> Value {
        let text = self.attributes.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The object that the reference of this name leads to.
    pub fn target<'a>(&self, name: &str, objects: &'a [Self]) -> Option<&'a Self> {
        let reference = self.references.iter().find(|reference| reference.name == name)?;
        objects.iter().find(|object| object.kind == reference.kind && object.id == reference.id)
    }

    fn to_json(&self) -> Value {
        let references: Vec<_> = self
            .references
            .iter()
            .map(|reference| json!({ "name": reference.name, "type": reference.kind.name(), "id": reference.id }))
            .collect();
        let mut shape = Map::new();
        shape.insert(self.kind.name().to_owned(), self.kind.shape_version().into());
        json!({
            "type": self.kind.name(),
            "id": self.id,
            "attributes": self.attributes,
            "references": references,
            "migrationVersion": shape,
        })
    }

    fn from_json(line: usize, value: &Value) -> Result<Self, ReadError> {
        let part = |name| ReadError::Part { line, name };
        let kind = |value: &Value| value["type"].as_str().and_then(ObjectKind::from_name);
        let text = |value: &Value, name| value[name].as_str().map(str::to_owned).ok_or(part(name));
        let references = value["references"].as_array().ok_or(part("references"))?.iter().map(|reference| {
            Ok(Reference {
                name: text(reference, "name")?,
                kind: kind(reference).ok_or(part("references"))?,
                id: text(reference, "id")?,
            })
        });
        Ok(Self {
            kind: kind(value).ok_or(part("type"))?,
            id: text(value, "id")?,
            attributes: value.get("attributes").cloned().ok_or(part("attributes"))?,
            references: references.collect::<Result<_, _>>()?,
        })
    }
}

/// The file that `_import` takes. The same objects give the same bytes.
pub fn to_ndjson(objects: &[SavedObject]) -> String {
    objects.iter().map(|object| object.to_json().to_string() + "\n").collect()
}

pub fn from_ndjson(text: &str) -> Result<Vec<SavedObject>, ReadError> {
    let lines = text.lines().zip(1..);
    let read = lines.map(|(text, line)| {
        let value = serde_json::from_str(text).map_err(|source| ReadError::Json { line, source })?;
        SavedObject::from_json(line, &value)
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> SavedObject {
        SavedObject {
            kind: ObjectKind::Panel,
            id: "ufo-x".into(),
            attributes: json!({ "title": "x\n\"y\"", "visState": "{\"type\":\"pie\"}" }),
            references: vec![Reference { name: "r".into(), kind: ObjectKind::DataView, id: "ufo-y".into() }],
        }
    }

    #[test]
    fn objects_come_back() {
        let text = to_ndjson(&[object(), object()]);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(from_ndjson(&text).unwrap(), [object(), object()]);
        assert_eq!(object().embedded("/visState")["type"], "pie");
        assert_eq!(object().embedded("/nothing"), Value::Null);
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = to_ndjson(&[object()]);
        let said = |text: String| from_ndjson(&text).unwrap_err().to_string();
        assert_eq!(said(format!("{good}{{")), "line 2 is no JSON");
        assert_eq!(said(good.replace("visualization", "lens")), "line 1 has no usable `type`");
        assert_eq!(said(good.replace("\"references\"", "\"refs\"")), "line 1 has no usable `references`");
    }

    #[test]
    fn the_shape_is_that_of_7_10() {
        let text = to_ndjson(&[object()]);
        assert!(text.contains(r#""migrationVersion":{"visualization":"7.10.0"}"#), "{text}");
        // Later lines of Kibana know these, 7.10 refuses them.
        assert!(!text.contains("coreMigrationVersion") && !text.contains("typeMigrationVersion"));
    }
}
