//! A bucket of S3 or of a server that speaks its language.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::client::{HttpConnector, HttpRequest, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::Patience;

/// How long a request that is signed for one use may take.
const VALID: Duration = Duration::from_secs(30);

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

/// Makes the bucket. The client knows no such request, so it signs one, as for somebody without credentials.
pub(super) async fn create_bucket(bucket: &str) -> Result<(), String> {
    let text = |error: object_store::Error| super::root_cause(&error);
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region);
    // Everywhere else the request has to say where it is.
    let elsewhere = region.filter(|region| region != "us-east-1");
    let body = elsewhere.map(|region| {
        format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    });
    let put = || "PUT".parse().map_err(|_| "PUT is no method".to_owned());
    let signed =
        builder.build().map_err(text)?.signed_url(put()?, &Path::default(), VALID).await.map_err(text)?;
    let mut request = HttpRequest::new(body.unwrap_or_default().into());
    *request.method_mut() = put()?;
    *request.uri_mut() = signed.as_str().parse().map_err(|_| "the endpoint is no URL".to_owned())?;
    let options = ClientOptions::new().with_allow_http(true).with_timeout(VALID);
    let client = ReqwestConnector::default().connect(&options).map_err(text)?;
    let answer = client.execute(request).await.map_err(|error| super::root_cause(&error))?;
    match answer.status().as_u16() {
        // Another one was first.
        200 | 409 => Ok(()),
        status => Err(format!("the store answers with status {status}: make the bucket {bucket} by hand")),
    }
}
