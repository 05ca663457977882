//! A store that loses requests and answers, as it is told.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It does not arrive, and nobody says so.
    RequestLost,
    /// It is carried out, and nobody says so.
    AnswerLost,
    /// The store says that it is there already, and it is not.
    FalselyTaken,
    /// It is turned down.
    Denied,
    /// Its condition is passed over.
    Unconditional,
}

/// Which requests meet faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    PutCommit,
    PutData,
    PutCheckpoint,
    GetLog,
}

/// What others do at a moment of a request.
type Meanwhile = BoxFuture<'static, ()>;

pub(crate) struct Faulty {
    inner: InMemory,
    faults: Mutex<VecDeque<(On, Fault)>>,
    before_commit: Mutex<Option<Meanwhile>>,
    after_commit: Mutex<Option<Meanwhile>>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Faulty {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: InMemory::new(),
            faults: Mutex::default(),
            before_commit: Mutex::default(),
            after_commit: Mutex::default(),
        })
    }

    /// The next requests of each kind meet these faults, in this order.
    pub(crate) fn expect(&self, faults: impl IntoIterator<Item = (On, Fault)>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Others do this between the look of the next commit and its arrival.
    pub(crate) fn before_commit(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.before_commit.lock().unwrap() = Some(meanwhile.boxed());
    }

    /// Others do this between the arrival of the next commit and its answer.
    pub(crate) fn after_commit(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.after_commit.lock().unwrap() = Some(meanwhile.boxed());
    }

    pub(crate) fn is_through(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    pub(crate) fn forget_faults(&self) {
        self.faults.lock().unwrap().clear();
    }

    fn next(&self, on: On) -> Fault {
        let mut faults = self.faults.lock().unwrap();
        let Some(at) = faults.iter().position(|(kind, _)| *kind == on) else { return Fault::None };
        faults.remove(at).map_or(Fault::None, |(_, fault)| fault)
    }
}

fn kind_of_put(location: &Path) -> On {
    match location.filename() {
        Some(name) if name.ends_with(".json") => On::PutCommit,
        Some(name) if name.contains("checkpoint") => On::PutCheckpoint,
        _ => On::PutData,
    }
}

fn lost() -> Error {
    Error::Generic { store: "faulty", source: "operation timed out".into() }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let path = location.to_string();
        let kind = kind_of_put(location);
        if kind == On::PutCommit {
            let meanwhile = self.before_commit.lock().unwrap().take();
            meanwhile.unwrap_or_else(|| async {}.boxed()).await;
        }
        match self.next(kind) {
            Fault::None => {
                // Taken first: the commits that others make meanwhile have no meanwhile of their own.
                let meanwhile =
                    if kind == On::PutCommit { self.after_commit.lock().unwrap().take() } else { None };
                let result = self.inner.put_opts(location, payload, opts).await;
                meanwhile.unwrap_or_else(|| async {}.boxed()).await;
                result
            }
            Fault::RequestLost => Err(lost()),
            Fault::AnswerLost => {
                // Whatever the answer was, nobody hears it.
                let _ = self.inner.put_opts(location, payload, opts).await;
                Err(lost())
            }
            Fault::FalselyTaken => Err(Error::AlreadyExists { path, source: "conflict".into() }),
            Fault::Unconditional => self.inner.put(location, payload).await,
            Fault::Denied => Err(Error::PermissionDenied { path, source: "denied".into() }),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if location.as_ref().contains("_delta_log") && self.next(On::GetLog) != Fault::None {
            return Err(lost());
        }
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
