//! Ten thousand bodies that nobody would send: every one gets one of the answers that are described.

use std::io::Write;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde_json::Value;

use super::client::{Answer, Client};
use super::server::Server;
use super::{keys, rows};

const BODIES: usize = 10_000;
const CLIENTS: usize = 8;
const STATUSES: [u16; 4] = [200, 400, 413, 415];
const TYPES: [&str; 4] = ["application/json", "application/x-ndjson", "text/csv", "text/html"];
const PIECES: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"null",
    b"\\ud800",
    b"1e999",
    b"\"datetime\":",
    b"\xef\xbb\xbf",
];

fn seed() -> u64 {
    let seed = std::env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    eprintln!("mutated bodies: UFO_SEED={seed}");
    seed
}

fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    random.next_u32() as usize % bound.max(1)
}

/// A body, and which of the types it was before it was mutated.
fn body(random: &mut ChaCha8Rng, number: usize) -> (Vec<u8>, usize) {
    let (count, kind) = (below(random, 4), below(random, TYPES.len()));
    let rows = rows((0..count).map(|row| 100 * number + row));
    let lines = || rows.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let mut body = match kind {
        0 => rows.to_string().into_bytes(),
        1 => lines().into_bytes(),
        2 => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(domain::COLUMNS).unwrap();
            for row in rows.as_array().unwrap() {
                csv.write_record(domain::COLUMNS.map(|name| row[name].as_str().unwrap())).unwrap();
            }
            csv.into_inner().unwrap()
        }
        _ => (0..below(random, 200)).map(|_| random.next_u32() as u8).collect(),
    };
    for _ in 0..below(random, 4) {
        mutate(random, &mut body);
    }
    (body, kind)
}

fn mutate(random: &mut ChaCha8Rng, body: &mut Vec<u8>) {
    let at = below(random, body.len() + 1);
    let to = at + below(random, (body.len() - at + 1).min(40));
    match below(random, 5) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..to)),
        2 => drop(body.splice(at..at, PIECES[below(random, PIECES.len())].iter().copied())),
        3 => {
            let piece = body[at..to].to_vec();
            drop(body.splice(at..at, piece));
        }
        _ => body[at..to].iter_mut().for_each(|byte| *byte ^= 1 << (random.next_u32() % 8)),
    }
}

fn sent(client: &mut Client, random: &mut ChaCha8Rng, number: usize) -> std::io::Result<Answer> {
    let (mut body, mut kind) = body(random, number);
    if below(random, 5) == 0 {
        kind = below(random, TYPES.len());
    }
    let mut headers = vec![("content-type", TYPES[kind])];
    if below(random, 3) == 0 {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
        headers.push(("content-encoding", "gzip"));
        if below(random, 3) == 0 {
            mutate(random, &mut body);
        }
    }
    client.ask("POST", "/v1/sightings", &headers, &body)
}

#[test]
fn ten_thousand_mutated_bodies_get_answers_that_are_described() {
    let (server, seed) = (Server::start(), seed());
    let work = |number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000) + number as u64);
        let (mut client, mut ids, mut statuses) = (server.client(), Vec::new(), [0; STATUSES.len()]);
        for body in 0..BODIES / CLIENTS {
            let answer = sent(&mut client, &mut random, number * BODIES + body)
                .unwrap_or_else(|error| panic!("client {number}, body {body}: {error}"));
            let place = STATUSES.iter().position(|status| *status == answer.status);
            let place = place.unwrap_or_else(|| panic!("client {number}, body {body}: {answer:?}"));
            statuses[place] += 1;
            assert!(answer.json().is_object());
            ids.extend(answer.ids());
            if answer.header("connection") == Some("close") {
                client = server.client();
            }
        }
        (ids, statuses)
    };
    let (mut acknowledged, mut statuses) = (Vec::new(), [0; STATUSES.len()]);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || work(number))).collect();
        for client in clients {
            let (ids, counts) = client.join().unwrap();
            acknowledged.extend(ids);
            statuses.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    });
    eprintln!(
        "answers by status: {:?}, {} rows",
        STATUSES.iter().zip(statuses).collect::<Vec<_>>(),
        acknowledged.len()
    );
    acknowledged.sort();
    acknowledged.dedup();
    assert!(acknowledged.len() > 1_000 && statuses[1] > 1_000, "bodies of both kinds were among them");
    assert_eq!(keys(&server.log).into_keys().collect::<Vec<_>>(), acknowledged);
    assert_eq!(server.client().post_rows(&rows(0..1)).unwrap().status, 200, "it goes on");
}
