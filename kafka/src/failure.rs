//! What an rdkafka error means for a transaction, and what a person can do about it.

use engine::log::{Cause, Failure, LogError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// The error of a call, with what was being done in the words of its message.
pub(crate) fn log_error(what: &str, brokers: &str, error: KafkaError) -> LogError {
    let (failure, cause) = classified(&error);
    let message = match cause {
        Cause::Unreachable => {
            format!(
                "cannot {what}: no answer from {brokers}; is the broker running? (--brokers / UFO_BROKERS)"
            )
        }
        Cause::Denied => format!("cannot {what}: {brokers} refuses the credentials or the action"),
        Cause::Misfit => format!("cannot {what}: a topic, message size or setting does not fit the cluster"),
        Cause::Storage | Cause::Other => format!("cannot {what}"),
    };
    LogError::new(failure, cause, message).with_source(error)
}

fn classified(error: &KafkaError) -> (Failure, Cause) {
    let code = error.rdkafka_error_code();
    let cause = code.map_or(Cause::Other, cause_of);
    let failure = match error {
        KafkaError::Transaction(error) if error.is_fatal() => fatal(error.code()),
        KafkaError::Transaction(error) if error.txn_requires_abort() => Failure::Abortable,
        KafkaError::Transaction(error) if error.is_retriable() => Failure::Retriable,
        KafkaError::MessageConsumptionFatal(code) => fatal(*code),
        // The producer takes no messages since its transaction has failed: to abort it tells how badly.
        KafkaError::MessageProduction(Code::InvalidTransactionalState | Code::State) => Failure::Abortable,
        // The group goes on without this member or with another generation: it is told by the next poll.
        _ => code.map_or(Failure::Unknown, failure_of),
    };
    (failure, cause)
}

fn fatal(code: Code) -> Failure {
    match code {
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::FencedInstanceId => {
            Failure::Fenced
        }
        _ => Failure::Unknown,
    }
}

fn failure_of(code: Code) -> Failure {
    match code {
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::FencedInstanceId => {
            Failure::Fenced
        }
        Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress => Failure::Abortable,
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::MessageTimedOut
        | Code::RequestTimedOut
        | Code::TimedOutQueue
        | Code::WaitingForCoordinator
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::NetworkException
        | Code::BrokerNotAvailable
        | Code::ReplicaNotAvailable
        | Code::KafkaStorageError
        | Code::ConcurrentTransactions
        | Code::UnstableOffsetCommit
        | Code::PollExceeded
        | Code::QueueFull => Failure::Retriable,
        _ => Failure::Unknown,
    }
}

fn cause_of(code: Code) -> Cause {
    match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::MessageTimedOut
        | Code::RequestTimedOut
        | Code::TimedOutQueue
        | Code::BrokerNotAvailable
        | Code::CoordinatorNotAvailable
        | Code::NetworkException => Cause::Unreachable,
        Code::Authentication
        | Code::SSL
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed => Cause::Denied,
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::MessageSizeTooLarge
        | Code::InvalidReplicationFactor
        | Code::InvalidTransactionTimeout => Cause::Misfit,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_broker_says_what_to_do() {
        let error =
            log_error("list topics", "nowhere:9092", KafkaError::MetadataFetch(Code::BrokerTransportFailure));
        assert_eq!((error.failure, error.cause), (Failure::Retriable, Cause::Unreachable));
        assert!(error.message.contains("nowhere:9092") && error.message.contains("UFO_BROKERS"), "{error}");
    }

    #[test]
    fn a_member_left_behind_aborts_and_a_fenced_one_ends() {
        assert_eq!(failure_of(Code::IllegalGeneration), Failure::Abortable);
        assert_eq!(failure_of(Code::ProducerFenced), Failure::Fenced);
        assert_eq!(failure_of(Code::InvalidRecord), Failure::Unknown);
    }
}
