//! A broker of a test's own, with two ways in: straight, and through a proxy.

use std::env;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::own::{self, Folder, Server};
use crate::proxy::{Framing, Proxy};

/// Started in a third of the time, which is what counts in a test.
const HEAP: &str = "-Xms128m -Xmx384m -XX:TieredStopAtLevel=1";

/// As the scripts make that topic.
const OFFSETS_PARTITIONS: u32 = 5;

pub struct Broker {
    server: Server,
    address: String,
    proxy: Proxy,
    _folder: Folder,
}

/// Brokers that are up and used by no test.
static IDLE: Mutex<Vec<Broker>> = Mutex::new(Vec::new());

/// A broker for one test; the next one takes it over.
pub struct Lease(Option<Broker>);

impl Lease {
    /// `None`, with one plain line, where no scripts are named.
    pub fn take(group: &str) -> Option<Self> {
        let scripts = own::scripts(group)?;
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Some(Self(Some(idle.unwrap_or_else(|| Broker::start(&scripts)))))
    }
}

impl Deref for Lease {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(broker) = self.0.take() else { return };
        broker.proxy.heal();
        // In what state a failed test left it, nobody knows.
        if !thread::panicking() && broker.server.is_there() {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(broker);
        }
    }
}

impl Broker {
    /// # Panics
    /// If it does not start.
    pub fn start(scripts: &Path) -> Self {
        let folder = Folder::new();
        let (port, inner, controller) = (own::free_port(), own::free_port(), own::free_port());
        let proxy = Proxy::to(&format!("127.0.0.1:{inner}"), Framing::Kafka);
        let more = format!(
            "listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://{}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
            proxy.address()
        );
        let variables = vec![
            ("KAFKA_PORT", port.to_string().into()),
            ("KAFKA_CTRL_PORT", controller.to_string().into()),
            ("KAFKA_EXTRA_PROPS", more.into()),
            ("KAFKA_HEAP", HEAP.into()),
            ("KAFKA_LIBS", env::var_os("KAFKA_LIBS").unwrap_or_else(|| Server::fetched("kafka/libs"))),
        ];
        let pid_file = folder.path().join(format!("run/kafka-{port}.pid"));
        let server = Server::new(scripts, "kafka", pid_file, &folder, variables);
        server.start();
        Self { server, address: format!("127.0.0.1:{port}"), proxy, _folder: folder }
    }

    /// The way in that nothing stands in.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Producers whose offsets wait for the end of a transaction that its coordinator knows to be over: the broker has
    /// lost its marker, and nothing that a client can do ends it.
    pub fn lost_markers(&self) -> Vec<String> {
        let ended = |producer: &&String| {
            let states = self.tool(&["list"]);
            let state = states.iter().find(|line| line.get(2) == Some(producer)).and_then(|line| line.get(3));
            state.is_some_and(|state| state == "Empty" || state.starts_with("Complete"))
        };
        let open: Vec<String> = (0..OFFSETS_PARTITIONS)
            .flat_map(|partition| {
                let partition = partition.to_string();
                self.tool(&["describe-producers", "--topic", "__consumer_offsets", "--partition", &partition])
            })
            .filter(|line| line.get(5).is_some_and(|start| start.parse::<u64>().is_ok()))
            .map(|mut line| line.swap_remove(0))
            .collect();
        open.iter().filter(ended).cloned().collect()
    }

    /// The lines of Kafka's own tool for transactions, in words.
    fn tool(&self, arguments: &[&str]) -> Vec<Vec<String>> {
        let mut tool = self.server.tool();
        let output = tool.arg("txn").args(arguments).output().expect("the tool can be run");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        String::from_utf8_lossy(&output.stdout).lines().map(words).collect()
    }
}
