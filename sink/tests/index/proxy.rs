//! What stands between the sink and the server: a wire that can be cut, and a server without room.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use serde_json::{Value, json};

/// A server that answers everything with the same.
pub(crate) fn canned(status: &str, body: &str) -> SocketAddr {
    let (status, body) = (status.to_owned(), body.to_owned());
    serve(move |mut client| {
        while let Ok(Some(_)) = Request::read(&mut client) {
            answer(&mut client, &status, &body)?;
        }
        Ok(())
    })
}

/// One request straight to the server; gives status and body.
pub(crate) fn ask(server: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = Request { line: format!("{method} {path} HTTP/1.1"), body: body.to_owned() };
    request.send(host_of(server)).unwrap()
}

fn host_of(server: &str) -> &str {
    server.trim_start_matches("http://").trim_end_matches('/')
}

/// A wire to the server that can be cut.
pub(crate) struct Wire {
    pub(crate) address: String,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    pub(crate) fn to(server: &str) -> Self {
        let is_cut = Arc::new(AtomicBool::new(false));
        let (server, cut) = (host_of(server).to_owned(), Arc::clone(&is_cut));
        let address = serve(move |client| {
            if cut.load(Ordering::Acquire) {
                return Ok(());
            }
            let there = TcpStream::connect(&server)?;
            let (mut client_in, mut there_in) = (client.try_clone()?, there.try_clone()?);
            let (mut client_out, mut there_out) = (client, there);
            let back_cut = Arc::clone(&cut);
            thread::spawn(move || carry(&mut there_in, &mut client_out, &back_cut));
            carry(&mut client_in, &mut there_out, &cut)
        });
        Self { address: format!("http://{address}"), is_cut }
    }

    /// New connections are closed, and open ones at their next byte.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Release);
    }
}

fn carry(from: &mut TcpStream, to: &mut TcpStream, is_cut: &AtomicBool) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).unwrap_or(0);
        if length == 0 || is_cut.load(Ordering::Acquire) {
            let _ = to.shutdown(Shutdown::Both);
            return from.shutdown(Shutdown::Both);
        }
        to.write_all(&buffer[..length])?;
    }
}

/// A server without room: of the first `times` bulk requests it refuses one whole, then every third document with 429.
pub(crate) fn crowded(server: &str, times: u32) -> String {
    let server = host_of(server).to_owned();
    let seen = AtomicU32::new(0);
    let address = serve(move |mut client| {
        while let Some(request) = Request::read(&mut client)? {
            let is_bulk = request.line.contains("_bulk");
            let number = if is_bulk { seen.fetch_add(1, Ordering::Relaxed) } else { times };
            let (status, body) = match number {
                0 => (429, r#"{"error":{"type":"circuit_breaking_exception","reason":"too much"}}"#.into()),
                number if number < times => request.send_part(&server)?,
                _ => request.send(&server)?,
            };
            answer(&mut client, &format!("{status} -"), &body)?;
        }
        Ok(())
    });
    format!("http://{address}")
}

fn serve(each: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let each = Arc::new(each);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let each = Arc::clone(&each);
            thread::spawn(move || each(client));
        }
    });
    address
}

fn answer(client: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// As much of HTTP as the client speaks.
struct Request {
    line: String,
    body: String,
}

impl Request {
    fn read(client: &mut TcpStream) -> io::Result<Option<Self>> {
        let (line, body) = read_message(&mut BufReader::new(client))?;
        Ok((!line.is_empty()).then_some(Self { line, body }))
    }

    fn send(&self, server: &str) -> io::Result<(u16, String)> {
        let mut there = TcpStream::connect(server)?;
        let (line, body, length) = (&self.line, &self.body, self.body.len());
        let kind = if line.contains("_bulk") { "x-ndjson" } else { "json" };
        write!(
            there,
            "{line}\r\nhost: {server}\r\nconnection: close\r\ncontent-type: application/{kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
        let (line, body) = read_message(&mut BufReader::new(there))?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok((status, body))
    }

    /// Every third document does not get through and is answered with 429.
    fn send_part(&self, server: &str) -> io::Result<(u16, String)> {
        let lines: Vec<_> = self.body.lines().collect();
        let documents: Vec<_> = lines.chunks(2).collect();
        let kept: Vec<_> = documents.iter().enumerate().filter(|(index, _)| index % 3 != 2).collect();
        let body = kept.iter().map(|(_, lines)| format!("{}\n", lines.join("\n"))).collect();
        let (status, answer) = Self { line: self.line.clone(), body }.send(server)?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(io::Error::other)?;
        let there = answer["items"].as_array().cloned().unwrap_or_default();
        let mut there = there.into_iter();
        let no_room = json!({ "index": { "status": 429, "error":
            { "type": "es_rejected_execution_exception", "reason": "no room" } } });
        let items = (0..documents.len()).map(|index| match index % 3 {
            2 => no_room.clone(),
            _ => there.next().unwrap_or(Value::Null),
        });
        answer["items"] = items.collect();
        Ok((status, answer.to_string()))
    }
}

/// The first line and the body of a request or an answer.
fn read_message(reader: &mut impl BufRead) -> io::Result<(String, String)> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        is_chunked |= line.starts_with("transfer-encoding: chunked");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while is_chunked {
        let length = u64::from_str_radix(&read_line(reader)?, 16).map_err(io::Error::other)?;
        reader.take(length).read_to_end(&mut body)?;
        read_line(reader)?;
        is_chunked = length > 0;
    }
    Ok((first.trim_end().to_owned(), String::from_utf8(body).map_err(io::Error::other)?))
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
