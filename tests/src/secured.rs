//! A broker that lets in only whom it knows: by user and password over TLS, or by a client's certificate.

use std::env;

use crate::certificates::{Certificates, text};
use crate::own::{self, Folder, Server};

/// Started in a third of the time, which is what counts in a test.
const HEAP: &str = "-Xms128m -Xmx384m -XX:TieredStopAtLevel=1";

pub const USER: &str = "ufo-test";
/// Nothing else holds this text: where it is found, a password was shown.
pub const PASSWORD: &str = "kx7-never-shown-q92";

pub struct SecuredBroker {
    /// For users: SASL_SSL.
    pub by_password: String,
    /// For certificates: SSL.
    pub by_certificate: String,
    _server: Server,
    _folder: Folder,
}

impl SecuredBroker {
    /// `None`, with one plain line, where no scripts are named.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(group: &str, certificates: &Certificates) -> Option<Self> {
        let scripts = own::scripts(group)?;
        let folder = Folder::new();
        let [port, users, clients, controller] = [(); 4].map(|()| own::free_port());
        let variables = vec![
            ("KAFKA_PORT", port.to_string().into()),
            ("KAFKA_CTRL_PORT", controller.to_string().into()),
            ("KAFKA_EXTRA_PROPS", properties(certificates, [port, users, clients, controller]).into()),
            ("KAFKA_HEAP", HEAP.into()),
            ("KAFKA_LIBS", env::var_os("KAFKA_LIBS").unwrap_or_else(|| Server::fetched("kafka/libs"))),
        ];
        let pid_file = folder.path().join(format!("run/kafka-{port}.pid"));
        let server = Server::new(&scripts, "kafka", pid_file, &folder, variables);
        server.start();
        make_user(&server);
        Some(Self {
            by_password: format!("127.0.0.1:{users}"),
            by_certificate: format!("127.0.0.1:{clients}"),
            _server: server,
            _folder: folder,
        })
    }
}

fn properties(certificates: &Certificates, [port, users, clients, controller]: [u16; 4]) -> String {
    let (keys, trusted) = (certificates.path("server.pem"), certificates.path("ca.crt"));
    let (keys, trusted) = (text(&keys), text(&trusted));
    let open =
        format!("PLAINTEXT://127.0.0.1:{port},USERS://127.0.0.1:{users},CLIENTS://127.0.0.1:{clients}");
    format!(
        "listeners={open},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners={open}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,USERS:SASL_SSL,CLIENTS:SSL,CONTROLLER:PLAINTEXT\n\
         sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN\n\
         listener.name.users.scram-sha-256.sasl.jaas.config=\
         org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
         listener.name.users.scram-sha-512.sasl.jaas.config=\
         org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
         listener.name.users.plain.sasl.jaas.config=\
         org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";\n\
         listener.name.clients.ssl.client.auth=required\n\
         ssl.keystore.type=PEM\nssl.keystore.location={keys}\n\
         ssl.truststore.type=PEM\nssl.truststore.location={trusted}\n"
    )
}

/// By Kafka's own tool, through the way in that asks nobody; it takes one kind of password at a time.
fn make_user(server: &Server) {
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let scram = format!("{mechanism}=[password={PASSWORD}]");
        let mut tool = server.tool();
        tool.args(["configs", "--alter", "--add-config", &scram, "--entity-type", "users"]);
        let output = tool.args(["--entity-name", USER]).output().expect("the tool can be run");
        assert!(output.status.success(), "the user is made: {}", String::from_utf8_lossy(&output.stderr));
    }
}
