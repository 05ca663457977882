//! Creates topics, or checks those that are there.

use std::time::Duration;

use engine::log::{Cause, Failure, Kept, LogError, TopicSpec};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client::KafkaSettings;
use crate::failure::log_error;
use crate::reader::partitions;

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The cluster decides.
const DEFAULT_REPLICATION: i32 = -1;

pub(crate) fn ensure(settings: &KafkaSettings, topics: &[TopicSpec]) -> Result<(), LogError> {
    for spec in topics {
        match partitions(settings, &spec.name)? {
            Some(found) => check(spec, found)?,
            None => {
                create(settings, spec)?;
                // Somebody else may have been faster, with other settings.
                if let Some(found) = partitions(settings, &spec.name)? {
                    check(spec, found)?;
                }
            }
        }
    }
    Ok(())
}

fn check(spec: &TopicSpec, found: u32) -> Result<(), LogError> {
    if found == spec.partitions {
        return Ok(());
    }
    let TopicSpec { name, partitions, .. } = spec;
    let message = format!(
        "{name} has {found} partitions, not the {partitions} of the settings: duplicates are found by partition, so it cannot change; set --partitions {found}, or choose another --prefix"
    );
    Err(LogError::new(Failure::Unknown, Cause::Misfit, message))
}

fn create(settings: &KafkaSettings, spec: &TopicSpec) -> Result<(), LogError> {
    let failed = |error| log_error(&format!("create {}", spec.name), &settings.brokers, error);
    let admin: AdminClient<DefaultClientContext> =
        AdminClient::from_config(&settings.client()).map_err(failed)?;
    let replication = settings.replication.map_or(DEFAULT_REPLICATION, i32::from);
    let count = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
    let retention = match spec.kept {
        Kept::Forever | Kept::Compacted => "-1".to_owned(),
        Kept::For(time) => time.as_millis().to_string(),
    };
    let cleanup = match spec.kept {
        Kept::Compacted => "compact",
        Kept::Forever | Kept::For(_) => "delete",
    };
    let topic = NewTopic::new(&spec.name, count, TopicReplication::Fixed(replication))
        .set("cleanup.policy", cleanup)
        .set("retention.ms", &retention)
        .set("message.timestamp.type", "CreateTime");
    let options =
        AdminOptions::new().operation_timeout(Some(CALL_TIMEOUT)).request_timeout(Some(CALL_TIMEOUT));
    let created = block_on(admin.create_topics([&topic], &options)).map_err(failed)?;
    for result in created {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(KafkaError::AdminOp(code))),
        }
    }
    Ok(())
}
