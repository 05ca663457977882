//! A server of HTTP over TLS before another one without: it lets in only whom it knows, and notes who came.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Certificates;

const HEAD_BYTES_MAX: usize = 64 * 1024;

pub struct TlsFront {
    address: SocketAddr,
    refused: Arc<Mutex<Vec<String>>>,
}

impl TlsFront {
    /// Passes on to `target` what comes with this header `authorization`.
    ///
    /// # Panics
    /// If no port is free, or the certificates cannot be used.
    pub fn start(target: &str, certificates: &Certificates, authorization: &str) -> Self {
        let chain = CertificateDer::from_pem_file(certificates.path("server.crt")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(&fs::read(certificates.path("server.key")).expect("a key"));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of the provider")
            .with_no_client_auth()
            .with_single_cert(vec![chain], key.expect("a key"))
            .expect("they belong together");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let refused: Arc<Mutex<Vec<String>>> = Arc::default();
        let (config, noted) = (Arc::new(config), Arc::clone(&refused));
        let known = Known { target: target.to_owned(), authorization: authorization.to_owned() };
        let known = Arc::new(known);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (config, known, noted) = (Arc::clone(&config), Arc::clone(&known), Arc::clone(&noted));
                // A client that does not trust us ends its connection: that is what it is asked to do.
                thread::spawn(move || known.serve(client, config, &noted));
            }
        });
        Self { address, refused }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What those sent that were not let in.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Known {
    target: String,
    authorization: String,
}

impl Known {
    /// One request, one answer, and the connection is over.
    fn serve(
        &self,
        client: TcpStream,
        config: Arc<ServerConfig>,
        refused: &Mutex<Vec<String>>,
    ) -> io::Result<()> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut client = StreamOwned::new(connection, client);
        let (head, body) = request(&mut client)?;
        let sent = header(&head, "authorization").unwrap_or_default();
        if sent == self.authorization {
            let mut server =
                TcpStream::connect(self.target.trim_start_matches("http://").trim_end_matches('/'))?;
            let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
            let kept =
                headers.split("\r\n").filter(|header| !header.to_lowercase().starts_with("connection:"));
            let kept: Vec<_> = kept.filter(|header| !header.is_empty()).collect();
            write!(server, "{line}\r\nConnection: close\r\n{}\r\n\r\n", kept.join("\r\n"))?;
            server.write_all(&body)?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer)?;
            // A client that kept the connection would send its next request into nothing.
            let first = answer.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            client.write_all(&answer[..first])?;
            client.write_all(b"Connection: close\r\n")?;
            client.write_all(&answer[first..])?;
        } else {
            refused.lock().unwrap_or_else(PoisonError::into_inner).push(sent.to_owned());
            let reason =
                r#"{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}"#;
            write!(
                client,
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{reason}",
                reason.len()
            )?;
        }
        client.conn.send_close_notify();
        client.flush()
    }
}

/// Head and body.
fn request(client: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    Ok((head, body))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    headers.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
