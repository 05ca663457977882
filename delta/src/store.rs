//! Where tables lie: a local folder, or a bucket.

#[cfg(feature = "s3")]
mod s3;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::DeltaError;

/// How a store says that there is no such bucket.
const NO_BUCKET: &str = "NoSuchBucket";

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
    /// it is missing. Nothing is asked of a bucket yet: see [`check`](Self::check).
    pub fn open(url: &str) -> Result<Self, DeltaError> {
        let refused = |why: String| DeltaError::Url { url: url.to_owned(), why };
        if let Some((bucket, prefix)) = bucket_of(url) {
            if bucket.is_empty() {
                return Err(refused("it names no bucket: s3://bucket/prefix".into()));
            }
            let store = s3_store(bucket, Patience::Patient).map_err(refused)?;
            let root = Path::parse(prefix).map_err(|error| refused(error.to_string()))?;
            return Ok(Self { store, root, url: url.to_owned() });
        }
        let folder = folder_of(url).map_err(refused)?;
        fs::create_dir_all(&folder)
            .map_err(|error| refused(format!("the folder cannot be made ({error})")))?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| refused(error.to_string()))?
            .with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), root: Path::default(), url: url.to_owned() })
    }

    /// The root of the table `name`.
    pub fn table(&self, name: &str) -> Path {
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    /// Asks the bucket once, so that a start with a wrong setting ends within seconds and says which one it is.
    pub async fn check(&self) -> Result<(), DeltaError> {
        let Some((bucket, _)) = bucket_of(&self.url) else { return Ok(()) };
        let Some(error) = self.first_failure(bucket).await? else { return Ok(()) };
        // A refused listing comes as an error of no kind: only its text says which.
        let cause = root_cause(&error);
        let says = |text: &str| cause.contains(text);
        Err(self.refused(match &error {
            _ if says(NO_BUCKET) => format!("the bucket {bucket} does not exist: make it, or name another"),
            _ if says("403 Forbidden") || says("401 Unauthorized") => format!(
                "the credentials are refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their rights on {bucket}"
            ),
            _ => format!(
                "no useful answer from the store: check AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP (true for http://) and the network ({cause})"
            ),
        }))
    }

    /// Makes the bucket where it does not exist: whether it did. For a setup only: a bucket that is gone while the lake is
    /// in use is to be told, not replaced.
    pub async fn create_missing_bucket(&self) -> Result<bool, DeltaError> {
        let Some((bucket, _)) = bucket_of(&self.url) else { return Ok(false) };
        let is_missing = match self.first_failure(bucket).await? {
            Some(error) => root_cause(&error).contains(NO_BUCKET),
            None => false,
        };
        if is_missing {
            s3_create_bucket(bucket).await.map_err(|why| self.refused(why))?;
        }
        self.check().await?;
        Ok(is_missing)
    }

    /// What goes wrong when the bucket is asked.
    async fn first_failure(&self, bucket: &str) -> Result<Option<Error>, DeltaError> {
        let store = s3_store(bucket, Patience::Hasty).map_err(|why| self.refused(why))?;
        Ok(store.list(Some(&self.root)).next().await.and_then(Result::err))
    }

    /// Makes sure that an object is written only where there is none: all promises about commits rest on it, and some
    /// stores pass the condition over without a word.
    pub async fn check_writable(&self) -> Result<(), DeltaError> {
        self.check().await?;
        let probe = self.root.clone().join(format!("_probe-{}", uuid::Uuid::new_v4()));
        let put = || {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            self.store.put_opts(&probe, "probe".into(), options)
        };
        if let Err(error) = put().await {
            let cause = root_cause(&error);
            return Err(self.refused(format!(
                "it cannot be written to: check its rights, and that it takes conditional writes or hard links ({cause})"
            )));
        }
        let again = put().await;
        self.store.delete(&probe).await.map_err(|source| DeltaError::store("clean up", &probe, source))?;
        match again {
            Err(Error::AlreadyExists { .. }) => Ok(()),
            Ok(_) | Err(_) => Err(self.refused(
                "the store does not heed `If-None-Match: *`: two writers could take the same version of a table".into(),
            )),
        }
    }

    fn refused(&self, why: String) -> DeltaError {
        DeltaError::Url { url: self.url.clone(), why }
    }

    /// Removes what a killed process left half-written in the folder of the table `name`, if it is older than
    /// `retention`: no listing shows these files, so `vacuum` cannot. How many they were. A bucket has none.
    pub fn remove_leftovers(&self, name: &str, retention: Duration, now_ms: i64) -> Result<u64, DeltaError> {
        if bucket_of(&self.url).is_some() {
            return Ok(0);
        }
        let folder = folder_of(&self.url).map_err(|why| self.refused(why))?.join(name);
        let cutoff = Duration::from_millis(now_ms.unsigned_abs()).saturating_sub(retention);
        remove_leftovers(&folder, cutoff).map_err(|error| self.refused(error.to_string()))
    }
}

fn bucket_of(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://").or_else(|| url.strip_prefix("s3a://"))?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn folder_of(url: &str) -> Result<PathBuf, String> {
    match url.split_once("://") {
        None => Ok(PathBuf::from(url)),
        Some(("file", folder)) => Ok(PathBuf::from(folder)),
        Some((scheme, _)) => Err(format!("{scheme}:// is not known: use s3://bucket/prefix or a folder")),
    }
}

/// A file is written beside its place as `name#1` and gets its name when it is whole.
fn remove_leftovers(folder: &std::path::Path, cutoff: Duration) -> std::io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let (name, metadata) = (entry.file_name(), entry.metadata()?);
        if metadata.is_dir() {
            removed += remove_leftovers(&entry.path(), cutoff)?;
            continue;
        }
        let suffix = name.to_str().and_then(|name| Some(name.rsplit_once('#')?.1));
        let is_leftover =
            suffix.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        let age = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        if is_leftover && age <= cutoff {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// How long a store's client tries again.
#[derive(Clone, Copy, Debug)]
enum Patience {
    /// Through a restart of the store.
    Patient,
    /// For a question at the start.
    Hasty,
}

#[cfg(feature = "s3")]
fn s3_store(bucket: &str, patience: Patience) -> Result<Arc<dyn ObjectStore>, String> {
    s3::store(bucket, patience)
}

#[cfg(feature = "s3")]
async fn s3_create_bucket(bucket: &str) -> Result<(), String> {
    s3::create_bucket(bucket).await
}

#[cfg(not(feature = "s3"))]
async fn s3_create_bucket(bucket: &str) -> Result<(), String> {
    s3_store(bucket, Patience::Hasty).map(drop)
}

#[cfg(not(feature = "s3"))]
fn s3_store(_bucket: &str, _patience: Patience) -> Result<Arc<dyn ObjectStore>, String> {
    Err("this program is built for local folders only: use the `sink` binary for S3".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_written_files_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let lake = Lake::open(folder.path().to_str().expect("a name")).expect("opens");
        let inner = folder.path().join("t/year=2014");
        fs::create_dir_all(&inner).expect("makes");
        for name in ["part.parquet", "part.parquet#1", "part.parquet#x", "#", "a#12"] {
            fs::write(inner.join(name), "x").expect("writes");
        }
        let far = i64::MAX / 2;
        assert_eq!(lake.remove_leftovers("t", Duration::ZERO, 1).expect("looks"), 0);
        assert_eq!(lake.remove_leftovers("t", Duration::ZERO, far).expect("removes"), 2);
        assert_eq!(lake.remove_leftovers("t", Duration::ZERO, far).expect("removes"), 0);
        assert_eq!(lake.remove_leftovers("absent", Duration::ZERO, far).expect("looks"), 0);
        assert!(inner.join("part.parquet").exists() && inner.join("part.parquet#x").exists());
    }

    #[test]
    fn what_is_no_lake_is_refused_with_a_reason() {
        for (url, why) in
            [("gs://bucket", "gs:// is not known"), ("s3://", "no bucket"), ("/dev/null/x", "cannot be made")]
        {
            let error = Lake::open(url).expect_err("refused").to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
