//! Rows out of the store: file by file, row group by row group, so that memory holds one row group at a time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{Field, Schema, SchemaRef};
use bytes::Bytes;
use futures::Stream;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader};
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder};

use super::Table;
use crate::error::DeltaError;
use crate::snapshot::LiveFile;
use crate::{partition, path};

const BATCH_ROWS: usize = 8_192;
/// Read from a file's end at once: holds most footers whole.
const FOOTER_BYTES: u64 = 64 * 1024;

impl Table {
    /// Reads the rows of all live files, `columns` only, in that order; partition columns are columns too. A column
    /// that a file lacks is null.
    pub fn read(&self, columns: &[&str]) -> Result<Reader, DeltaError> {
        self.read_files(self.snapshot.files.keys().map(String::as_str), columns)
    }

    /// Reads all columns.
    pub fn read_all(&self) -> Result<Reader, DeltaError> {
        let columns: Vec<_> =
            self.snapshot.schema.fields().iter().map(|field| field.name().as_str()).collect();
        self.read(&columns)
    }

    /// Reads some of the live files.
    pub fn read_files<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p str>,
        columns: &[&str],
    ) -> Result<Reader, DeltaError> {
        let field = |column: &&str| {
            let found = self.snapshot.schema.field_with_name(column).cloned();
            found.map_err(|_| DeltaError::NoColumn { table: self.name(), column: (*column).to_owned() })
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<Field>, _>>()?;
        let file = |path: &str| {
            let found = self.snapshot.files.get(path).cloned();
            let unknown = || DeltaError::Unsupported {
                table: self.name(),
                what: format!("the name {path:?} of no file"),
            };
            Ok((path.to_owned(), found.ok_or_else(unknown)?))
        };
        let source = Source {
            store: self.log.store.clone(),
            root: self.log.root.clone(),
            schema: Arc::new(Schema::new(fields)),
            partition_columns: self.snapshot.partition_columns().to_vec(),
        };
        let files = paths.into_iter().map(file).collect::<Result<_, DeltaError>>()?;
        Ok(Reader { source, files, open: None })
    }

    /// Hands the rows of all live files to `each`, with their file's partition values.
    pub async fn each_batch<E: From<DeltaError>>(
        &self,
        columns: &[&str],
        mut each: impl FnMut(&RecordBatch, &BTreeMap<String, Option<String>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reader = self.read(columns)?;
        while let Some(batch) = reader.next().await? {
            let Some((_, file)) = reader.file() else { continue };
            each(&batch, &file.partition_values)?;
        }
        Ok(())
    }
}

/// Reads a table's files, as they were when it was made: commits that come later do not change it.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    files: VecDeque<(String, LiveFile)>,
    open: Option<OpenFile>,
}

/// What is the same for all files.
#[derive(Debug)]
struct Source {
    store: Arc<dyn ObjectStore>,
    root: Path,
    schema: SchemaRef,
    partition_columns: Vec<String>,
}

#[derive(Debug)]
struct OpenFile {
    path: String,
    file: LiveFile,
    object: Path,
    decoder: ParquetPushDecoder,
    row_group: Option<RowGroup>,
}

struct RowGroup(ParquetRecordBatchReader);

impl std::fmt::Debug for RowGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RowGroup")
    }
}

impl Reader {
    pub fn schema(&self) -> &SchemaRef {
        &self.source.schema
    }

    /// The file that the last batch came from.
    pub fn file(&self) -> Option<(&str, &LiveFile)> {
        self.open.as_ref().map(|open| (open.path.as_str(), &open.file))
    }

    /// The next rows; `None` behind the last ones.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, DeltaError> {
        loop {
            let Some(open) = &mut self.open else {
                let Some((path, file)) = self.files.pop_front() else { return Ok(None) };
                self.open = Some(self.source.open(path, file).await?);
                continue;
            };
            let damaged = |error: ParquetError| DeltaError::damaged(&open.object, error);
            if let Some(row_group) = &mut open.row_group {
                match row_group.0.next() {
                    Some(Ok(batch)) => return self.source.shape(open, &batch).map(Some),
                    Some(Err(error)) => return Err(DeltaError::damaged(&open.object, error)),
                    None => open.row_group = None,
                }
                continue;
            }
            match open.decoder.try_next_reader().map_err(damaged)? {
                DecodeResult::NeedsData(ranges) => {
                    let read = self.source.store.get_ranges(&open.object, &ranges).await;
                    let bytes = read.map_err(|source| DeltaError::store("read", &open.object, source))?;
                    for (range, bytes) in ranges.iter().zip(&bytes) {
                        check_length(&open.object, range, bytes)?;
                    }
                    open.decoder.push_ranges(ranges, bytes).map_err(damaged)?;
                }
                DecodeResult::Data(reader) => open.row_group = Some(RowGroup(reader)),
                DecodeResult::Finished => self.open = None,
            }
        }
    }

    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, DeltaError>> {
        futures::stream::try_unfold(self, |mut reader| async move {
            let batch = reader.next().await?;
            Ok(batch.map(|batch| (batch, reader)))
        })
    }
}

/// Stores answer with less where an object is shorter, and the decoder takes that for a mistake of ours.
fn check_length(object: &Path, range: &Range<u64>, bytes: &Bytes) -> Result<(), DeltaError> {
    let (wanted, got) = (range.end - range.start, bytes.len() as u64);
    if wanted == got {
        return Ok(());
    }
    Err(DeltaError::damaged(
        object,
        format!("it is shorter than the log says ({got} of {wanted} bytes read)"),
    ))
}

impl Source {
    async fn open(&self, path: String, file: LiveFile) -> Result<OpenFile, DeltaError> {
        let object = path::object(&self.root, &path)?;
        let end = file.size.saturating_sub(FOOTER_BYTES)..file.size;
        let tail = self.get(&object, &end).await?;
        let metadata = self.footer(&object, &end, &tail).await?;
        let damaged = |error: ParquetError| DeltaError::damaged(&object, error);
        // Plain types, whatever the writer's Arrow preferred.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetPushDecoderBuilder::try_new_decoder_with_options(Arc::new(metadata), options);
        let builder = builder.map_err(damaged)?;
        let fields = builder.parquet_schema().root_schema().get_fields().iter().enumerate();
        let wanted: Vec<_> = fields
            .filter(|(_, field)| self.schema.index_of(field.name()).is_ok())
            .map(|(index, _)| index)
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let mut decoder =
            builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
        // A small file is here already.
        if end.start == 0 {
            decoder.push_range(end, tail).map_err(damaged)?;
        }
        Ok(OpenFile { path, file, object, decoder, row_group: None })
    }

    async fn get(&self, object: &Path, range: &Range<u64>) -> Result<Bytes, DeltaError> {
        let read = self.store.get_range(object, range.clone()).await;
        let bytes = read.map_err(|source| DeltaError::store("read", object, source))?;
        check_length(object, range, &bytes)?;
        Ok(bytes)
    }

    /// The footer, by the file's end and whatever else of it that takes.
    async fn footer(
        &self,
        object: &Path,
        end: &Range<u64>,
        tail: &Bytes,
    ) -> Result<ParquetMetaData, DeltaError> {
        let damaged = |error: ParquetError| DeltaError::damaged(object, error);
        let mut decoder = ParquetMetaDataPushDecoder::try_new(end.end)
            .map_err(damaged)?
            .with_page_index_policy(PageIndexPolicy::Skip);
        decoder.push_range(end.clone(), tail.clone()).map_err(damaged)?;
        loop {
            match decoder.try_decode().map_err(damaged)? {
                DecodeResult::Data(metadata) => return Ok(metadata),
                DecodeResult::Finished => return Err(DeltaError::damaged(object, "it has no footer")),
                DecodeResult::NeedsData(ranges) => {
                    for range in ranges {
                        let bytes = self.get(object, &range).await?;
                        decoder.push_range(range, bytes).map_err(damaged)?;
                    }
                }
            }
        }
    }

    /// The batch with the columns that were asked for.
    fn shape(&self, open: &OpenFile, batch: &RecordBatch) -> Result<RecordBatch, DeltaError> {
        let columns = self.schema.fields().iter().map(|field| self.column(open, field, batch));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.collect::<Result<_, DeltaError>>()?;
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }

    fn column(&self, open: &OpenFile, field: &Field, batch: &RecordBatch) -> Result<ArrayRef, DeltaError> {
        let (name, data_type) = (field.name(), field.data_type());
        let wrong = |why: String| DeltaError::Damaged { object: open.object.to_string(), why };
        if self.partition_columns.contains(name) {
            let value = open.file.partition_values.get(name).and_then(Option::as_deref);
            let column = partition::column(data_type, value, batch.num_rows());
            return column.ok_or_else(|| wrong(format!("{value:?} is no value of its column {name}")));
        }
        match batch.column_by_name(name) {
            Some(column) if column.data_type() == data_type => Ok(column.clone()),
            Some(column) => {
                Err(wrong(format!("its column {name} is {}, not {data_type}", column.data_type())))
            }
            None => Ok(new_null_array(data_type, batch.num_rows())),
        }
    }
}
