//! What librdkafka tells beside its answers: log lines, and why no broker is reached.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{DeliveryResult, ProducerContext};

/// Shared by a client and those who word its errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    refused: Arc<Mutex<Option<Code>>>,
}

impl Context {
    /// Why brokers refuse this client, if they do: a call only says that it found no broker in time.
    pub(crate) fn refused(&self) -> Option<Code> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error that a consumer's poll gave: those of its connections come that way, and not to [`ClientContext::error`].
    pub(crate) fn polled(&self, error: &KafkaError) {
        if let Some(code) = error.rdkafka_error_code() {
            self.note(code);
        }
    }

    fn note(&self, code: Code) {
        let refused = match code {
            Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => Some(code),
            // What follows every other failure says nothing new.
            Code::AllBrokersDown => return,
            _ => None,
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}

impl ClientContext for Context {
    /// The client heals what it logs, or the call that cannot go on fails: nothing here is worse than a warning.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "Kafka client: {message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(facility, "Kafka client: {message}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.polled(&error);
        tracing::debug!(%error, "Kafka client: {reason}");
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    /// A record that was not delivered fails its transaction, which is what is looked at.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_kept_until_another_reason_comes() {
        let context = Context::default();
        context.error(KafkaError::Global(Code::Authentication), "");
        context.error(KafkaError::Global(Code::AllBrokersDown), "");
        assert_eq!(context.refused(), Some(Code::Authentication));
        context.error(KafkaError::Global(Code::BrokerTransportFailure), "");
        assert_eq!(context.refused(), None);
        context.polled(&KafkaError::MessageConsumption(Code::SSL));
        assert_eq!(context.refused(), Some(Code::SSL));
    }
}
