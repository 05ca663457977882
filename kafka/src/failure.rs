//! What an rdkafka error means for a transaction, and what a person can do about it.

use engine::log::{Cause, Failure, LogError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::context::Context;

/// Brokers tell the two apart no better.
const FENCED: &str = "another process has taken over (is one started twice with the same --instance?), or the broker has ended the transaction for its age";

/// The error of a call: `what` was being done, as in "cannot read ufo.raw".
pub(crate) fn log_error(what: &str, brokers: &str, context: &Context, error: KafkaError) -> LogError {
    let (failure, cause) = classified(&error);
    // A client that is refused only finds no broker in time: why, it was told before.
    if cause == Cause::Unreachable
        && let Some(refused) = context.refused()
    {
        let reason = denied(refused);
        let message = format!("cannot {what}: {brokers} {reason}");
        return LogError::new(Failure::Unknown, Cause::Denied, message).with_source(error);
    }
    let message = match (cause, code_of(&error)) {
        (Cause::Unreachable, _) => {
            format!(
                "cannot reach the broker at {brokers} to {what}: is it running? (--brokers / UFO_BROKERS)"
            )
        }
        (Cause::Denied, Some(code)) => format!("cannot {what}: {brokers} {}", denied(code)),
        (Cause::Misfit, Some(code)) => format!("cannot {what}: {}", misfit(code)),
        // The value may be a password.
        (Cause::Misfit, None) => match &error {
            KafkaError::ClientConfig(_, reason, property, _) => {
                return LogError::new(
                    failure,
                    cause,
                    format!("cannot {what}: property {property}: {reason}"),
                );
            }
            KafkaError::ClientCreation(reason) => {
                return LogError::new(failure, cause, format!("cannot {what}: {reason}"));
            }
            _ => format!("cannot {what}: a name or setting cannot be used"),
        },
        _ if failure == Failure::Fenced => {
            format!("cannot {what}: {FENCED}")
        }
        _ => return LogError::new(failure, cause, format!("cannot {what}: {error}")),
    };
    LogError::new(failure, cause, message).with_source(error)
}

/// The error that makes a client useless from now on.
pub(crate) fn fatal_error(what: &str, code: Code, reason: &str) -> LogError {
    let failure = fatal(code);
    let message = match failure {
        Failure::Fenced => {
            format!("cannot {what}: {FENCED}")
        }
        _ => format!("cannot {what}: {reason}"),
    };
    LogError::new(failure, cause_of(code), message).with_source(KafkaError::Global(code))
}

fn denied(code: Code) -> &'static str {
    match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "refuses the credentials: check --kafka-user, UFO_KAFKA_PASSWORD and --kafka-mechanism"
        }
        Code::SSL => "and this client find no common ground in TLS: check --kafka-security and --kafka-ca",
        _ => "does not allow that: the user needs an ACL for it",
    }
}

fn misfit(code: Code) -> &'static str {
    match code {
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            "the topic or partition is not there; was it deleted after the start?"
        }
        Code::InvalidTopic => "a topic cannot have that name: check --prefix and --generation",
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => {
            "a record is larger than the cluster takes: raise max.message.bytes of the topic"
        }
        Code::InvalidReplicationFactor => {
            "there are fewer brokers than replicas asked for: lower --replication"
        }
        Code::InvalidTransactionTimeout => {
            "the cluster wants shorter transactions: raise its transaction.max.timeout.ms to 10000"
        }
        Code::InconsistentGroupProtocol => {
            "the group's other members pass partitions on in another way: stop them first"
        }
        Code::InvalidSessionTimeout => {
            "the cluster wants another session.timeout.ms (group.min.session.timeout.ms)"
        }
        Code::PolicyViolation => "a policy of the cluster forbids it",
        _ => "a setting does not fit the cluster",
    }
}

/// The code in an error; rdkafka's own method leaves out those of admin calls.
fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        _ => error.rdkafka_error_code(),
    }
}

fn classified(error: &KafkaError) -> (Failure, Cause) {
    let code = code_of(error);
    let cause = match (error, code) {
        (_, Some(code)) => cause_of(code),
        (KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_), None) => {
            Cause::Misfit
        }
        (_, None) => Cause::Other,
    };
    let failure = match (error, code) {
        (KafkaError::Transaction(error), _) if error.is_fatal() => fatal(error.code()),
        (KafkaError::Transaction(error), _) if error.txn_requires_abort() => Failure::Abortable,
        (KafkaError::Transaction(error), _) if error.is_retriable() => Failure::Retriable,
        (KafkaError::MessageConsumptionFatal(code), _) => fatal(*code),
        // The producer takes no records since its transaction has failed: to abort it tells how badly.
        (KafkaError::MessageProduction(Code::InvalidTransactionalState | Code::State), _) => {
            Failure::Abortable
        }
        // A new topic takes a moment to be known to every broker; the client looks for it again.
        (KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic), _) => {
            Failure::Retriable
        }
        (_, Some(code)) => failure_of(code),
        (_, None) => Failure::Unknown,
    };
    (failure, cause)
}

fn fatal(code: Code) -> Failure {
    if is_fencing(code) { Failure::Fenced } else { Failure::Unknown }
}

fn is_fencing(code: Code) -> bool {
    matches!(
        code,
        Code::Fenced
            | Code::ProducerFenced
            | Code::InvalidProducerEpoch
            | Code::FencedInstanceId
            | Code::UnreleasedInstanceId
    )
}

/// Errors that are neither fatal nor part of a transaction that says itself what to do.
fn failure_of(code: Code) -> Failure {
    match code {
        code if is_fencing(code) => Failure::Fenced,
        // The group goes on without this member or with another generation: it is told by its next poll.
        Code::IllegalGeneration
        | Code::UnknownMemberId
        | Code::RebalanceInProgress
        | Code::FencedMemberEpoch
        | Code::StaleMemberEpoch
        | Code::AssignmentLost => Failure::Abortable,
        code if is_passing(code) => Failure::Retriable,
        _ => Failure::Unknown,
    }
}

/// What heals by itself: the client connects again, a leader is elected, a transaction ends.
fn is_passing(code: Code) -> bool {
    cause_of(code) == Cause::Unreachable
        || matches!(
            code,
            Code::WaitingForCoordinator
                | Code::CoordinatorLoadInProgress
                | Code::NotCoordinator
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::NotEnoughReplicas
                | Code::NotEnoughReplicasAfterAppend
                | Code::ReplicaNotAvailable
                | Code::PreferredLeaderNotAvailable
                | Code::EligibleLeadersNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::KafkaStorageError
                | Code::NotController
                | Code::ConcurrentTransactions
                | Code::UnstableOffsetCommit
                | Code::ThrottlingQuotaExceeded
                | Code::PollExceeded
                | Code::QueueFull
                | Code::InProgress
                | Code::PreviousInProgress
                // The client has met the broker under another address, and asks there next time.
                | Code::DestroyBroker
                // Partitions are counted at the start: later a broker that has just come back may not know them yet.
                | Code::UnknownPartition
                | Code::MemberIdRequired
                | Code::RebootstrapRequired
        )
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
        | Code::UnsupportedSASLMechanism
        | Code::IllegalSASLState
        | Code::SecurityDisabled
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed => Cause::Denied,
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::InvalidPartitions
        | Code::InvalidConfig
        | Code::PolicyViolation
        | Code::MessageSizeTooLarge
        | Code::MessageBatchTooLarge
        | Code::InvalidMessageSize
        | Code::InvalidReplicationFactor
        | Code::InvalidTransactionTimeout
        | Code::InvalidSessionTimeout
        | Code::InconsistentGroupProtocol
        | Code::InvalidGroupId => Cause::Misfit,
        Code::FileSystem | Code::LogDirNotFound => Cause::Storage,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests;
