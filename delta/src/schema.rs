//! Arrow schemas as the protocol writes them.

use arrow_schema::{DataType, Schema, TimeUnit};
use serde_json::{Value, json};

use crate::error::DeltaError;

/// The `schemaString` of a table.
pub(crate) fn schema_string(schema: &Schema) -> Result<String, DeltaError> {
    let fields = schema.fields().iter().map(|field| {
        Ok(json!({
            "name": field.name(),
            "type": type_of(field.data_type())?,
            "nullable": field.is_nullable(),
            "metadata": {},
        }))
    });
    let fields = fields.collect::<Result<Vec<_>, DeltaError>>()?;
    Ok(json!({ "type": "struct", "fields": fields }).to_string())
}

fn type_of(data_type: &DataType) -> Result<Value, DeltaError> {
    let name = match data_type {
        DataType::Utf8 => "string",
        DataType::Binary => "binary",
        DataType::Boolean => "boolean",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float64 => "double",
        DataType::Date32 => "date",
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp",
        DataType::Dictionary(_, value) => return type_of(value),
        DataType::List(item) => {
            return Ok(json!({
                "type": "array",
                "elementType": type_of(item.data_type())?,
                "containsNull": item.is_nullable(),
            }));
        }
        other => return Err(DeltaError::Type(other.to_string())),
    };
    Ok(Value::from(name))
}
