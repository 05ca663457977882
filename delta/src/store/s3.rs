//! A bucket of S3 or of a server that speaks its language.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use super::Patience;

/// The bucket, by the `AWS_*` variables.
pub(super) fn store(bucket: &str, patience: Patience) -> Result<Arc<dyn ObjectStore>, String> {
    let retry = match patience {
        Patience::Patient => RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
            max_retries: 10,
            retry_timeout: Duration::from_secs(60),
        },
        Patience::Hasty => {
            RetryConfig { max_retries: 1, retry_timeout: Duration::from_secs(5), ..RetryConfig::default() }
        }
    };
    let builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry)
        // A commit is `If-None-Match: *`: without it two writers could both take a version.
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>).map_err(|error| error.to_string())
}
