//! Docker for the tests: whether it is there, which images are used, and the image of our own programs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use crate::{built, said, skipped};

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the package lies in the repository").to_owned()
}

/// What our programs run on in the tests' own image, where `RUNTIME_IMAGE` names nothing else: with the OpenSSL that they
/// were linked to here.
const RUNTIME_IMAGE: &str = "docker.io/library/buildpack-deps:bookworm-curl";

/// False, with one plain line, where no Docker answers or an image cannot be had; a failure where they have to be there.
///
/// # Panics
/// If `UFO_REQUIRE_DOCKER` is set and something is missing.
pub fn is_there(group: &str) -> bool {
    let missing = if is_done(&["version"]) { missing_image() } else { Some("no Docker answers".into()) };
    if let Some(missing) = &missing {
        assert!(env::var_os("UFO_REQUIRE_DOCKER").is_none(), "{group}: {missing}");
        skipped(group, missing);
    }
    missing.is_none()
}

fn missing_image() -> Option<String> {
    let servers = ["REDPANDA_IMAGE", "ELASTICSEARCH_IMAGE", "MINIO_IMAGE"].map(image);
    let mut images = servers.map(|(name, tag)| format!("{name}:{tag}")).to_vec();
    images.push(env::var("UFO_IMAGE").unwrap_or_else(|_| runtime_image()));
    let is_here = |image: &str| is_done(&["image", "inspect", image]) || is_done(&["pull", "--quiet", image]);
    images.into_iter().find(|image| !is_here(image)).map(|image| format!("no image {image}"))
}

fn runtime_image() -> String {
    env::var("RUNTIME_IMAGE").unwrap_or_else(|_| RUNTIME_IMAGE.into())
}

fn is_done(arguments: &[&str]) -> bool {
    let mut docker = Command::new("docker");
    docker.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    docker.status().is_ok_and(|status| status.success())
}

/// The image that the variable names; the compose file's own where it names none.
///
/// # Panics
/// If the compose file has none either.
pub fn image(variable: &str) -> (String, String) {
    let file = fs::read_to_string(root().join("docker-compose.yml")).expect("the compose file is there");
    let given = env::var(variable).ok().filter(|image| !image.is_empty());
    let image = given.or_else(|| {
        let (_, rest) = file.split_once(&format!("image: ${{{variable}:-"))?;
        Some(rest.split_once('}')?.0.to_owned())
    });
    let image = image.unwrap_or_else(|| panic!("the compose file has no {variable}"));
    let (name, tag) = image.rsplit_once(':').expect("images have tags");
    (name.to_owned(), tag.to_owned())
}

/// A port that nobody uses now.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

/// The image with our programs: the one that `UFO_IMAGE` names, else the last stage of `deploy/Dockerfile` around the
/// programs that the tests have built anyway.
///
/// # Panics
/// If it cannot be built.
pub fn programs_image() -> String {
    if let Ok(image) = env::var("UFO_IMAGE") {
        return image;
    }
    let context = TempDir::new().expect("a folder");
    let (bin, data) = (context.path().join("out/bin"), context.path().join("out/folders/data"));
    fs::create_dir_all(&bin).expect("makes");
    fs::create_dir_all(data).expect("makes");
    for program in ["producer", "processor", "sink", "verify", "dashboards"] {
        // Without its tables a program is a third as large.
        let mut strip = Command::new("strip");
        succeed(strip.arg("-o").arg(bin.join(program)).arg(built(program)));
    }
    let certificates = context.path().join("etc/ssl/certs");
    fs::create_dir_all(&certificates).expect("makes");
    let bundle = certificates.join("ca-certificates.crt");
    if fs::copy("/etc/ssl/certs/ca-certificates.crt", &bundle).is_err() {
        fs::write(&bundle, "").expect("writes");
    }
    let dockerfile = fs::read_to_string(root().join("deploy/Dockerfile")).expect("it is there");
    let (_, last_stage) = dockerfile.split_once("FROM ${RUNTIME_IMAGE}").expect("its last stage");
    let last_stage = last_stage.replace("COPY --from=build ", "COPY ");
    let dockerfile = format!("ARG RUNTIME_IMAGE\nFROM ${{RUNTIME_IMAGE}}{last_stage}");
    fs::write(context.path().join("Dockerfile"), dockerfile).expect("writes");
    let image = format!("ufo-sightings:test-{}", std::process::id());
    let mut build = Command::new("docker");
    build.args([
        "build",
        "--quiet",
        "--tag",
        &image,
        "--build-arg",
        &format!("RUNTIME_IMAGE={}", runtime_image()),
    ]);
    succeed(build.arg(context.path()));
    image
}

/// Runs a command to its end: what it said.
///
/// # Panics
/// If it fails.
pub fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it can be started");
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    said(&output)
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within the limit: with what was last said.
pub fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    #[expect(clippy::disallowed_methods, reason = "tests wait for programs, which have clocks of their own")]
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(last) => assert!(begun.elapsed() < limit, "{what}: not within {limit:?}\n{last}"),
        }
        thread::sleep(Duration::from_millis(500));
    }
}
