//! Asks a process whether it is ready, as a container's health check does: no shell and no curl are needed in its image.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::exit::{Code, Exit};

const PATIENCE: Duration = Duration::from_secs(3);
/// A reason for each part, not a page.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Whether the process that listens at `listen` is ready; if not, the reason is what it says itself.
pub fn probe(listen: Option<SocketAddr>) -> Result<(), Exit> {
    let Some(address) = listen else {
        return Err(Exit::new(
            Code::Config,
            "no address to ask: set --listen or UFO_LISTEN, as for the process itself",
        ));
    };
    let address = reachable(address);
    let answer = ask(address).map_err(|error| {
        Exit::new(Code::Unavailable, format!("nothing answers at {address}")).caused_by(&error)
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer.as_str(), ""));
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        _ => Err(Exit::new(Code::Unavailable, body.trim_end())),
    }
}

/// Who listens everywhere is asked on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(
        format!("GET /ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::super::{Watched, listen};
    use super::*;
    use crate::health::Health;
    use crate::settings::ProcessSettings;

    #[test]
    fn says_what_the_process_says() {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let process = ProcessSettings { listen: Some(everywhere), ..ProcessSettings::default() };
        let watched = Watched { health: Health::new(["broker"]), ..Watched::default() };
        let server = listen(&process, watched.clone()).unwrap().unwrap();
        let exit = probe(Some(server.address())).unwrap_err();
        assert_eq!(exit.code(), Code::Unavailable);
        assert_eq!(exit.to_string(), "error: not ready\nbroker: starting");
        watched.health.ready("broker");
        probe(Some(server.address())).unwrap();
        let address = server.address();
        drop(server);
        assert_eq!(probe(Some(address)).unwrap_err().code(), Code::Unavailable);
        assert_eq!(probe(None).unwrap_err().code(), Code::Config);
    }
}
