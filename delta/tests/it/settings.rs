//! Wrong settings of a bucket end within seconds and say what is wrong. The settings are the process's environment, so
//! each case is a process: this test binary again.

use std::process::Command;

use delta::Lake;

use crate::place;

const URL: &str = "UFO_DELTA_SETTINGS_URL";

/// Not a test: opens the lake that the parent names, and prints what is wrong with it.
#[tokio::test]
async fn child_checks_its_lake() {
    let Ok(url) = std::env::var(URL) else { return };
    let checked = match Lake::open(&url) {
        Ok(lake) => lake.check_writable().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => println!("checked: fine"),
        Err(error) => println!("checked: {error}"),
    }
}

fn checked(url: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["settings::child_checks_its_lake", "--exact", "--nocapture"])
        .env_clear()
        .env(URL, url)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| Some(line.split_once("checked: ")?.1.to_owned())).unwrap_or(text)
}

#[test]
fn wrong_settings_say_what_is_wrong() {
    let Some(endpoint) = place::endpoint() else { return };
    let (key, secret) = place::credentials();
    let lake = format!("s3://{}/prefix", place::bucket_name());
    let at = |endpoint: &str, url: &str, secret: &str| {
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", &key),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ];
        checked(url, &environment)
    };
    assert_eq!(at(&endpoint, &lake, &secret), "fine");
    let absent = at(&endpoint, "s3://no-such-bucket-here/prefix", &secret);
    assert!(absent.contains("no-such-bucket-here does not exist"), "{absent}");
    let wrong = at(&endpoint, &lake, "wrong-secret");
    assert!(wrong.contains("credentials are refused"), "{wrong}");
    let nowhere = at("http://127.0.0.1:9", &lake, &secret);
    assert!(nowhere.contains("AWS_ENDPOINT_URL"), "{nowhere}");
    let without_http =
        [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let plain = checked(&lake, &without_http);
    assert!(plain.contains("AWS_ALLOW_HTTP"), "{plain}");
}
