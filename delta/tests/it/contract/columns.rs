//! Columns: types, partition values, evolution.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use delta::encode::encode;
use delta::{Commit, DeltaError, Encoding, Lake, Outcome, Refusal, Table};
use object_store::ObjectStoreExt;

use crate::rows::{NAME, committed, found};

/// Three rows; the second one is null throughout.
pub(crate) fn all_types() -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a"), None]);
    lists.append_null();
    lists.append_value::<[Option<&str>; 0], _>([]);
    let codes: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
    let prices =
        Decimal128Array::from(vec![Some(12_345), None, Some(-1)]).with_precision_and_scale(10, 2).unwrap();
    let at = TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1_399_000_000_123_456)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec![Some("é\u{10FFFF}"), None, Some("")]))),
        ("code", Arc::new(codes)),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("tiny", Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(1)]))),
        ("small", Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(1)]))),
        ("int", Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(1)]))),
        ("long", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]))),
        ("real", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::INFINITY)]))),
        ("double", Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::NAN)]))),
        ("on", Arc::new(Date32Array::from(vec![Some(-8_000), None, Some(16_000)]))),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("bytes", Arc::new(BinaryArray::from(vec![Some(b"\x00\xff".as_slice()), None, Some(b"")]))),
        ("price", Arc::new(prices)),
        ("list", Arc::new(lists.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

pub(super) async fn all_types_come_back(lake: &Lake) {
    let batch = all_types();
    let schema = batch.schema();
    let mut table =
        Table::open_or_create(lake.store.clone(), lake.table(NAME), &schema, &[], 1).await.unwrap();
    let file = encode(&schema, std::slice::from_ref(&batch), &Encoding::new(&[]), &[]).unwrap();
    committed(&mut table, &Commit { adds: vec![file], ..Commit::default() }).await;
    // Once as the writer sees it, once as read back from the log.
    for table in [table, found(lake).await] {
        let mut reader = table.read_all().unwrap();
        let back = reader.next().await.unwrap().unwrap();
        assert!(reader.next().await.unwrap().is_none());
        for (index, field) in schema.fields().iter().enumerate() {
            let (before, after) = (batch.column(index), back.column(index));
            match field.name().as_str() {
                "code" => {
                    let codes: Vec<_> = after.as_string::<i32>().iter().collect();
                    assert_eq!(codes, [Some("x"), None, Some("x")]);
                }
                "list" => {
                    let list = after.as_list::<i32>();
                    assert_eq!((list.value(0).len(), list.value(0).null_count()), (2, 1));
                    assert!(after.is_null(1) && list.value(2).is_empty());
                }
                name => assert_eq!(format!("{after:?}"), format!("{before:?}"), "{name}"),
            }
        }
        // By what the log says of a file readers pass it over.
        let stats = table.snapshot().files.values().next().unwrap().stats().unwrap();
        assert_eq!((stats.num_records, &stats.null_count["bytes"]), (Some(3), &1.into()));
        assert_eq!(stats.min_values["at"], "1969-12-31T23:59:59.999Z");
        assert_eq!(stats.max_values["long"], i64::MAX);
        assert!(!stats.min_values.contains_key("double") && !stats.max_values.contains_key("real"));
    }
}

pub(super) async fn strange_partition_values_come_back(lake: &Lake) {
    let values = [
        Some("a b/c=%20é#?"),
        Some("."),
        Some(".."),
        Some("日本"),
        None,
        Some("__HIVE_DEFAULT_PARTITION__x"),
        Some("\n"),
    ];
    let schema =
        Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("place", DataType::Utf8, true)]);
    let root = lake.table(NAME);
    let mut table = Table::open_or_create(lake.store.clone(), root, &schema, &["place"], 1).await.unwrap();
    let files_schema = delta::file_schema(&schema, &["place"]);
    let mut commit = Commit::default();
    for (n, value) in (0_i64..).zip(&values) {
        let column = Arc::new(Int64Array::from(vec![n]));
        let batch = RecordBatch::try_new(files_schema.clone(), vec![column]).unwrap();
        let partition = [("place", value.map(str::to_owned))];
        commit.adds.push(encode(&files_schema, &[batch], &Encoding::new(&[]), &partition).unwrap());
    }
    committed(&mut table, &commit).await;
    let table = found(lake).await;
    let mut reader = table.read(&["place", "n"]).unwrap();
    let mut found = vec![];
    while let Some(batch) = reader.next().await.unwrap() {
        let n = batch.column(1).as_primitive::<Int64Type>().value(0);
        found.push((n, batch.column(0).as_string::<i32>().iter().next().unwrap().map(str::to_owned)));
    }
    found.sort_unstable();
    let expected: Vec<_> = (0_i64..).zip(values.map(|value| value.map(str::to_owned))).collect();
    assert_eq!(found, expected);
}

fn long_and(more: Vec<Field>) -> SchemaRef {
    let mut fields = vec![Field::new("n", DataType::Int64, false)];
    fields.extend(more);
    Arc::new(Schema::new(fields))
}

fn one_row(schema: &SchemaRef) -> Commit {
    let columns = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Int64 => Arc::new(Int64Array::from(vec![7])) as ArrayRef,
        _ => Arc::new(StringArray::from(vec!["x"])),
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    Commit { adds: vec![encode(schema, &[batch], &Encoding::new(&[]), &[]).unwrap()], ..Commit::default() }
}

pub(super) async fn new_columns_are_null_in_old_rows(lake: &Lake) {
    let (old, new) = (long_and(vec![]), long_and(vec![Field::new("mood", DataType::Utf8, true)]));
    let open = |schema: SchemaRef| async move {
        Table::open_or_create(lake.store.clone(), lake.table(NAME), &schema, &[], 1).await.unwrap()
    };
    let mut old_writer = open(old.clone()).await;
    committed(&mut old_writer, &one_row(&old)).await;
    // Both start at once: the column comes once.
    let (mut new_writer, other) = tokio::join!(open(new.clone()), open(new.clone()));
    assert_eq!((new_writer.snapshot().version, other.snapshot().version), (2, 2));
    committed(&mut new_writer, &one_row(&new)).await;
    // The old program goes on beside the new one.
    committed(&mut old_writer, &one_row(&old)).await;
    let table = open(old).await;
    let names: Vec<_> = table.snapshot().schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!((names, table.snapshot().version), (vec!["n", "mood"], 4));
    let (mut rows, mut moods) = (0, 0);
    let mut reader = table.read(&["mood", "n"]).unwrap();
    while let Some(batch) = reader.next().await.unwrap() {
        rows += batch.num_rows();
        moods += batch.num_rows() - batch.column(0).null_count();
    }
    assert_eq!((rows, moods), (3, 1));
    assert!(
        matches!(table.read(&["nothing"]), Err(DeltaError::NoColumn { column, .. }) if column == "nothing")
    );
}

pub(super) async fn what_does_not_fit_is_named(lake: &Lake) {
    let there = long_and(vec![Field::new("mood", DataType::Utf8, true)]);
    Table::open_or_create(lake.store.clone(), lake.table(NAME), &there, &[], 1).await.unwrap();
    let cases = [
        (Schema::new(vec![Field::new("n", DataType::Int32, false)]), "n"),
        (Schema::new(vec![Field::new("n", DataType::Int64, true)]), "n"),
        (Schema::new(vec![Field::new("mood", DataType::Utf8, true)]), "n"),
        (long_and(vec![Field::new("must", DataType::Utf8, false)]).as_ref().clone(), "must"),
    ];
    for (schema, expected) in cases {
        let error = Table::open_or_create(lake.store.clone(), lake.table(NAME), &schema, &[], 1).await;
        let Err(DeltaError::Column { column, .. }) = error else { panic!("{expected}: {error:?}") };
        assert_eq!(column, expected);
    }
}

pub(super) async fn rows_that_are_not_the_tables_are_refused(lake: &Lake) {
    let schema = long_and(vec![Field::new("p", DataType::Utf8, true)]);
    let root = lake.table(NAME);
    let mut table = Table::open_or_create(lake.store.clone(), root, &schema, &["p"], 1).await.unwrap();
    let with_partition = |schema: &SchemaRef, partition: &[(&str, Option<String>)]| {
        let mut commit = one_row(&long_and(vec![]));
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(vec![7]))]).unwrap();
        commit.adds = vec![encode(schema, &[batch], &Encoding::new(&[]), partition).unwrap()];
        commit
    };
    let other = Arc::new(Schema::new(vec![Field::new("m", DataType::Int64, false)]));
    let p = ("p", None);
    let cases = [
        (with_partition(&other, std::slice::from_ref(&p)), "m"),
        (with_partition(&long_and(vec![]), &[]), "p"),
        (with_partition(&long_and(vec![]), &[p.clone(), ("q", None)]), "q"),
        (one_row(&long_and(vec![Field::new("mood", DataType::Utf8, true)])), "p"),
    ];
    for (commit, column) in cases {
        let refused = table.commit(&commit, 2).await.unwrap();
        let is_named =
            matches!(&refused, Outcome::Refused(Refusal::SchemaChanged(misfit)) if misfit.column == column);
        assert!(is_named, "{column}: {refused:?}");
    }
    assert_eq!(crate::rows::objects(lake).await.len(), 1);
    let mut more = with_partition(&long_and(vec![]), &[p]);
    committed(&mut table, &more).await;
    // A column too many would be lost without a word.
    more.adds = one_row(&long_and(vec![Field::new("mood", DataType::Utf8, true)])).adds;
    more.adds[0].partition_values.insert("p".into(), None);
    let refused = table.commit(&more, 2).await.unwrap();
    assert!(matches!(&refused, Outcome::Refused(Refusal::SchemaChanged(misfit)) if misfit.column == "mood"));
}

/// Writes a version as another program would.
async fn put_commit(lake: &Lake, version: u64, line: &str) {
    let object = lake.table(NAME).join("_delta_log").join(format!("{version:020}.json"));
    lake.store.put(&object, line.to_owned().into_bytes().into()).await.unwrap();
}

/// Another program changes a column, or raises the protocol, while ours has the table open.
pub(super) async fn a_newer_table_is_refused(lake: &Lake) {
    let schema = long_and(vec![]);
    let root = lake.table(NAME);
    let mut writer = Table::open_or_create(lake.store.clone(), root, &schema, &[], 1).await.unwrap();
    let metadata = serde_json::to_value(&writer.snapshot().metadata).unwrap();
    put_commit(lake, 1, &format!("{{\"metaData\":{}}}\n", metadata.to_string().replace("long", "string")))
        .await;
    let refused = writer.commit(&one_row(&schema), 2).await.unwrap();
    let is_n = matches!(&refused, Outcome::Refused(Refusal::SchemaChanged(misfit)) if misfit.column == "n");
    assert!(is_n, "{refused:?}");
    put_commit(lake, 2, &format!("{{\"metaData\":{metadata}}}\n")).await;
    assert_eq!(committed(&mut writer, &one_row(&schema)).await, 3);

    let protocol =
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking"]}}"#;
    put_commit(lake, 4, protocol).await;
    let error = writer.commit(&one_row(&schema), 2).await.unwrap_err();
    let is_named = matches!(&error, DeltaError::Protocol { role: "writer", .. });
    assert!(is_named && error.to_string().contains("rowTracking"), "{error}");
    // To read it needs nothing new.
    let mut reader = found(lake).await;
    assert_eq!(reader.snapshot().rows(), Some(1));

    // Features and types that we have never heard of.
    let protocol = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"],"writerFeatures":["x"]}}"#;
    let metadata = metadata.to_string().replace("long", "strange");
    put_commit(lake, 5, &format!("{protocol}\n{{\"metaData\":{metadata}}}\n")).await;
    let opened = Table::open(lake.store.clone(), lake.table(NAME)).await.map(|_| ());
    for error in [opened.unwrap_err(), reader.refresh().await.unwrap_err()] {
        assert!(matches!(error, DeltaError::Protocol { role: "reader", .. }), "{error}");
    }
}

pub(super) async fn other_partitioning_is_refused(lake: &Lake) {
    let schema = long_and(vec![Field::new("p", DataType::Utf8, true)]);
    let open = |columns: &'static [&'static str]| {
        Table::open_or_create(lake.store.clone(), lake.table(NAME), &schema, columns, 1)
    };
    assert!(matches!(open(&["q"]).await, Err(DeltaError::NoColumn { column, .. }) if column == "q"));
    open(&["p"]).await.unwrap();
    assert!(matches!(open(&[]).await, Err(DeltaError::Partitioning { .. })));
}
