use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const ROUNDS: u64 = 24;
const KEYS: u64 = 50;

/// This binary again, as another process that runs one test.
pub(crate) fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("EMBEDDED_LOG", folder);
    command
}

/// How many records transaction `number` writes to each partition of `out`.
fn size(number: u64) -> u64 {
    number % 7 * 40 + 1
}

/// Transaction `number`: outputs, state, its own next input, and the offset that says that it is done.
fn transact(producer: &mut EmbeddedProducer, consumer: &EmbeddedConsumer, number: u64) {
    producer.begin().expect("begins");
    for partition in 0..2 {
        for index in 0..size(number) {
            send(producer, "out", partition, "k", Some(format!("{number}:{index}").as_bytes()));
        }
    }
    for index in 0..KEYS * 20 {
        let key = (index % KEYS).to_string();
        send(producer, "state", 0, &key, Some(number.to_string().as_bytes()));
    }
    send(producer, "in", 0, "k", Some(b"next"));
    producer.send_offsets(consumer, &[(Partition(0), NextOffset::after(number))]).expect("sends");
    producer.commit().expect("commits");
}

#[test]
#[ignore = "the process that kill_9_at_any_moment_leaves_all_of_a_transaction_or_nothing kills"]
fn child_commits_until_killed() {
    let Some(folder) = std::env::var_os("EMBEDDED_LOG") else { return };
    let log = open(Path::new(&folder));
    let pass = Kept::For(Duration::from_secs(1));
    log.ensure_topics(&[
        spec("in", 1, pass),
        spec("out", 2, Kept::Forever),
        spec("state", 1, Kept::Compacted),
    ])
    .expect("topics");
    let mut consumer = joined(&log, "g", "in");
    let mut producer = log.producer("p").expect("a producer");
    let committed = consumer.committed(&[Partition(0)]).expect("reads")[0];
    for number in committed.unwrap_or_default().get().. {
        transact(&mut producer, &consumer, number);
        println!("\n{number} is committed");
    }
}

/// What is in the log, checked whole; how many transactions that is.
fn checked(folder: &Path) -> u64 {
    let log = open(folder);
    let pass = Kept::For(Duration::from_secs(1));
    log.ensure_topics(&[
        spec("in", 1, pass),
        spec("out", 2, Kept::Forever),
        spec("state", 1, Kept::Compacted),
    ])
    .expect("topics");
    let mut consumer = joined(&log, "g", "in");
    let done = consumer.committed(&[Partition(0)]).expect("reads")[0].unwrap_or_default().get();
    assert_eq!(log.ends("in").expect("ends"), [NextOffset::at(done)], "records and offsets disagree");
    let expected: Vec<_> = (0..done)
        .flat_map(|number| (0..size(number)).map(move |index| format!("{number}:{index}")))
        .collect();
    for partition in 0..2 {
        assert_eq!(read(&log, "out", partition, |record| text(record.value)), expected);
    }
    let state = read(&log, "state", 0, |record| (text(record.key), text(record.value)));
    let last: std::collections::BTreeMap<_, _> = state.into_iter().collect();
    if let Some(newest) = done.checked_sub(1) {
        assert_eq!(last.len() as u64, KEYS);
        assert!(last.values().all(|value| *value == newest.to_string()), "state and offsets disagree");
    }
    done
}

#[test]
fn kill_9_while_the_log_is_made_leaves_one_that_opens() {
    for round in 0..40 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut running = child("crash::child_commits_until_killed", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("runs");
        // The file appears, and some of it is written, within some milliseconds.
        while std::fs::read_dir(folder.path()).expect("reads").next().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(round * 100));
        running.kill().expect("is killed");
        running.wait().expect("is gone");
        checked(folder.path());
    }
}

#[test]
fn kill_9_at_any_moment_leaves_all_of_a_transaction_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut before = 0;
    for round in 0..ROUNDS {
        let mut running = child("crash::child_commits_until_killed", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut lines = BufReader::new(running.stdout.take().expect("its output")).lines();
        let mut told = None;
        // Every third one dies while it opens the log, or makes it; the others in the middle of their commits.
        let turns = if round % 3 == 0 { 0 } else { round * 2 };
        while told.is_none_or(|told| told < before + turns) && turns > 0 {
            let line = lines.next().expect("goes on").expect("reads");
            told = line.strip_suffix(" is committed").map(|n| n.parse::<u64>().expect("a number")).or(told);
        }
        std::thread::sleep(Duration::from_micros(round * 7_919 % 20_000));
        running.kill().expect("is killed");
        running.wait().expect("is gone");
        for line in lines.map_while(Result::ok) {
            told = line.strip_suffix(" is committed").map(|n| n.parse::<u64>().expect("a number")).or(told);
        }
        let done = checked(folder.path());
        assert!(done >= before && told.is_none_or(|told| done > told), "lost what was told to be committed");
        before = done;
    }
    assert!(before > 100, "only {before} transactions: nothing was shown");
}
