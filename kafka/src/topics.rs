//! Creates topics, or checks those that are there.

use std::thread;
use std::time::Duration;

use engine::log::{Cause, Failure, Kept, LogError, TopicSpec};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client::KafkaSettings;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::failure::log_error;
use crate::lookup::Lookup;

const CALL_TIMEOUT: Duration = Duration::from_secs(9);
/// A new topic is known to every broker within this, or something is wrong.
const KNOWN_TIMEOUT: Duration = Duration::from_secs(30);
const KNOWN_PAUSE: Duration = Duration::from_millis(50);
/// Any one broker may die, and another be restarted meanwhile, without a record lost.
const REPLICATION_DEFAULT: u16 = 3;

pub(crate) fn ensure(
    settings: &KafkaSettings,
    lookup: &Lookup,
    topics: &[TopicSpec],
) -> Result<(), LogError> {
    let mut missing = Vec::new();
    for spec in topics {
        match lookup.partitions(&spec.name)? {
            Some(found) => check(spec, found)?,
            None => missing.push(spec),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let replication = match settings.replication {
        Some(replication) => replication,
        None => u16::try_from(lookup.broker_count()?).unwrap_or(u16::MAX).clamp(1, REPLICATION_DEFAULT),
    };
    let context = Context::default();
    let admin: AdminClient<Context> =
        AdminClient::from_config_and_context(&settings.client(), context.clone())
            .map_err(|error| log_error("create topics", &settings.brokers, &context, error))?;
    for spec in missing {
        create(&admin, spec, replication).map_err(|error| {
            log_error(&format!("create {}", spec.name), &settings.brokers, &context, error)
        })?;
        // Somebody else may have been faster, with other settings.
        check(spec, known(lookup, spec)?)?;
    }
    Ok(())
}

/// Waits until a new topic can be looked up.
fn known(lookup: &Lookup, spec: &TopicSpec) -> Result<u32, LogError> {
    let deadline = Deadline::after(KNOWN_TIMEOUT);
    loop {
        match lookup.partitions(&spec.name) {
            Ok(Some(found)) => return Ok(found),
            Err(error) if error.failure != Failure::Retriable || deadline.is_past() => return Err(error),
            Ok(None) if deadline.is_past() => {
                let message = format!("{} was created, but no broker knows it", spec.name);
                return Err(LogError::new(Failure::Retriable, Cause::Other, message));
            }
            Ok(None) | Err(_) => thread::sleep(KNOWN_PAUSE),
        }
    }
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

fn create(admin: &AdminClient<Context>, spec: &TopicSpec, replication: u16) -> Result<(), KafkaError> {
    let count = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
    let in_sync_min = if replication >= REPLICATION_DEFAULT { "2" } else { "1" };
    let (cleanup, retention, timestamp) = kept(spec.kept);
    let topic = NewTopic::new(&spec.name, count, TopicReplication::Fixed(i32::from(replication)))
        .set("cleanup.policy", cleanup)
        .set("retention.ms", &retention)
        .set("min.insync.replicas", in_sync_min)
        .set("message.timestamp.type", timestamp);
    let options =
        AdminOptions::new().operation_timeout(Some(CALL_TIMEOUT)).request_timeout(Some(CALL_TIMEOUT));
    for result in block_on(admin.create_topics([&topic], &options))? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}

/// `cleanup.policy`, `retention.ms` and `message.timestamp.type`.
fn kept(kept: Kept) -> (&'static str, String, &'static str) {
    match kept {
        Kept::Forever => ("delete", "-1".to_owned(), "CreateTime"),
        Kept::Compacted => ("compact", "-1".to_owned(), "CreateTime"),
        // The age is that of the record in this topic: what a replay of old records writes is as new as any other, and
        // by the old records' own time the broker would remove it before it is read.
        Kept::For(time) => ("delete", time.as_millis().to_string(), "LogAppendTime"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_partition_count_names_both() {
        let spec = TopicSpec { name: "ufo.raw".into(), partitions: 6, kept: Kept::Forever };
        assert!(check(&spec, 6).is_ok());
        let error = check(&spec, 4).expect_err("another count");
        assert_eq!(error.cause, Cause::Misfit);
        assert!(error.message.contains("has 4 partitions, not the 6"), "{error}");
    }

    #[test]
    fn only_compaction_or_an_age_removes_records() {
        assert_eq!(kept(Kept::Forever), ("delete", "-1".into(), "CreateTime"));
        assert_eq!(kept(Kept::Compacted), ("compact", "-1".into(), "CreateTime"));
        assert_eq!(kept(Kept::For(Duration::from_secs(60))), ("delete", "60000".into(), "LogAppendTime"));
    }
}
