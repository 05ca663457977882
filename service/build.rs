//! The commit for `--version`: `UFO_COMMIT` (a build without its repository, as in Docker), or what git says. A debug build
//! says so instead: it would have to be built anew with each commit.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=UFO_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let given = env::var("UFO_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = match given {
        Some(commit) => commit.trim().to_owned(),
        None if is_release => of_the_repository().unwrap_or_else(|| "unknown".into()),
        None => "debug build".into(),
    };
    println!("cargo::rustc-env=UFO_COMMIT={commit}");
}

fn of_the_repository() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // Where the commit is kept: the branch's file, or that of all branches once they are packed.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for place in ["HEAD", branch.as_deref().unwrap_or("HEAD"), "packed-refs"] {
        // A file that is not there would make each build a new one.
        if let Some(path) = git(&["rev-parse", "--git-path", place]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
