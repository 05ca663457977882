//! Three brokers: each partition has three replicas, two of which must have a record before it counts.

use std::env;
use std::path::Path;

use crate::own::{self, Folder, Server};

const NODES: usize = 3;
const HEAP: &str = "-Xms128m -Xmx320m -XX:TieredStopAtLevel=1";

pub struct Cluster {
    nodes: Vec<Server>,
    addresses: String,
    _folder: Folder,
}

impl Cluster {
    /// # Panics
    /// If it does not start.
    pub fn start(scripts: &Path) -> Self {
        let folder = Folder::new();
        let ports: Vec<(u16, u16)> = (0..NODES).map(|_| (own::free_port(), own::free_port())).collect();
        let join = |each: &dyn Fn(usize) -> String| (0..NODES).map(each).collect::<Vec<_>>().join(",");
        let voters = join(&|node| format!("{}@127.0.0.1:{}", node + 1, ports[node].1));
        let nodes: Vec<Server> =
            (0..NODES).map(|node| server(scripts, &folder, node + 1, ports[node], &voters)).collect();
        // None of them answers before a majority is there.
        let starting: Vec<_> = nodes.iter().map(Server::starting).collect();
        starting.into_iter().for_each(own::started);
        let addresses = join(&|node| format!("127.0.0.1:{}", ports[node].0));
        Self { nodes, addresses, _folder: folder }
    }

    pub fn addresses(&self) -> &str {
        &self.addresses
    }

    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }
}

fn server(scripts: &Path, folder: &Folder, id: usize, ports: (u16, u16), voters: &str) -> Server {
    let (port, controller) = ports;
    let replicated = ["offsets.topic", "transaction.state.log", "share.coordinator.state.topic"]
        .map(|topic| format!("{topic}.replication.factor=3\n{topic}.min.isr=2\n"))
        .concat()
        // The offsets' own topic goes by the default below.
        .replace("offsets.topic.min.isr=2\n", "");
    let more = format!(
        "node.id={id}\ncontroller.quorum.voters={voters}\ndefault.replication.factor=3\nmin.insync.replicas=2\n{replicated}"
    );
    let variables = vec![
        ("KAFKA_PORT", port.to_string().into()),
        ("KAFKA_CTRL_PORT", controller.to_string().into()),
        ("KAFKA_EXTRA_PROPS", more.into()),
        ("KAFKA_HEAP", HEAP.into()),
        ("KAFKA_LIBS", env::var_os("KAFKA_LIBS").unwrap_or_else(|| Server::fetched("kafka/libs"))),
    ];
    let pid_file = folder.path().join(format!("run/kafka-{port}.pid"));
    Server::new(scripts, "kafka", pid_file, folder, variables)
}
