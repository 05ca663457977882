use rdkafka::types::RDKafkaConfRes;

use super::*;

fn error(error: KafkaError) -> LogError {
    log_error("read ufo.raw", "nowhere:9092", &Context::default(), error)
}

fn of(raw: KafkaError) -> (Failure, Cause) {
    let error = error(raw);
    (error.failure, error.cause)
}

macro_rules! means {
    ($name:ident: $($kind:ident($code:ident))|+ => $failure:ident, $cause:ident) => {
        #[test]
        fn $name() {
            $(assert_eq!(of(KafkaError::$kind(Code::$code)), (Failure::$failure, Cause::$cause), stringify!($kind($code)));)+
        }
    };
}

means!(an_unreachable_broker_is_waited_for:
    MetadataFetch(BrokerTransportFailure) | MetadataFetch(Resolve) | MetadataFetch(OperationTimedOut)
    | AdminOp(OperationTimedOut) | MessageConsumption(AllBrokersDown) | Flush(OperationTimedOut)
    | ConsumerCommit(CoordinatorNotAvailable) | OffsetFetch(NetworkException) => Retriable, Unreachable);
means!(elections_pass:
    MetadataFetch(LeaderNotAvailable) | OffsetFetch(NotCoordinator) | MessageConsumption(NotLeaderForPartition)
    | AdminOp(NotController) | OffsetFetch(CoordinatorLoadInProgress) | MetadataFetch(DestroyBroker) => Retriable, Other);
means!(offsets_of_an_open_transaction_are_waited_for: OffsetFetch(UnstableOffsetCommit) => Retriable, Other);
means!(a_member_left_behind_aborts:
    ConsumerCommit(IllegalGeneration) | ConsumerCommit(UnknownMemberId) | ConsumerCommit(RebalanceInProgress)
    => Abortable, Other);
means!(a_poll_too_late_is_told_by_the_next: MessageConsumption(PollExceeded) => Retriable, Other);
means!(a_failed_transaction_takes_no_records:
    MessageProduction(State) | MessageProduction(InvalidTransactionalState) => Abortable, Other);
means!(a_newer_one_ends_the_older:
    Global(ProducerFenced) | Global(Fenced) | MessageConsumptionFatal(FencedInstanceId)
    | ConsumerCommit(FencedInstanceId) => Fenced, Other);
means!(a_new_topic_is_waited_for: MessageConsumption(UnknownTopicOrPartition) => Retriable, Misfit);
means!(a_broker_that_just_came_back_may_not_know_a_partition: MessageProduction(UnknownPartition) => Retriable, Misfit);
means!(a_missing_topic_is_a_misfit:
    MessageProduction(UnknownTopic) | MetadataFetch(UnknownTopicOrPartition)
    => Unknown, Misfit);
means!(a_record_too_large_is_a_misfit: MessageProduction(MessageSizeTooLarge) => Unknown, Misfit);
means!(too_many_replicas_are_a_misfit: AdminOp(InvalidReplicationFactor) => Unknown, Misfit);
means!(what_is_not_allowed_is_denied:
    MetadataFetch(TopicAuthorizationFailed) | MessageConsumption(GroupAuthorizationFailed)
    | AdminOp(ClusterAuthorizationFailed) | MessageConsumption(SaslAuthenticationFailed) => Unknown, Denied);
means!(what_nobody_knows_ends: Global(InvalidRecord) | MessageConsumptionFatal(Inconsistent) => Unknown, Other);

#[test]
fn messages_say_what_to_do() {
    for (raw, parts) in [
        (
            KafkaError::MetadataFetch(Code::BrokerTransportFailure),
            ["cannot reach the broker at nowhere:9092", "is it running? (--brokers / UFO_BROKERS)"],
        ),
        (
            KafkaError::MessageProduction(Code::MessageSizeTooLarge),
            ["cannot read ufo.raw", "max.message.bytes"],
        ),
        (KafkaError::AdminOp(Code::InvalidReplicationFactor), ["fewer brokers", "--replication"]),
        (KafkaError::MetadataFetch(Code::TopicAuthorizationFailed), ["nowhere:9092 does not allow", "ACL"]),
        (
            KafkaError::MessageConsumption(Code::SaslAuthenticationFailed),
            ["refuses the credentials", "--kafka-user"],
        ),
        (KafkaError::Global(Code::ProducerFenced), ["another process has taken over", "--instance"]),
        (KafkaError::Global(Code::InvalidRecord), ["cannot read ufo.raw", "Broker: "]),
    ] {
        let message = error(raw).message;
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn a_refused_client_is_told_so() {
    let context = Context::default();
    rdkafka::ClientContext::error(&context, KafkaError::Global(Code::Authentication), "");
    let raw = KafkaError::MetadataFetch(Code::BrokerTransportFailure);
    let error = log_error("read ufo.raw", "nowhere:9092", &context, raw);
    assert_eq!((error.failure, error.cause), (Failure::Unknown, Cause::Denied));
    assert!(error.message.contains("refuses the credentials"), "{error}");
}

#[test]
fn a_wrong_property_is_named_without_its_value() {
    let raw = KafkaError::ClientConfig(
        RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
        "No such configuration property".into(),
        "sasl.pasword".into(),
        "hunter2".into(),
    );
    let error = error(raw);
    assert_eq!((error.failure, error.cause), (Failure::Unknown, Cause::Misfit));
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("sasl.pasword") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_fatal_error_tells_fencing_from_the_rest() {
    assert_eq!(fatal_error("commit", Code::ProducerFenced, "").failure, Failure::Fenced);
    assert_eq!(fatal_error("commit", Code::InvalidProducerEpoch, "").failure, Failure::Fenced);
    assert_eq!(fatal_error("commit", Code::OutOfOrderSequenceNumber, "lost").failure, Failure::Unknown);
}
