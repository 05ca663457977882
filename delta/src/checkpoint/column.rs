//! Columns of a checkpoint: structs of which one a row is there, built field by field.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, StringArray, StructArray};
use arrow_schema::{ArrowError, Field, Fields};

/// A struct column over rows that have an action of the kind or not.
pub(super) struct ActionColumn<'a, T> {
    rows: &'a [Option<&'a T>],
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl<'a, T> ActionColumn<'a, T> {
    pub(super) fn new(rows: &'a [Option<&'a T>]) -> Self {
        Self { rows, fields: Vec::new(), arrays: Vec::new() }
    }

    pub(super) fn array(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }

    pub(super) fn text(self, name: &str, get: impl Fn(&'a T) -> Option<&'a str>) -> Self {
        let values: StringArray = self.rows.iter().map(|row| row.and_then(&get)).collect();
        self.array(name, Arc::new(values))
    }

    pub(super) fn long(self, name: &str, get: impl Fn(&'a T) -> Option<i64>) -> Self {
        let values: Int64Array = self.rows.iter().map(|row| row.and_then(&get)).collect();
        self.array(name, Arc::new(values))
    }

    pub(super) fn integer(self, name: &str, get: impl Fn(&'a T) -> Option<i32>) -> Self {
        let values: Int32Array = self.rows.iter().map(|row| row.and_then(&get)).collect();
        self.array(name, Arc::new(values))
    }

    pub(super) fn flag(self, name: &str, get: impl Fn(&'a T) -> Option<bool>) -> Self {
        let values: BooleanArray = self.rows.iter().map(|row| row.and_then(&get)).collect();
        self.array(name, Arc::new(values))
    }

    pub(super) fn texts(self, name: &str, get: impl Fn(&'a T) -> Option<&'a Vec<String>>) -> Self {
        let field = Field::new("element", arrow_schema::DataType::Utf8, true);
        let mut values = ListBuilder::new(StringBuilder::new()).with_field(field);
        for row in self.rows {
            values.append_option(row.and_then(&get).map(|texts| texts.iter().map(Some)));
        }
        self.array(name, Arc::new(values.finish()))
    }

    /// A map of texts, from text or from optional text.
    pub(super) fn map<V: AsText + 'a>(
        self,
        name: &str,
        get: impl Fn(&'a T) -> Option<&'a BTreeMap<String, V>>,
    ) -> Result<Self, ArrowError> {
        let array = map_array(self.rows.iter().map(|row| row.and_then(&get)))?;
        Ok(self.array(name, Arc::new(array)))
    }

    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let (are_there, _) =
            self.rows.iter().map(|row| Some(row.is_some())).collect::<BooleanArray>().into_parts();
        let (fields, arrays) = (Fields::from(self.fields), self.arrays);
        Ok(Arc::new(StructArray::try_new(fields, arrays, Some(are_there.into()))?))
    }
}

/// A map's value.
pub(super) trait AsText {
    fn as_text(&self) -> Option<&str>;
}

impl AsText for String {
    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl AsText for Option<String> {
    fn as_text(&self) -> Option<&str> {
        self.as_deref()
    }
}

fn map_array<'a, V: AsText + 'a>(
    rows: impl Iterator<Item = Option<&'a BTreeMap<String, V>>>,
) -> Result<arrow_array::MapArray, ArrowError> {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (key, value) in row.into_iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option(value.as_text());
        }
        maps.append(row.is_some())?;
    }
    Ok(maps.finish())
}
