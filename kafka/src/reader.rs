//! Reads a partition outside any group, up to an end that may lie behind transactions that are still open.

use std::ops::ControlFlow;
use std::time::Duration;

use engine::log::LogError;
use engine::record::{NextOffset, Partition, Record};
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::client::KafkaSettings;
use crate::consumer::{number, positions_list, record};
use crate::failure::log_error;

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_WAIT: Duration = Duration::from_millis(100);

pub(crate) fn partitions(settings: &KafkaSettings, topic: &str) -> Result<Option<u32>, LogError> {
    let failed = |error| log_error(&format!("look up {topic}"), &settings.brokers, error);
    let consumer: BaseConsumer =
        BaseConsumer::from_config(&settings.reader("read_uncommitted")).map_err(failed)?;
    let metadata = match consumer.fetch_metadata(Some(topic), CALL_TIMEOUT) {
        Ok(metadata) => metadata,
        Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition)) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    Ok(found
        .map(|found| u32::try_from(found.partitions().len()).unwrap_or(u32::MAX))
        .filter(|count| *count > 0))
}

pub(crate) fn ends(settings: &KafkaSettings, topic: &str) -> Result<Vec<NextOffset>, LogError> {
    let failed = |error| log_error(&format!("find the end of {topic}"), &settings.brokers, error);
    let consumer: BaseConsumer =
        BaseConsumer::from_config(&settings.reader("read_uncommitted")).map_err(failed)?;
    let count = partitions(settings, topic)?.unwrap_or(0);
    let end = |partition| {
        let (_, high) = consumer.fetch_watermarks(topic, number(partition), CALL_TIMEOUT).map_err(failed)?;
        Ok(NextOffset::at(u64::try_from(high).unwrap_or(0)))
    };
    (0..count).map(Partition).map(end).collect()
}

pub(crate) fn read(
    settings: &KafkaSettings,
    topic: &str,
    partition: Partition,
    from: NextOffset,
    to: NextOffset,
    each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<NextOffset, LogError> {
    if from >= to {
        return Ok(from);
    }
    let failed = |error| log_error(&format!("read {topic}"), &settings.brokers, error);
    let consumer: BaseConsumer =
        BaseConsumer::from_config(&settings.reader("read_committed")).map_err(failed)?;
    let list = positions_list(topic, std::iter::once((partition, from))).map_err(failed)?;
    consumer.assign(&list).map_err(failed)?;
    let mut position = from;
    let mut is_at_end = false;
    loop {
        match consumer.poll(POLL_WAIT) {
            Some(Ok(message)) => {
                is_at_end = false;
                let record = record(&message);
                if record.offset >= to.get() {
                    return Ok(position);
                }
                position = NextOffset::after(record.offset);
                if each(record).is_break() || position >= to {
                    return Ok(position);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => is_at_end = true,
            Some(Err(error)) => return Err(failed(error)),
            None => {}
        }
        // At the last stable offset: what lies between it and `to` belongs to open transactions, which are waited for.
        if is_at_end {
            let (_, stable) =
                consumer.fetch_watermarks(topic, number(partition), CALL_TIMEOUT).map_err(failed)?;
            if u64::try_from(stable).unwrap_or(0) >= to.get() {
                return Ok(position);
            }
        }
    }
}
