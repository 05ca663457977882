//! How fast the embedded log is here: `cargo run --release -p embedded --example throughput [MEGABYTES] [FOLDER]`.
#![expect(clippy::disallowed_methods, reason = "measures, and has no service to ask for the time")]

use std::error::Error;
use std::io::{Write, stdout};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use embedded::EmbeddedLog;
use engine::log::{Kept, Log, Producer, TopicSpec};
use engine::record::{NewRecord, NextOffset, Partition};

const PARTITIONS: u32 = 4;
const RECORDS_PER_COMMIT: u64 = 10_000;
const SMALL_COMMITS: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: u64 = std::env::args().nth(1).map_or(Ok(500), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = std::env::args().nth(2).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let log = EmbeddedLog::open(&folder)?;
    log.ensure_topics(&[TopicSpec { name: "t".to_owned(), partitions: PARTITIONS, kept: Kept::Forever }])?;
    let mut producer = log.producer("p")?;

    let (begun, mut bytes, mut number) = (Instant::now(), 0, 0_u64);
    while bytes < megabytes * 1_000_000 {
        producer.begin()?;
        for _ in 0..RECORDS_PER_COMMIT {
            bytes += send(&mut producer, number)?;
            number += 1;
        }
        producer.commit()?;
    }
    told("written", bytes, begun)?;

    let (begun, mut bytes) = (Instant::now(), 0);
    for (partition, end) in (0..).map(Partition).zip(log.ends("t")?) {
        log.read("t", partition, NextOffset::START, end, &mut |record| {
            bytes += (record.key.unwrap_or_default().len() + record.value.unwrap_or_default().len()) as u64;
            ControlFlow::Continue(())
        })?;
    }
    told("read", bytes, begun)?;

    let begun = Instant::now();
    for number in 0..SMALL_COMMITS {
        producer.begin()?;
        send(&mut producer, number)?;
        producer.commit()?;
    }
    let each = begun.elapsed() / u32::try_from(SMALL_COMMITS)?;
    writeln!(stdout(), "a commit of one record takes {each:.1?}")?;
    Ok(())
}

/// A record of about the size and the sameness of a sighting.
fn send(producer: &mut embedded::EmbeddedProducer, number: u64) -> Result<u64, Box<dyn Error>> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = format!("{mixed:032x}");
    let value = format!(
        r#"{{"datetime":"10/{}/1949 20:{}","city":"place {}","state":"tx","country":"us","shape":"cylinder","duration (seconds)":"{}","duration (hours/min)":"45 minutes","comments":"This event took place in early fall around {mixed} or {}","date posted":"4/27/2004","latitude":"29.{}","longitude":"-97.{}"}}"#,
        number % 28 + 1,
        number % 60,
        mixed >> 50,
        mixed >> 52,
        mixed.rotate_left(20),
        mixed >> 40,
        mixed >> 44,
    );
    let partition = Partition(u32::try_from(mixed >> 62)? % PARTITIONS);
    let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
    producer.send("t", NewRecord { partition, timestamp_ms: 0, key, value })?;
    Ok((key.unwrap_or_default().len() + value.unwrap_or_default().len()) as u64)
}

fn told(what: &str, bytes: u64, begun: Instant) -> Result<(), std::io::Error> {
    let (megabytes, seconds) = (bytes as f64 / 1e6, begun.elapsed().as_secs_f64());
    writeln!(stdout(), "{what}: {megabytes:.0} MB of records, {:.0} MB/s", megabytes / seconds)
}
