//! Data files on their way to the store. Nothing of them counts before a commit names them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, UploadPart};

use super::Table;
use crate::encode::{DataFile, Encoder, Encoding};
use crate::error::DeltaError;
use crate::path;
use crate::schema::file_schema;

/// Files of one commit that are on their way at the same time.
const UPLOADS_MAX: usize = 8;
/// Larger files go up in parts: a store's client gives each request 30 seconds, whatever its size.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one file that are on their way at the same time.
const PARTS_MAX: usize = 4;

impl Table {
    /// Puts the file into the store ahead of its commit, and lets go of its bytes.
    pub async fn upload(&self, file: &mut DataFile) -> Result<(), DeltaError> {
        self.put(file).await?;
        file.bytes = None;
        Ok(())
    }

    pub(super) async fn upload_all(&self, files: &[DataFile]) -> Result<(), DeltaError> {
        // Collected, because a closure with a borrowed argument would make the future one that cannot be sent.
        let uploads: Vec<_> = files.iter().map(|file| self.put(file)).collect();
        futures::stream::iter(uploads).buffer_unordered(UPLOADS_MAX).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    async fn put(&self, file: &DataFile) -> Result<(), DeltaError> {
        let Some(bytes) = &file.bytes else { return Ok(()) };
        let object = path::object(self.root(), &file.path)?;
        let mut parts = Parts::new(self.log.store.clone(), object);
        if bytes.len() <= PART_BYTES {
            return parts.put_whole(bytes.clone()).await;
        }
        for start in (0..bytes.len()).step_by(PART_BYTES) {
            parts.push(bytes.slice(start..bytes.len().min(start + PART_BYTES))).await?;
        }
        parts.complete().await
    }

    /// Writes a file row by row, in bounded memory: what is encoded goes up in parts. For the partition with these
    /// values, in the table's order.
    pub fn writer(
        &self,
        encoding: &Encoding,
        partition: &[(&str, Option<String>)],
    ) -> Result<FileWriter, DeltaError> {
        let columns = self.columns.as_ref().unwrap_or(&self.snapshot.schema);
        self.writer_of(&file_schema(columns, self.snapshot.partition_columns()), encoding, partition)
    }

    pub(crate) fn writer_of(
        &self,
        schema: &arrow_schema::SchemaRef,
        encoding: &Encoding,
        partition: &[(&str, Option<String>)],
    ) -> Result<FileWriter, DeltaError> {
        let encoder = Encoder::new(schema, encoding, partition)?;
        let object = path::object(self.root(), encoder.path())?;
        Ok(FileWriter { encoder, waiting: Vec::new(), parts: Parts::new(self.log.store.clone(), object) })
    }
}

/// A file that is written row by row. One that is dropped unfinished leaves nothing that readers see; on S3 its parts
/// stay until the bucket's rule for incomplete uploads removes them, so [`abort`](Self::abort) it where possible.
#[derive(Debug)]
pub struct FileWriter {
    encoder: Encoder,
    /// Encoded bytes, less than a part.
    waiting: Vec<u8>,
    parts: Parts,
}

impl FileWriter {
    pub async fn push(&mut self, batch: &RecordBatch) -> Result<(), DeltaError> {
        self.encoder.push(batch)?;
        if self.encoder.ready_bytes() + self.waiting.len() < PART_BYTES {
            return Ok(());
        }
        self.waiting.append(&mut self.encoder.take_ready());
        let mut ready = Bytes::from(std::mem::take(&mut self.waiting));
        while ready.len() >= PART_BYTES {
            self.parts.push(ready.split_to(PART_BYTES)).await?;
        }
        self.waiting = ready.to_vec();
        Ok(())
    }

    pub fn rows(&self) -> u64 {
        self.encoder.rows()
    }

    /// About how large the file is so far.
    pub fn encoded_bytes(&self) -> usize {
        self.encoder.encoded_bytes()
    }

    /// About how much memory it holds.
    pub fn memory_bytes(&self) -> usize {
        self.encoder.memory_bytes() + self.waiting.capacity() + self.parts.in_flight.len() * PART_BYTES
    }

    /// Closes the file; it is in the store then, and waits for a commit.
    pub async fn finish(self) -> Result<DataFile, DeltaError> {
        let Self { encoder, mut waiting, mut parts } = self;
        let (file, mut rest) = encoder.close()?;
        waiting.append(&mut rest);
        let mut ready = Bytes::from(waiting);
        if parts.upload.is_none() && ready.len() <= PART_BYTES {
            parts.put_whole(ready).await?;
            return Ok(file);
        }
        while !ready.is_empty() {
            parts.push(ready.split_to(ready.len().min(PART_BYTES))).await?;
        }
        parts.complete().await?;
        Ok(file)
    }

    /// Gives the file up.
    pub async fn abort(mut self) -> Result<(), DeltaError> {
        self.parts.abort().await
    }
}

/// An upload in parts, of which few are on their way at the same time.
struct Parts {
    store: Arc<dyn ObjectStore>,
    object: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    in_flight: FuturesUnordered<UploadPart>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("object", &self.object)
            .field("in_flight", &self.in_flight.len())
            .finish()
    }
}

impl Parts {
    fn new(store: Arc<dyn ObjectStore>, object: Path) -> Self {
        Self { store, object, upload: None, in_flight: FuturesUnordered::new() }
    }

    fn failed(&self, source: object_store::Error) -> DeltaError {
        DeltaError::store("write", &self.object, source)
    }

    async fn put_whole(&mut self, bytes: Bytes) -> Result<(), DeltaError> {
        // Its name is unique and its bytes are always the same, so the store's client may send it twice.
        let put = self.store.put(&self.object, bytes.into()).await;
        put.map(|_| ()).map_err(|source| self.failed(source))
    }

    async fn push(&mut self, bytes: Bytes) -> Result<(), DeltaError> {
        let pushed = self.try_push(bytes).await;
        self.or_abort(pushed).await
    }

    async fn try_push(&mut self, bytes: Bytes) -> Result<(), object_store::Error> {
        if self.upload.is_none() {
            self.upload = Some(self.store.put_multipart(&self.object).await?);
        }
        if self.in_flight.len() >= PARTS_MAX {
            self.in_flight.next().await.unwrap_or(Ok(()))?;
        }
        if let Some(upload) = &mut self.upload {
            self.in_flight.push(upload.put_part(bytes.into()));
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), DeltaError> {
        let completed = self.try_complete().await;
        self.or_abort(completed).await
    }

    async fn try_complete(&mut self) -> Result<(), object_store::Error> {
        while let Some(part) = self.in_flight.next().await {
            part?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }

    async fn or_abort(&mut self, result: Result<(), object_store::Error>) -> Result<(), DeltaError> {
        let Err(source) = result else { return Ok(()) };
        // The file is lost either way; what a failed clean-up leaves, the bucket's rule removes.
        let _ = self.abort().await;
        Err(self.failed(source))
    }

    async fn abort(&mut self) -> Result<(), DeltaError> {
        self.in_flight.clear();
        let Some(mut upload) = self.upload.take() else { return Ok(()) };
        upload.abort().await.map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn few_parts_are_on_their_way_at_once() {
        let store = Arc::new(InMemory::new());
        let mut parts = Parts::new(store.clone(), Path::from("file"));
        for number in 0..20_u8 {
            parts.push(Bytes::from(vec![number; 3])).await.unwrap();
            assert!(parts.in_flight.len() <= PARTS_MAX);
        }
        parts.complete().await.unwrap();
        let bytes = store.get(&Path::from("file")).await.unwrap().bytes().await.unwrap();
        assert!(bytes.iter().copied().eq((0..20).flat_map(|number| [number; 3])));
    }
}
