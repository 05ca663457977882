//! Places for tables: one of each kind of store.

use std::sync::Arc;

use delta::Lake;
use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::memory::InMemory;
use object_store::path::Path;

/// A lake, and the folder that goes with it.
pub(crate) struct Place {
    pub(crate) lake: Lake,
    pub(crate) folder: Option<tempfile::TempDir>,
}

pub(crate) fn memory() -> Option<Place> {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Some(Place { lake: Lake { store, root: Path::from("lake"), url: "memory".into() }, folder: None })
}

pub(crate) fn folder() -> Option<Place> {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
    Some(Place { lake, folder: Some(folder) })
}

/// A prefix of its own in the bucket `UFO_S3_BUCKET` (`test`).
pub(crate) fn bucket() -> Option<Place> {
    let endpoint = endpoint()?;
    let (key, secret) = credentials();
    let store = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_bucket_name(bucket_name())
        .with_access_key_id(key)
        .with_secret_access_key(secret)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .unwrap();
    let root = Path::from(format!("delta-{}", uuid::Uuid::new_v4()));
    let url = format!("s3://{}/{root}", bucket_name());
    Some(Place { lake: Lake { store: Arc::new(store), root, url }, folder: None })
}

pub(crate) fn bucket_name() -> String {
    std::env::var("UFO_S3_BUCKET").unwrap_or_else(|_| "test".into())
}

/// Those of the development server, where the environment has no others.
pub(crate) fn credentials() -> (String, String) {
    let variable = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.into());
    (variable("AWS_ACCESS_KEY_ID", "stackadmin"), variable("AWS_SECRET_ACCESS_KEY", "stackadmin-secret"))
}

/// To those who run the tests, also where these pass: what is printed with the macros is then kept back.
pub(crate) fn tell(text: &str) {
    use std::io::Write;
    let mut stderr = std::io::stderr();
    writeln!(stderr, "delta: {text}").unwrap();
}

/// Where MinIO is; says once that it is nowhere.
pub(crate) fn endpoint() -> Option<String> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let endpoint = std::env::var("UFO_S3_ENDPOINT").ok();
    assert!(
        endpoint.is_some() || std::env::var_os("UFO_REQUIRE_SERVERS").is_none(),
        "UFO_S3_ENDPOINT is not set, and UFO_REQUIRE_SERVERS is"
    );
    if endpoint.is_none() {
        ONCE.call_once(|| tell("SKIPPED on S3: UFO_S3_ENDPOINT is not set"));
    }
    endpoint
}
