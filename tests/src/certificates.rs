//! Certificates of a test's own, made by openssl: an authority, a server's for 127.0.0.1, a client's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// In a folder that is gone with this.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// # Panics
    /// If openssl is not there, or cannot make them.
    pub fn new() -> Self {
        let certificates = Self { folder: TempDir::new().expect("a folder") };
        certificates.authority("ca");
        // Nothing is signed by it.
        certificates.authority("stranger");
        certificates.signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost");
        certificates.signed("client", "extendedKeyUsage=clientAuth");
        // Kafka wants a key and what it is for in one file.
        let both = ["server.key", "server.crt", "ca.crt"]
            .map(|part| fs::read_to_string(certificates.path(part)).expect("it has been made"));
        fs::write(certificates.path("server.pem"), both.concat()).expect("written");
        certificates
    }

    /// `ca.crt`, `stranger.crt`, `server.pem`, `client.crt`, `client.key`, …
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn authority(&self, name: &str) {
        let subject = format!("/CN=test {name}");
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        self.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-subj",
            &subject,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
    }

    fn signed(&self, name: &str, extension: &str) {
        let subject = format!("/CN=test {name}");
        let [key, request, certificate, extensions] =
            ["key", "csr", "crt", "ext"].map(|kind| format!("{name}.{kind}"));
        fs::write(self.path(&extensions), extension).expect("written");
        self.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            &key,
            "-out",
            &request,
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &request,
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ]);
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut openssl = Command::new("openssl");
        let output =
            openssl.args(arguments).current_dir(self.folder.path()).output().expect("openssl is there");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a path, for settings.
///
/// # Panics
/// If it is no UTF-8.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
