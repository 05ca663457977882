use std::fs;
use std::process::Command;

use engine::log::{Cause, LogError};

use super::crash::child;
use super::*;

fn refused(folder: &Path) -> LogError {
    let error = EmbeddedLog::open(folder).err().expect("is refused");
    assert_eq!(error.cause, Cause::Storage, "{error}");
    error
}

#[test]
fn a_second_process_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let second = child("disk::child_is_refused", folder.path()).status().expect("runs");
    assert!(second.success(), "the second process was not refused");
    let again = refused(folder.path());
    assert!(again.message.starts_with("another process uses "), "{again}");
    drop(log);
    open(folder.path());
}

#[test]
#[ignore = "the second process of a_second_process_is_told_so"]
fn child_is_refused() {
    let Some(folder) = std::env::var_os("EMBEDDED_LOG") else { return };
    let error = refused(Path::new(&folder));
    assert!(error.message.starts_with("another process uses "), "{error}");
}

#[test]
fn a_folder_that_is_none_and_a_file_that_is_no_log_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.redb");
    fs::write(&file, "no log ".repeat(10_000)).expect("writes");
    assert!(refused(folder.path()).message.contains("damaged, or no log"));
    assert!(refused(&file.join("log")).message.contains("cannot make the folder"));
}

#[test]
fn a_damaged_batch_is_an_error_never_a_wrong_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    producer.begin().expect("begins");
    send(&mut producer, "t", 0, "k", Some(b"a value to be found in the file"));
    producer.commit().expect("commits");
    drop((producer, log));

    let file = folder.path().join("log.redb");
    let mut bytes = fs::read(&file).expect("reads");
    let at = bytes.windows(7).rposition(|window| window == b"a value").expect("is there");
    bytes[at] = b'A';
    fs::write(&file, bytes).expect("writes");
    let log = open(folder.path());
    let to = log.ends("t").expect("ends")[0];
    let error = log
        .read("t", Partition(0), NextOffset::START, to, &mut |record| panic!("hands out {record:?}"))
        .expect_err("is damaged");
    assert_eq!(error.cause, Cause::Storage);
    assert!(error.message.contains("is damaged"), "{error}");
}

#[test]
fn a_full_disk_is_told_and_what_was_committed_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = child("disk::child_fills_the_disk", folder.path());
    // A limit of the file's size stands for the disk's: 16 MiB. Ignored, its signal becomes an error of the write.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 32768; exec \"$0\" \"$@\""]).arg(command.get_program());
    limited.args(command.get_args()).env("EMBEDDED_LOG", folder.path());
    let output = limited.output().expect("runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let committed = printed.lines().filter(|line| line.ends_with("committed")).count();
    assert!(committed > 1, "{printed}");
    let log = open(folder.path());
    assert_eq!(log.ends("t").expect("ends"), [NextOffset::at(committed as u64)]);
    assert_eq!(read(&log, "t", 0, |record| record.offset).len(), committed);
}

#[test]
#[ignore = "a process of a_full_disk_is_told_and_what_was_committed_is_kept"]
fn child_fills_the_disk() {
    let Some(folder) = std::env::var_os("EMBEDDED_LOG") else { return };
    let log = open(Path::new(&folder));
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).expect("topics");
    let mut producer = log.producer("p").expect("a producer");
    let mut state = 1_u64;
    loop {
        producer.begin().expect("begins");
        let noise: Vec<u8> = (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        send(&mut producer, "t", 0, "k", Some(&noise));
        match producer.commit() {
            Ok(()) => println!("\ncommitted"),
            Err(error) => {
                assert_eq!(error.cause, Cause::Storage);
                assert!(error.message.contains("is full"), "{error}: {:?}", error.source);
                producer.begin().expect("begins");
                send(&mut producer, "t", 0, "k", None);
                let later = producer.commit().expect_err("the disk is full").message;
                assert!(later.contains("is full"), "who comes later is told the same: {later}");
                return;
            }
        }
    }
}
