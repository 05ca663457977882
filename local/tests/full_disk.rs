//! A disk that fills up: one clear message, exit code 74, and nothing lost once there is room again.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use tempfile::TempDir;

/// A small disk of its own, in memory.
struct Disk(PathBuf);

impl Disk {
    /// `None`, with one plain line, where nothing may be mounted.
    fn mounted(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).expect("a folder");
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        assert!(env::var_os("UFO_REQUIRE_SERVERS").is_none(), "no disk can be mounted");
        let _ = writeln!(io::stderr(), "SKIPPED full disk: no disk can be mounted (only root may)");
        None
    }

    fn grow(&self, size: &str) {
        let size = format!("remount,size={size}");
        let grown = Command::new("mount").args(["-o", &size]).arg(&self.0).status();
        assert!(grown.expect("mount can be started").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn ufo(disk: &Disk, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ufo"));
    command.args(arguments).arg("--data").arg(disk.0.join("data")).env_remove("UFO_DATA");
    command.output().expect("ufo can be started")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn fills_up_and_goes_on(size: &str, file: &Path, disk: &Disk) {
    let name = file.to_string_lossy();
    let full = ufo(disk, &[&name]);
    assert_eq!(full.status.code(), Some(74), "{size}: {}", said(&full));
    let told = said(&full).to_lowercase();
    assert!(told.contains("full") && told.contains("start again"), "{size}: {told}");
    disk.grow("400m");
    let again = ufo(disk, &[&name]);
    assert!(again.status.success(), "{size}: {}", said(&again));
    let ledger = ufo(disk, &["verify", &name]);
    assert!(ledger.status.success(), "{size}: {}", String::from_utf8_lossy(&ledger.stdout));
}

/// The sizes fall into the log's first growth, the middle of the run, and the lake's files.
#[test]
fn a_full_disk_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("rows.csv");
    let mut rows = Vec::new();
    producer::generate::write_csv(9, 20_000, &mut rows).expect("memory takes it");
    fs::write(&file, rows).expect("written");
    for size in ["2m", "6m", "12m"] {
        let Some(disk) = Disk::mounted(folder.path().join(size), size) else { return };
        fills_up_and_goes_on(size, &file, &disk);
    }
}
