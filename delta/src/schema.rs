//! A table's columns: between Arrow and the protocol's JSON, and what a writer's columns mean for a table.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use serde_json::{Value, json};

use crate::error::DeltaError;

/// Keys of a column's metadata that lay duties on writers which this one does not know.
const DUTIES: [&str; 3] = ["delta.invariants", "delta.generationExpression", "delta.identity.start"];

/// The `schemaString` of a table.
pub(crate) fn schema_string(schema: &Schema) -> Result<String, DeltaError> {
    Ok(struct_json(schema.fields())?.to_string())
}

fn struct_json(fields: &Fields) -> Result<Value, DeltaError> {
    let fields = fields.iter().map(|field| field_json(field)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "type": "struct", "fields": fields }))
}

fn field_json(field: &Field) -> Result<Value, DeltaError> {
    Ok(json!({
        "name": field.name(),
        "type": type_json(field.name(), field.data_type())?,
        "nullable": field.is_nullable(),
        "metadata": {},
    }))
}

fn type_json(column: &str, data_type: &DataType) -> Result<Value, DeltaError> {
    let name = match canonical(data_type) {
        DataType::Utf8 => "string".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "byte".to_owned(),
        DataType::Int16 => "short".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "long".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::List(item) => {
            return Ok(json!({
                "type": "array",
                "elementType": type_json(column, item.data_type())?,
                "containsNull": item.is_nullable(),
            }));
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(unknown(column, data_type));
            };
            let [key, value] = fields.as_ref() else { return Err(unknown(column, data_type)) };
            return Ok(json!({
                "type": "map",
                "keyType": type_json(column, key.data_type())?,
                "valueType": type_json(column, value.data_type())?,
                "valueContainsNull": value.is_nullable(),
            }));
        }
        DataType::Struct(fields) => return struct_json(&fields),
        other => return Err(unknown(column, &other)),
    };
    Ok(Value::from(name))
}

fn unknown(column: &str, data_type: &DataType) -> DeltaError {
    DeltaError::Type { column: column.to_owned(), data_type: data_type.to_string() }
}

/// The type as it comes back from a table: dictionaries are a matter of encoding, names inside lists and maps are the
/// protocol's, and instants are in UTC.
pub(crate) fn canonical(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => canonical(value),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::List(item) | DataType::LargeList(item) => {
            list(canonical(item.data_type()), item.is_nullable())
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(canonical_field).collect()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => map(
                canonical(fields[0].data_type()),
                canonical(fields[1].data_type()),
                fields[1].is_nullable(),
            ),
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

fn canonical_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), canonical(field.data_type()), field.is_nullable()))
}

fn list(item: DataType, is_nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new("element", item, is_nullable)))
}

fn map(key: DataType, value: DataType, is_nullable: bool) -> DataType {
    let entries = vec![Field::new("key", key, false), Field::new("value", value, is_nullable)];
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries.into()), false)), false)
}

/// The Arrow schema of a `schemaString`; the error says what is not understood.
pub(crate) fn arrow_schema(schema_string: &str) -> Result<SchemaRef, String> {
    let schema: Value = serde_json::from_str(schema_string).map_err(|error| error.to_string())?;
    match type_of(&schema)? {
        DataType::Struct(fields) => Ok(Arc::new(Schema::new(fields))),
        _ => Err("its schema is not a struct".into()),
    }
}

fn type_of(value: &Value) -> Result<DataType, String> {
    if let Some(name) = value.as_str() {
        return primitive(name).ok_or_else(|| format!("a column of type {name} is not known"));
    }
    let is_true = |key: &str| value[key].as_bool().unwrap_or(true);
    match value["type"].as_str() {
        Some("struct") => {
            let fields = value["fields"].as_array().ok_or("a struct has no fields")?;
            let fields = fields.iter().map(field_of).collect::<Result<Vec<_>, _>>()?;
            Ok(DataType::Struct(fields.into()))
        }
        Some("array") => Ok(list(type_of(&value["elementType"])?, is_true("containsNull"))),
        Some("map") => {
            let (key, item) = (type_of(&value["keyType"])?, type_of(&value["valueType"])?);
            Ok(map(key, item, is_true("valueContainsNull")))
        }
        other => Err(format!("a column of type {other:?} is not known")),
    }
}

fn field_of(value: &Value) -> Result<Field, String> {
    let name = value["name"].as_str().ok_or("a column has no name")?;
    let data_type = type_of(&value["type"]).map_err(|why| format!("{name}: {why}"))?;
    Ok(Field::new(name, data_type, value["nullable"].as_bool().unwrap_or(true)))
}

fn primitive(name: &str) -> Option<DataType> {
    Some(match name {
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "boolean" => DataType::Boolean,
        "byte" => DataType::Int8,
        "short" => DataType::Int16,
        "integer" => DataType::Int32,
        "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        decimal => {
            let (precision, scale) = decimal.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            DataType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
        }
    })
}

/// The first column whose rules this writer cannot keep.
pub(crate) fn column_with_duties(schema_string: &str) -> Option<String> {
    let schema: Value = serde_json::from_str(schema_string).ok()?;
    let field = schema["fields"].as_array()?.iter().find(|field| {
        field["metadata"]
            .as_object()
            .is_some_and(|metadata| DUTIES.iter().any(|duty| metadata.contains_key(*duty)))
    })?;
    field["name"].as_str().map(str::to_owned)
}

/// A column for which a writer's rows do not fit a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub column: String,
    pub why: String,
}

/// Whether rows of `ours` can go into a table of `theirs`, and the columns that the table then gains.
pub(crate) fn fit(ours: &Schema, theirs: &Schema) -> Result<Vec<FieldRef>, Misfit> {
    let misfit = |column: &str, why: String| Err(Misfit { column: column.to_owned(), why });
    let mut gained = Vec::new();
    for field in ours.fields() {
        let name = field.name();
        match theirs.field_with_name(name) {
            Ok(found) if canonical(found.data_type()) != canonical(field.data_type()) => {
                return misfit(
                    name,
                    format!("is {} there and {} here", found.data_type(), field.data_type()),
                );
            }
            Ok(found) if field.is_nullable() && !found.is_nullable() => {
                return misfit(name, "takes no nulls there and may be null here".into());
            }
            Ok(_) => {}
            Err(_) if !field.is_nullable() => {
                return misfit(
                    name,
                    "is new and must not be null, but the rows already there have none".into(),
                );
            }
            // Names that differ in case only are the same to most engines.
            Err(_) if theirs.fields().iter().any(|found| found.name().eq_ignore_ascii_case(name)) => {
                return misfit(name, "is there in other letters".into());
            }
            Err(_) => gained.push(canonical_field(field)),
        }
    }
    for found in theirs.fields().iter().filter(|found| !found.is_nullable()) {
        if ours.field_with_name(found.name()).is_err() {
            return misfit(found.name(), "takes no nulls there and is missing here".into());
        }
    }
    Ok(gained)
}

/// The `schemaString` with the columns at its end. What is there stays as it is, other writers' notes too.
pub(crate) fn with_columns(schema_string: &str, gained: &[FieldRef]) -> Result<String, DeltaError> {
    let mut schema: Value = serde_json::from_str(schema_string)
        .map_err(|error| DeltaError::damaged(&"the table's schema", error))?;
    if let Some(fields) = schema["fields"].as_array_mut() {
        for field in gained {
            fields.push(field_json(field)?);
        }
    }
    Ok(schema.to_string())
}

/// The schema of the files: the table's without its partition columns, which are in the log.
pub fn file_schema(schema: &Schema, partition_columns: &[impl AsRef<str>]) -> SchemaRef {
    let partition_columns: BTreeSet<&str> = partition_columns.iter().map(AsRef::as_ref).collect();
    let fields = schema.fields().iter().filter(|field| !partition_columns.contains(field.name().as_str()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_types() -> Schema {
        let utc = |zone: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        let nested = DataType::Struct(vec![Field::new("x", DataType::Int64, false)].into());
        Schema::new(vec![
            Field::new("text", DataType::Utf8, false),
            Field::new(
                "code",
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                true,
            ),
            Field::new("at", utc("+00:00"), true),
            Field::new("on", DataType::Date32, true),
            Field::new("price", DataType::Decimal128(10, 2), true),
            Field::new("tags", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
            Field::new("nested", nested, true),
            Field::new("pairs", map(DataType::Utf8, DataType::Float64, true), true),
            Field::new("small", DataType::Int8, true),
        ])
    }

    #[test]
    fn a_schema_comes_back_in_the_protocols_types() {
        let schema = all_types();
        let back = arrow_schema(&schema_string(&schema).expect("has a form")).expect("reads");
        let canonical: Vec<_> = schema.fields().iter().map(canonical_field).collect();
        assert_eq!(back.fields().as_ref(), canonical.as_slice());
        assert_eq!(fit(&schema, &back), Ok(vec![]));
    }

    #[test]
    fn a_type_without_a_place_is_named_with_its_column() {
        let schema = Schema::new(vec![Field::new("n", DataType::UInt64, false)]);
        assert!(matches!(schema_string(&schema), Err(DeltaError::Type { column, .. }) if column == "n"));
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert!(schema_string(&Schema::new(vec![Field::new("t", local, true)])).is_err());
    }

    #[test]
    fn new_nullable_columns_are_gained_and_kept_in_order() {
        let theirs = Schema::new(vec![Field::new("a", DataType::Int64, false)]);
        let ours = Schema::new(vec![
            Field::new("b", DataType::Utf8, true),
            Field::new("a", DataType::Int64, false),
            Field::new("c", DataType::Date32, true),
        ]);
        let gained = fit(&ours, &theirs).expect("fits");
        let text = with_columns(&schema_string(&theirs).expect("has a form"), &gained).expect("grows");
        let names: Vec<_> =
            arrow_schema(&text).expect("reads").fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(fit(&theirs, &arrow_schema(&text).expect("reads")), Ok(vec![]));
    }

    #[test]
    fn a_misfit_names_its_column() {
        let theirs =
            Schema::new(vec![Field::new("a", DataType::Int64, false), Field::new("b", DataType::Utf8, true)]);
        let a = || Field::new("a", DataType::Int64, false);
        let cases = [
            (vec![Field::new("a", DataType::Int32, false)], "a"),
            (vec![Field::new("a", DataType::Int64, true)], "a"),
            (vec![Field::new("b", DataType::Utf8, true)], "a"),
            (vec![a(), Field::new("c", DataType::Utf8, false)], "c"),
            (vec![a(), Field::new("B", DataType::Utf8, true)], "B"),
        ];
        for (fields, column) in cases {
            let misfit = fit(&Schema::new(fields), &theirs).expect_err("does not fit");
            assert_eq!(misfit.column, column, "{misfit:?}");
        }
    }

    #[test]
    fn rules_for_writers_are_seen() {
        let plain = schema_string(&all_types()).expect("has a form");
        assert_eq!(column_with_duties(&plain), None);
        let ruled = plain.replacen("\"metadata\":{}", "\"metadata\":{\"delta.invariants\":\"{}\"}", 1);
        assert_eq!(column_with_duties(&ruled).as_deref(), Some("text"));
    }
}
