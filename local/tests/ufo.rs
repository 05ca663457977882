//! The `ufo` binary as its users run it: figures, a second run, kills, bad input.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;

const HEADER: &str = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,date posted,latitude,longitude \n";
const ROW: &str =
    "10/10/1949 20:30,san marcos,tx,us,cylinder,2700,45 minutes,it hovered,4/27/2004,29.88,-97.94\n";

fn ufo(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ufo"));
    command
        .args(arguments)
        .arg("--data")
        .arg(folder.path().join("data"))
        .env_remove("UFO_DATA")
        .env_remove("UFO_SEED");
    command
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    ufo(folder, arguments).output().expect("ufo can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn written(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let file = folder.path().join(name);
    fs::write(&file, content).expect("written");
    file
}

/// Runs on a file with this content and gives the exit code and what was said on standard error.
fn refused(name: &str, content: &[u8]) -> (Option<i32>, String) {
    let folder = TempDir::new().expect("a folder");
    let file = written(&folder, name, content);
    let output = run(&folder, &[&file.to_string_lossy()]);
    (output.status.code(), text(&output.stderr))
}

fn verified(folder: &TempDir, file: &Path) {
    let output = run(folder, &["verify", &file.to_string_lossy()]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_second_run_adds_nothing_and_a_file_that_grew_adds_what_is_new() {
    let folder = TempDir::new().expect("a folder");
    let other = ROW.replace("san marcos", "austin");
    // The last row has no line end yet.
    let file = written(&folder, "rows.csv", format!("{HEADER}{ROW}{}", other.trim_end()).as_bytes());
    let name = file.to_string_lossy().into_owned();
    let first = run(&folder, &[&name]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    assert!(text(&first.stdout).contains("2 rows of"), "{}", text(&first.stdout));
    let second = text(&run(&folder, &[&name]).stdout);
    assert!(second.contains("0 rows of") && second.contains("2 were in already"), "{second}");
    let grown = format!("{HEADER}{ROW}{other}{}", ROW.replace("1949", "1950"));
    fs::write(&file, grown).expect("written");
    let third = text(&run(&folder, &[&name]).stdout);
    assert!(third.contains("1 rows of") && third.contains("2 were in already"), "{third}");
    verified(&folder, &file);
}

#[test]
fn kill_9_repeatedly() {
    let seed = std::env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(4);
    eprintln!("UFO_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = TempDir::new().expect("a folder");
    // Made before, so that every kill hits the pipeline.
    let file = folder.path().join("rows.csv");
    let mut rows = Vec::new();
    producer::generate::write_csv(seed, 60_000, &mut rows).expect("memory takes it");
    fs::write(&file, rows).expect("written");
    let name = file.to_string_lossy().into_owned();
    let mut killed_at_work = 0;
    for _ in 0..10 {
        let mut child = ufo(&folder, &[&name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ufo can be started");
        // How far it gets is the fault that is drawn.
        std::thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 900)));
        killed_at_work += u32::from(child.try_wait().expect("its state is known").is_none());
        child.kill().expect("kill -9");
        child.wait().expect("ended");
    }
    assert!(killed_at_work > 0, "no kill hit a running pipeline");
    let last = run(&folder, &[&name]);
    assert!(last.status.success(), "{}", text(&last.stderr));
    verified(&folder, &file);
}

#[test]
fn the_ledger_finds_a_file_that_was_taken_out_of_the_lake() {
    let folder = TempDir::new().expect("a folder");
    let file = written(&folder, "rows.csv", format!("{HEADER}{ROW}").as_bytes());
    assert!(run(&folder, &[&file.to_string_lossy()]).status.success());
    verified(&folder, &file);
    fs::remove_dir_all(folder.path().join("data/lake/silver/sightings")).expect("removed");
    let output = run(&folder, &["verify", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("sightings = lake"), "{}", text(&output.stderr));
}

#[test]
fn no_such_file_and_a_directory() {
    let folder = TempDir::new().expect("a folder");
    let missing = run(&folder, &["missing.csv"]);
    assert_eq!(missing.status.code(), Some(66));
    assert!(text(&missing.stderr).contains("no such file: missing.csv"), "{}", text(&missing.stderr));
    let directory = run(&folder, &[&folder.path().to_string_lossy()]);
    assert_eq!(directory.status.code(), Some(66));
    assert!(text(&directory.stderr).contains("is a directory"), "{}", text(&directory.stderr));
}

#[test]
fn missing_columns_are_named() {
    let (code, said) = refused("rows.csv", b"datetime,city,state\n1,2,3\n");
    assert_eq!(code, Some(65));
    assert!(
        said.contains("country") && said.contains("longitude") && !said.contains("lacks datetime"),
        "{said}"
    );
}

#[test]
fn an_empty_and_a_binary_file() {
    let (code, said) = refused("empty.csv", b"");
    assert_eq!(code, Some(65));
    assert!(said.contains("is empty"), "{said}");
    let (code, said) = refused("rows.csv", b"PAR1\x00\x00\x15\x04");
    assert_eq!(code, Some(65));
    assert!(said.contains("binary"), "{said}");
}

#[test]
fn a_truncated_gzip_gives_its_rows_and_then_says_so() {
    let folder = TempDir::new().expect("a folder");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(HEADER.as_bytes()).expect("compressed");
    for number in 0..5_000 {
        gzip.write_all(ROW.replace("hovered", &format!("{number}")).as_bytes()).expect("compressed");
    }
    let whole = gzip.finish().expect("compressed");
    let file = written(&folder, "rows.csv.gz", &whole[..whole.len() / 2]);
    let output = run(&folder, &[&file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(65));
    assert!(text(&output.stderr).contains("ends in the middle after"), "{}", text(&output.stderr));
    let ledger = run(&folder, &["verify"]);
    assert!(ledger.status.success(), "what came before the break is in, and consistent");
    fs::write(&file, &whole).expect("written");
    let again = run(&folder, &[&file.to_string_lossy()]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    verified(&folder, &file);
}

#[test]
fn a_row_of_2_mib_and_one_that_is_no_utf_8_are_accounted_for() {
    let folder = TempDir::new().expect("a folder");
    let mut content = format!("{HEADER}{ROW}").into_bytes();
    content.extend_from_slice(ROW.replace("it hovered", &"x".repeat(2 << 20)).as_bytes());
    let mut latin = ROW.replace("it hovered", "caf~").into_bytes();
    let place = latin.iter().position(|byte| *byte == b'~').expect("the mark");
    latin[place] = 0xe9;
    content.extend_from_slice(&latin);
    let file = written(&folder, "rows.csv", &content);
    let output = run(&folder, &[&file.to_string_lossy()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let ledger = text(&run(&folder, &["verify", &file.to_string_lossy()]).stdout);
    assert!(ledger.contains("rows of the file = records of raw"), "{ledger}");
    let count = |name: &str| {
        let line = ledger.lines().find(|line| line.contains(name)).unwrap_or_default();
        line.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).next_back()
    };
    assert_eq!(count("sightings counted"), Some(2), "{ledger}");
    assert_eq!(count("rejects counted"), Some(1), "{ledger}");
    verified(&folder, &file);
}

#[test]
fn a_data_folder_that_cannot_be_made_and_one_in_use() {
    let folder = TempDir::new().expect("a folder");
    written(&folder, "data", b"a file, not a folder");
    let output = run(&folder, &["--rows", "10"]);
    assert_eq!(output.status.code(), Some(74));
    assert!(text(&output.stderr).contains("--data"), "{}", text(&output.stderr));
}

#[test]
fn bad_flags_end_with_64() {
    let folder = TempDir::new().expect("a folder");
    let output = run(&folder, &["--no-such-flag"]);
    assert_eq!(output.status.code(), Some(64), "{}", text(&output.stderr));
}
