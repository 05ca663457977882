//! A TCP proxy of the tests' own: it can be cut, stalled and healed, and it shows what passes to a test that wants to act
//! at that very moment.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use service::clock;

const STALL_LOOK: Duration = Duration::from_millis(5);
const CHUNK_BYTES: usize = 64 * 1024;

/// What is shown at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Kafka's requests: four bytes of length, then the request, which begins with its kind.
    Kafka,
    /// Whatever comes at once.
    Bytes,
}

/// What becomes of a piece that a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Forward,
    /// It gets lost, and nobody is told.
    Swallow,
    /// It gets lost with its connection.
    Cut,
    /// It arrives; whatever is answered on this connection from now on gets lost.
    LoseAnswers,
    /// It arrives, and the connection breaks before an answer.
    CutAfter,
}

type Hook = Box<dyn FnMut(&[u8]) -> Verdict + Send>;

#[derive(Default)]
struct Shared {
    target: Mutex<String>,
    is_cut: AtomicBool,
    is_stalled: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    hook: Mutex<Option<Hook>>,
}

/// Passes connections on to one address.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// # Panics
    /// If no port is free.
    pub fn to(target: &str, framing: Framing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared { target: Mutex::new(target.to_owned()), ..Shared::default() });
        let proxy = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(client, framing));
            }
        });
        proxy
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Where new connections lead from now on.
    pub fn lead_to(&self, target: &str) {
        target.clone_into(&mut lock(&self.shared.target));
    }

    /// Breaks every connection; new ones are accepted and closed at once.
    pub fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::Release);
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Nothing passes, in either direction, and no connection breaks.
    pub fn stall(&self) {
        self.shared.is_stalled.store(true, Ordering::Release);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        *lock(&self.shared.hook) = None;
        self.shared.is_cut.store(false, Ordering::Release);
        self.shared.is_stalled.store(false, Ordering::Release);
    }

    /// Shows each piece of what clients send before it is passed on. It may take its time: only this connection waits,
    /// and those that have something to show.
    pub fn watch(&self, hook: impl FnMut(&[u8]) -> Verdict + Send + 'static) {
        *lock(&self.shared.hook) = Some(Box::new(hook));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn serve(self: Arc<Self>, client: TcpStream, framing: Framing) -> io::Result<()> {
        self.wait_while_stalled();
        if self.is_cut.load(Ordering::Acquire) {
            return Ok(());
        }
        let target = lock(&self.target).clone();
        let server = TcpStream::connect(target)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        lock(&self.open).extend([client.try_clone()?, server.try_clone()?]);
        let loses_answers = Arc::new(AtomicBool::new(false));
        let (mut answers, mut to_client) = (server.try_clone()?, client.try_clone()?);
        let (shared, lost) = (Arc::clone(&self), Arc::clone(&loses_answers));
        thread::spawn(move || {
            let _ = shared.carry_back(&mut answers, &mut to_client, &lost);
            close(&answers, &to_client);
        });
        let carried = self.carry(&client, &server, framing, &loses_answers);
        close(&client, &server);
        carried
    }

    fn carry(
        &self,
        mut client: &TcpStream,
        mut server: &TcpStream,
        framing: Framing,
        loses_answers: &AtomicBool,
    ) -> io::Result<()> {
        let mut piece = Vec::new();
        while next_piece(&mut client, framing, &mut piece)? {
            self.wait_while_stalled();
            let shown = if framing == Framing::Kafka { &piece[4..] } else { &piece[..] };
            let verdict = lock(&self.hook).as_mut().map_or(Verdict::Forward, |hook| hook(shown));
            match verdict {
                Verdict::Swallow => continue,
                Verdict::Cut => return Ok(()),
                Verdict::LoseAnswers => loses_answers.store(true, Ordering::Release),
                Verdict::Forward | Verdict::CutAfter => {}
            }
            server.write_all(&piece)?;
            if verdict == Verdict::CutAfter {
                return client.shutdown(Shutdown::Both);
            }
        }
        Ok(())
    }

    fn carry_back(
        &self,
        server: &mut TcpStream,
        client: &mut TcpStream,
        loses_answers: &AtomicBool,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = server.read(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            self.wait_while_stalled();
            if !loses_answers.load(Ordering::Acquire) {
                client.write_all(&chunk[..length])?;
            }
        }
    }

    fn wait_while_stalled(&self) {
        while self.is_stalled.load(Ordering::Acquire) {
            clock::pause(STALL_LOOK);
        }
    }
}

fn close(one: &TcpStream, other: &TcpStream) {
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}

/// False at the end of the stream.
fn next_piece(from: &mut impl Read, framing: Framing, piece: &mut Vec<u8>) -> io::Result<bool> {
    match framing {
        Framing::Bytes => {
            piece.resize(CHUNK_BYTES, 0);
            let length = from.read(piece)?;
            piece.truncate(length);
            Ok(length > 0)
        }
        Framing::Kafka => {
            let mut length = [0; 4];
            match from.read_exact(&mut length) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                read => read?,
            }
            let bytes = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
            piece.clear();
            piece.extend_from_slice(&length);
            piece.resize(4 + bytes, 0);
            from.read_exact(&mut piece[4..])?;
            Ok(true)
        }
    }
}

/// The kinds of Kafka's requests that tests wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Produce = 0,
    TxnOffsetCommit = 28,
    EndTxn = 26,
}

impl Request {
    /// Whether it is this kind, by a client that names `part` in it (its transactional id, its group).
    pub fn is(self, request: &[u8], part: &str) -> bool {
        let kind = (self as u16).to_be_bytes();
        request.starts_with(&kind) && holds(request, part)
    }
}

/// Whether these bytes hold that text.
pub fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}
