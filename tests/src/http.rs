//! A client of `producer serve` as its users write one: it sends rows again until it is told that they are in.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use domain::COLUMNS;
use serde_json::{Map, Value};

/// Longer than the server takes for any answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was answered: the status, and the body as JSON.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The ids of the rows that are in.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.body["rows"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_str())
    }
}

/// A row that no other number gives.
pub fn row(number: u64) -> Value {
    let mut row: Map<String, Value> =
        COLUMNS.iter().map(|name| ((*name).to_owned(), Value::from(""))).collect();
    row.insert("datetime".into(), "10/10/1949 20:30".into());
    row.insert("city".into(), "seattle".into());
    row.insert("country".into(), "us".into());
    row.insert("comments".into(), format!("number {number}").into());
    row.into()
}

/// Sends a JSON body on a connection of its own.
pub fn post(address: &str, body: &Value) -> io::Result<Answer> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST /v1/sightings HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Who is refused early finds an answer all the same.
    let written = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
    let answer = read(&mut BufReader::new(&stream)).or_else(|error| written.and(Err(error)));
    let _ = stream.shutdown(Shutdown::Both);
    answer
}

fn read(stream: &mut impl BufRead) -> io::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no answer: {line:?}")))?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, body: serde_json::from_slice(&body)? })
}
