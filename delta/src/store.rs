//! Where tables lie: a local folder, or a bucket.

use std::fs;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;

use crate::error::DeltaError;

/// A store and the place in it where tables begin.
#[derive(Clone, Debug)]
pub struct Lake {
    pub store: Arc<dyn ObjectStore>,
    pub root: Path,
    /// As the user wrote it.
    pub url: String,
}

impl Lake {
    /// Opens `s3://bucket/prefix` (endpoint and credentials by the `AWS_*` variables) or a folder, which is made where
    /// it is missing.
    pub fn open(url: &str) -> Result<Self, DeltaError> {
        let refused = |why: String| DeltaError::Url { url: url.to_owned(), why };
        if let Some(rest) = url.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let store = s3(bucket).map_err(refused)?;
            return Ok(Self { store, root: Path::from(prefix), url: url.to_owned() });
        }
        if let Some((scheme, _)) = url.split_once("://") {
            return Err(refused(format!("{scheme}:// is not known: use s3://bucket/prefix or a folder")));
        }
        fs::create_dir_all(url).map_err(|error| refused(format!("the folder cannot be made ({error})")))?;
        let store = LocalFileSystem::new_with_prefix(url)
            .map_err(|error| refused(error.to_string()))?
            .with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), root: Path::default(), url: url.to_owned() })
    }

    /// The root of the table `name`.
    pub fn table(&self, name: &str) -> Path {
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }
}

#[cfg(feature = "s3")]
fn s3(bucket: &str) -> Result<Arc<dyn ObjectStore>, String> {
    use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
    let builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>).map_err(|error| error.to_string())
}

#[cfg(not(feature = "s3"))]
fn s3(_bucket: &str) -> Result<Arc<dyn ObjectStore>, String> {
    Err("this program is built for local folders only: use the `sink` binary for S3".into())
}
