//! A store that dies under its sink: after so many requests nothing is answered any more, and whether the last one was
//! carried out is drawn.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub(crate) struct DyingStore {
    inner: Arc<dyn ObjectStore>,
    /// Writing requests until the end.
    left: AtomicI64,
    last_is_carried_out: bool,
    is_dead: AtomicBool,
}

impl DyingStore {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, requests: u32, last_is_carried_out: bool) -> Self {
        Self {
            inner,
            left: AtomicI64::new(requests.into()),
            last_is_carried_out,
            is_dead: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<()> {
        if self.is_dead() { Err(gone()) } else { Ok(()) }
    }
}

fn gone() -> object_store::Error {
    object_store::Error::Generic { store: "dying", source: "the process is gone".into() }
}

impl fmt::Display for DyingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dying {}", self.inner)
    }
}

#[async_trait::async_trait]
impl ObjectStore for DyingStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.check()?;
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return self.inner.put_opts(location, payload, options).await;
        }
        let was_dead = self.is_dead.swap(true, Ordering::SeqCst);
        if self.last_is_carried_out && !was_dead {
            let _ = self.inner.put_opts(location, payload, options).await;
        }
        Err(gone())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.check() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => async { Err(error) }.into_stream().boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.check()?;
        self.inner.copy_opts(from, to, options).await
    }
}
