//! A settings file.
#![no_main]

use std::ffi::OsString;
use std::fs;

use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use service::settings::{self, CommonFlags};
use service::{Secret, Settings};

#[derive(Debug, clap::Parser)]
struct Flags {
    #[command(flatten)]
    common: CommonFlags,
}

#[derive(Default, Serialize, Deserialize)]
struct SinkSettings {
    brokers: String,
    partitions: u32,
    password: Option<Secret>,
}

impl Settings for SinkSettings {
    const TABLE: &'static str = "sink";
}

#[derive(Serialize)]
struct NoFlags {}

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    fs::write(&file, bytes).expect("written");
    let arguments = [OsString::from("sink"), "--config".into(), file.into_os_string()];
    let given = settings::parse_from::<Flags>(arguments).expect("good flags");
    let _ = given.load::<SinkSettings>(&given.flags.common, &NoFlags {});
});
