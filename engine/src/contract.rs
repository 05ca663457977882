//! What every [`Log`] promises, as functions that run against any of them: `for (name, case) in cases() { case(&log, name) }`.
//! A case panics where the promise is broken. `scope` makes its topics, groups and ids its own: cases can share a log, and
//! with what is left of earlier runs on a server if it is new each time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::log::{Cause, Consumer, Event, Failure, Group, Kept, Log, LogError, Producer, TopicSpec};
use crate::record::{NewRecord, NextOffset, Partition, Record};

const WAIT: Duration = Duration::from_millis(50);
/// With [`WAIT`] a minute: groups of a real broker take seconds to settle.
const POLLS_MAX: usize = 1_200;
const RETRIES_MAX: usize = 100;
const TIME_MS: i64 = 1_700_000_000_000;

pub type Case<L> = fn(&L, &str);

/// Timestamp, key, value.
type Fields<'f> = (i64, Option<&'f [u8]>, Option<&'f [u8]>);

/// Each promise by its name.
pub fn cases<L: Log>() -> [(&'static str, Case<L>); 9] {
    [
        ("records_keep_order_offset_timestamp_key_and_tombstone", records_stay_as_they_are),
        ("nothing_of_an_aborted_transaction_is_seen", aborted_is_never_seen),
        ("what_a_dropped_producer_left_open_is_never_seen", dropped_is_never_seen),
        ("offsets_and_records_commit_together", offsets_and_records_commit_together),
        ("a_second_producer_with_the_same_id_fences_the_first", second_producer_fences),
        ("members_share_partitions_and_a_leaving_ones_are_taken_over", members_share_partitions),
        ("a_member_commits_seeks_and_is_told_the_end_once", commit_seek_end),
        ("reading_goes_from_any_place_to_the_ends", reading_goes_to_the_ends),
        ("another_partition_count_is_refused", another_partition_count_is_refused),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    partition: u32,
    offset: u64,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

impl From<Record<'_>> for Owned {
    fn from(record: Record<'_>) -> Self {
        Self {
            partition: record.partition.0,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
        }
    }
}

fn texts(records: &[Owned]) -> Vec<String> {
    let text = |record: &Owned| String::from_utf8_lossy(record.value.as_deref().unwrap_or(b"-")).into_owned();
    records.iter().map(text).collect()
}

/// Makes a call again for as long as that is what its failure asks for.
fn settled<T>(what: &str, mut call: impl FnMut() -> Result<T, LogError>) -> T {
    for _ in 0..RETRIES_MAX {
        match call() {
            Ok(value) => return value,
            Err(error) if error.failure == Failure::Retriable => std::thread::sleep(WAIT),
            Err(error) => panic!("{what}: {error} ({error:?})"),
        }
    }
    panic!("{what}: still fails after {RETRIES_MAX} times");
}

fn topic<L: Log>(log: &L, scope: &str, partitions: u32) -> String {
    let name = format!("{scope}-topic");
    let spec = TopicSpec { name: name.clone(), partitions, kept: Kept::Forever };
    settled("ensure_topics", || log.ensure_topics(std::slice::from_ref(&spec)));
    name
}

fn producer<L: Log>(log: &L, scope: &str) -> L::Producer {
    settled("producer", || log.producer(&format!("{scope}-producer")))
}

fn text(partition: u32, value: &str) -> NewRecord<'_> {
    let key = Some(b"key".as_slice());
    NewRecord { partition: Partition(partition), timestamp_ms: TIME_MS, key, value: Some(value.as_bytes()) }
}

/// Writes these values in one transaction.
fn write<P: Producer>(producer: &mut P, topic: &str, values: &[(u32, &str)]) {
    settled("begin", || producer.begin());
    send_all(producer, topic, values);
    settled("commit", || producer.commit());
}

fn send_all<P: Producer>(producer: &mut P, topic: &str, values: &[(u32, &str)]) {
    for (partition, value) in values {
        settled("send", || producer.send(topic, text(*partition, value)));
    }
}

fn read_all<L: Log>(log: &L, topic: &str, partition: u32) -> Vec<Owned> {
    let mut records = Vec::new();
    let end = settled("ends", || log.ends(topic))[partition as usize];
    let stopped = settled("read", || {
        records.clear();
        log.read(topic, Partition(partition), NextOffset::START, end, &mut |record| {
            records.push(Owned::from(record));
            ControlFlow::Continue(())
        })
    });
    assert_eq!(stopped, end, "reading stops where it was told to");
    records
}

/// A member that starts what it is given and gives back what it is asked for.
struct Member<C> {
    consumer: C,
    held: BTreeSet<Partition>,
    records: Vec<Owned>,
    ends: Vec<Partition>,
}

impl<C: Consumer> Member<C> {
    fn join<L: Log<Consumer = C>>(log: &L, scope: &str, topic: &str) -> Self {
        let group = Group { id: format!("{scope}-group"), instance: None };
        let consumer = settled("consumer", || log.consumer(&group, topic));
        Self { consumer, held: BTreeSet::new(), records: Vec::new(), ends: Vec::new() }
    }

    fn turn(&mut self) {
        let records = &mut self.records;
        let event = match self.consumer.poll(WAIT, &mut |record| records.push(record.into())) {
            Err(error) if error.failure == Failure::Retriable => Event::Idle,
            event => event.expect("poll"),
        };
        match event {
            Event::Assigned(partitions) => {
                let committed = settled("committed", || self.consumer.committed(&partitions));
                let starts = committed.into_iter().map(|next| next.unwrap_or(NextOffset::START));
                let positions: Vec<_> = partitions.iter().copied().zip(starts).collect();
                settled("start", || self.consumer.start(&positions));
                self.held.extend(partitions);
            }
            Event::Revoked(partitions) | Event::Lost(partitions) => {
                self.held.retain(|partition| !partitions.contains(partition));
                settled("release", || self.consumer.release(&partitions));
            }
            Event::End(partition) => self.ends.push(partition),
            Event::Records(_) | Event::Idle => {}
        }
    }

    fn until(&mut self, what: &str, mut is_done: impl FnMut(&Self) -> bool) {
        for _ in 0..POLLS_MAX {
            if is_done(self) {
                return;
            }
            self.turn();
        }
        panic!("{what} never came: holds {:?}, has read {:?}", self.held, texts(&self.records));
    }
}

fn records_stay_as_they_are<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 2);
    let fields: [Fields<'_>; 5] = [
        (TIME_MS, Some(b"one"), Some(b"first")),
        (TIME_MS + 5, Some(&[0, 255, 10]), Some(&[0, 159, 146, 150])),
        (TIME_MS - 90_000, Some(b"one"), None),
        (TIME_MS, None, Some(b"without a key")),
        (TIME_MS, Some(b"empty"), Some(b"")),
    ];
    let mut producer = producer(log, scope);
    settled("begin", || producer.begin());
    for (timestamp_ms, key, value) in fields {
        let record = NewRecord { partition: Partition(1), timestamp_ms, key, value };
        settled("send", || producer.send(&topic, record));
    }
    settled("commit", || producer.commit());
    let many: Vec<String> = (0..3_000).map(|number| format!("{number} {}", "long".repeat(100))).collect();
    write(&mut producer, &topic, &many.iter().map(|value| (1, value.as_str())).collect::<Vec<_>>());

    let read = read_all(log, &topic, 1);
    assert_eq!(read.len(), fields.len() + many.len());
    for (record, (timestamp_ms, key, value)) in read.iter().zip(fields) {
        let found = (record.timestamp_ms, record.key.as_deref(), record.value.as_deref());
        assert_eq!(found, (timestamp_ms, key, value));
    }
    assert_eq!(texts(&read[fields.len()..]), many);
    assert!(read.iter().all(|record| record.partition == 1));
    assert_eq!(read[0].offset, 0);
    assert!(read.windows(2).all(|pair| pair[0].offset < pair[1].offset), "offsets rise");
    assert_eq!(read_all(log, &topic, 0), []);

    let mut member = Member::join(log, scope, &topic);
    member.until("every record", |member| member.records.len() >= read.len());
    assert_eq!(member.records, read, "a member of a group sees the same");
    member.consumer.close();
}

fn aborted_is_never_seen<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 1);
    let mut producer = producer(log, scope);
    write(&mut producer, &topic, &[(0, "before")]);
    settled("begin", || producer.begin());
    send_all(&mut producer, &topic, &[(0, "aborted"), (0, "aborted too")]);
    settled("abort", || producer.abort());
    write(&mut producer, &topic, &[(0, "behind")]);
    assert_eq!(texts(&read_all(log, &topic, 0)), ["before", "behind"]);

    let mut member = Member::join(log, scope, &topic);
    member.until("the end", |member| !member.ends.is_empty());
    assert_eq!(texts(&member.records), ["before", "behind"]);
    member.consumer.close();
}

fn dropped_is_never_seen<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 1);
    let mut dropped = producer(log, scope);
    settled("begin", || dropped.begin());
    send_all(&mut dropped, &topic, &[(0, "left open")]);
    drop(dropped);
    let mut next = producer(log, scope);
    assert_eq!(texts(&read_all(log, &topic, 0)), [""; 0]);
    write(&mut next, &topic, &[(0, "kept")]);
    assert_eq!(texts(&read_all(log, &topic, 0)), ["kept"]);
}

fn offsets_and_records_commit_together<L: Log>(log: &L, scope: &str) {
    let input = topic(log, &format!("{scope}-input"), 1);
    let output = topic(log, &format!("{scope}-output"), 1);
    let mut producer = producer(log, scope);
    write(&mut producer, &input, &[(0, "one"), (0, "two"), (0, "three")]);
    let mut member = Member::join(log, scope, &input);
    member.until("the input", |member| member.records.len() == 3);
    let positions = [(Partition(0), NextOffset::after(member.records[1].offset))];
    let is_committed = |member: &mut Member<L::Consumer>| {
        settled("committed", || member.consumer.committed(&[Partition(0)])) == [Some(positions[0].1)]
    };

    settled("begin", || producer.begin());
    send_all(&mut producer, &output, &[(0, "aborted")]);
    settled("send_offsets", || producer.send_offsets(&member.consumer, &positions));
    settled("abort", || producer.abort());
    assert!(!is_committed(&mut member), "offsets of an aborted transaction");
    assert_eq!(texts(&read_all(log, &output, 0)), [""; 0]);

    settled("begin", || producer.begin());
    send_all(&mut producer, &output, &[(0, "committed")]);
    settled("send_offsets", || producer.send_offsets(&member.consumer, &positions));
    settled("commit", || producer.commit());
    assert!(is_committed(&mut member), "offsets of a committed transaction");
    assert_eq!(texts(&read_all(log, &output, 0)), ["committed"]);
    member.consumer.close();

    let mut next = Member::join(log, scope, &input);
    next.until("what was not committed", |next| !next.ends.is_empty());
    assert_eq!(texts(&next.records), ["three"]);
    next.consumer.close();
}

fn second_producer_fences<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 1);
    let mut first = producer(log, scope);
    write(&mut first, &topic, &[(0, "first")]);
    settled("begin", || first.begin());
    send_all(&mut first, &topic, &[(0, "of the fenced")]);
    let mut second = producer(log, scope);
    let fenced = first.commit().expect_err("the first is fenced");
    assert_eq!(fenced.failure, Failure::Fenced, "{fenced}");
    write(&mut second, &topic, &[(0, "second")]);
    let again = first.begin().and_then(|()| {
        first.send(&topic, text(0, "of the fenced, again"))?;
        first.commit()
    });
    assert!(again.is_err(), "once fenced, always fenced");
    assert_eq!(texts(&read_all(log, &topic, 0)), ["first", "second"]);
}

fn members_share_partitions<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 4);
    let mut writer = producer(log, scope);
    write(&mut writer, &topic, &[(0, "0"), (1, "1"), (2, "2"), (3, "3")]);
    let mut one = Member::join(log, scope, &topic);
    one.until("every partition", |one| one.held.len() == 4 && one.records.len() == 4);

    let mut two = Member::join(log, scope, &topic);
    two.until("half of the partitions", |two| {
        one.turn();
        (one.held.len(), two.held.len()) == (2, 2)
    });
    assert!(one.held.is_disjoint(&two.held));
    two.until("their records", |two| two.records.len() >= 2);
    let handled: BTreeSet<_> = two.records.iter().map(|record| Partition(record.partition)).collect();
    assert_eq!(handled, two.held, "a partition is read from its committed place, by its holder");
    let positions: Vec<_> = two.held.iter().map(|partition| (*partition, NextOffset::at(1))).collect();
    settled("commit", || two.consumer.commit(&positions));

    one.records.clear();
    let taken = two.held.clone();
    two.consumer.close();
    one.ends.clear();
    one.until("the partitions of the one that left", |one| {
        one.held.len() == 4 && taken.iter().all(|partition| one.ends.contains(partition))
    });
    let again = one.records.iter().filter(|record| taken.contains(&Partition(record.partition)));
    assert_eq!(again.count(), 0, "what the other has committed is not read again");
    write(&mut writer, &topic, &[(0, "more"), (1, "more"), (2, "more"), (3, "more")]);
    one.until("the records of all", |one| {
        let more = one.records.iter().filter(|record| record.value.as_deref() == Some(b"more"));
        more.count() == 4
    });
    one.consumer.close();
}

fn commit_seek_end<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 1);
    let mut producer = producer(log, scope);
    let mut member = Member::join(log, scope, &topic);
    member.until("the end of an empty partition", |member| member.ends.len() == 1);
    assert_eq!(settled("committed", || member.consumer.committed(&[Partition(0)])), [None]);

    write(&mut producer, &topic, &[(0, "one"), (0, "two"), (0, "three")]);
    member.until("the end", |member| member.ends.len() == 2);
    assert_eq!(texts(&member.records), ["one", "two", "three"]);
    for _ in 0..10 {
        member.turn();
    }
    assert_eq!(member.ends.len(), 2, "an end is told once");
    let last = member.records[2].offset;
    let stable_end = settled("stable_end", || member.consumer.stable_end(Partition(0)));
    assert!(stable_end >= NextOffset::after(last), "{stable_end} is behind the last record, {last}");

    let second = (Partition(0), NextOffset::at(member.records[1].offset));
    settled("commit", || member.consumer.commit(&[second]));
    assert_eq!(settled("committed", || member.consumer.committed(&[Partition(0)])), [Some(second.1)]);
    member.records.clear();
    settled("seek", || member.consumer.seek(&[second]));
    member.until("the end, again", |member| member.ends.len() == 3);
    assert_eq!(texts(&member.records), ["two", "three"]);
    member.consumer.close();
}

fn reading_goes_to_the_ends<L: Log>(log: &L, scope: &str) {
    let topic = topic(log, scope, 2);
    let mut producer = producer(log, scope);
    write(&mut producer, &topic, &[(1, "one"), (1, "two")]);
    write(&mut producer, &topic, &[(1, "three")]);
    let ends = settled("ends", || log.ends(&topic));
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[0], NextOffset::START);
    let all = read_all(log, &topic, 1);
    assert_eq!(texts(&all), ["one", "two", "three"]);
    assert!(ends[1] >= NextOffset::after(all[2].offset));

    let some = |from: u64, to: u64, count: usize| {
        let mut records = Vec::new();
        let stopped = settled("read", || {
            records.clear();
            log.read(&topic, Partition(1), NextOffset::at(from), NextOffset::at(to), &mut |record| {
                records.push(Owned::from(record));
                if records.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        });
        (texts(&records), stopped)
    };
    let (second, third) = (all[1].offset, all[2].offset);
    let values = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(some(second, third, 9), (values(&["two"]), NextOffset::at(third)));
    assert_eq!(some(0, third + 1, 2), (values(&["one", "two"]), NextOffset::after(second)));
    assert_eq!(some(second, ends[1].get(), 9), (values(&["two", "three"]), ends[1]));
}

fn another_partition_count_is_refused<L: Log>(log: &L, scope: &str) {
    let name = topic(log, scope, 2);
    assert_eq!(topic(log, scope, 2), name, "the same again is fine");
    let other = TopicSpec { name: name.clone(), partitions: 3, kept: Kept::Forever };
    let refused = log.ensure_topics(&[other]).expect_err("another count is refused");
    assert_eq!(refused.cause, Cause::Misfit, "{refused}");
    assert!(refused.message.contains(&name), "the message names the topic: {refused}");
    assert_eq!(settled("ends", || log.ends(&name)).len(), 2);
}
