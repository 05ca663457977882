//! The live page in a real browser, while rows flow: what is drawn, what moves, what is asked for, and who can use it.

mod browser;

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use browser::{Browser, program};
use service::clock;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(90);
/// Pixels that are not of one colour: something is on the canvas.
const IS_DRAWN: &str = "(() => {
  const canvas = document.querySelector('#NAME canvas');
  if (!canvas || !canvas.width) return false;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3]) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
  return colours.size > 3;
})()";
const SIGHTINGS: &str =
    "Number((document.querySelector('#figures .value')?.textContent ?? '0').replaceAll(',', ''))";

/// A browser, or one plain line; a failure where servers have to be there.
fn browser(width: u32, height: u32) -> Option<Browser> {
    let Some(program) = program() else {
        let missing = "there is no Chromium (UFO_CHROMIUM names none)";
        assert!(std::env::var_os("UFO_REQUIRE_SERVERS").is_none(), "the page in a browser: {missing}");
        let _ = writeln!(io::stderr(), "SKIPPED the page in a browser: {missing}");
        return None;
    };
    Some(Browser::start(&program, width, height))
}

/// `ufo` with its page, killed when it is dropped.
struct Ufo {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Ufo {
    fn start(rows: &str) -> Self {
        Self::with(&["--rows", rows])
    }

    fn with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ufo"))
            .args(["--page=127.0.0.1:0", "--home", "kr"])
            .args(arguments)
            .arg("--data")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ufo can be started");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let line = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.starts_with("live"))
            .expect("it says where");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split_whitespace().nth(1).expect("an address").to_owned();
        Self { child, address, _folder: folder }
    }
}

impl Drop for Ufo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// It complains of nothing and asks nobody else.
fn is_at_peace(browser: &Browser, ufo: &Ufo) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(requests.len() >= 3, "{requests:?}");
    for url in requests {
        assert!(url.starts_with(&ufo.address), "{url} is not ours");
    }
}

#[test]
fn it_draws_and_moves_while_rows_flow() {
    let Some(mut browser) = browser(1360, 4000) else { return };
    let ufo = Ufo::start("60000");
    browser.open(&ufo.address);
    browser.wait(&format!("{SIGHTINGS} > 0"), LIMIT);
    let first = browser.value(SIGHTINGS).as_u64().expect("a number");
    assert!(first < 59_000, "{first}: rows are still flowing");
    browser.wait(&format!("{SIGHTINGS} > {first}"), LIMIT);
    browser.wait(&format!("{SIGHTINGS} > 59000"), LIMIT);
    for chart in [
        "cells",
        "timeline",
        "countries",
        "shapes",
        "months",
        "seasons",
        "hours",
        "places",
        "domestic",
        "rate",
    ] {
        browser.wait(&IS_DRAWN.replace("NAME", chart), LIMIT);
    }
    browser.wait("document.querySelectorAll('#sightings tbody tr').length > 10", LIMIT);
    is_at_peace(&browser, &ufo);
}

#[test]
fn a_filter_is_in_the_address_and_every_chart_follows() {
    let Some(mut browser) = browser(1360, 4000) else { return };
    let ufo = Ufo::start("20000");
    browser.open(&format!("{}/?country=ca&from=1990", ufo.address));
    browser.wait(&format!("{SIGHTINGS} > 100"), LIMIT);
    assert_eq!(browser.value("document.getElementById('country').value"), "ca");
    assert_eq!(browser.value("document.getElementById('from').value"), "1990");
    browser.wait("document.getElementById('reading').hidden", LIMIT);
    let canada = browser.value(SIGHTINGS).as_u64().expect("a number");
    browser.value("(() => { const s = document.getElementById('shape'); s.value = 'light'; s.dispatchEvent(new Event('change', { bubbles: true })); })()");
    browser.wait(&format!("{SIGHTINGS} > 0 && {SIGHTINGS} < {canada}"), LIMIT);
    assert_eq!(browser.value("location.search"), "?country=ca&shape=light&from=1990");
    browser.value("history.back()");
    browser.wait(&format!("{SIGHTINGS} >= {canada} && location.search === '?country=ca&from=1990'"), LIMIT);
    browser.value("document.querySelector('#countries .tools button').click()");
    browser.wait("document.querySelectorAll('#countries tbody tr').length > 3", LIMIT);
    let csv = browser
        .value("fetch(document.querySelector('#countries .tools a').href).then((answer) => answer.text())");
    assert!(
        csv.as_str().is_some_and(|csv| csv.starts_with("country,count,") && csv.contains("\nca,")),
        "{csv}"
    );
    is_at_peace(&browser, &ufo);
}

#[test]
fn on_a_phone_nothing_is_wider_than_the_screen_and_by_keyboard_everything_is_reached() {
    let Some(mut browser) = browser(360, 740) else { return };
    let ufo = Ufo::start("5000");
    browser.open(&ufo.address);
    browser.wait(&format!("{SIGHTINGS} > 1000"), LIMIT);
    browser.wait(&IS_DRAWN.replace("NAME", "cells"), LIMIT);
    let width = browser.value("document.documentElement.scrollWidth").as_u64();
    assert!(width.is_some_and(|width| width <= 360), "{width:?}");
    let mut reached = Vec::new();
    for _ in 0..14 {
        browser.key("Tab", 9);
        let now = browser.value("document.activeElement.id || document.activeElement.className");
        reached.push(now.as_str().unwrap_or_default().to_owned());
    }
    for control in ["skip", "theme", "country", "shape", "from", "to"] {
        assert!(reached.iter().any(|at| at == control), "{control} is not reached: {reached:?}");
    }
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_ne!(browser.value(outline), "none", "where the focus is can be seen");
    let unnamed = browser.value(
        "[...document.querySelectorAll('button, a, select, input, [role=img], [role=region], section')].filter((one) =>
           !(one.textContent.trim() || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.labels?.length)).length",
    );
    assert_eq!(unnamed, 0, "everything has a name");
    is_at_peace(&browser, &ufo);
}

#[test]
fn a_hostile_comment_is_text() {
    let Some(mut browser) = browser(1360, 4000) else { return };
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("rows.csv");
    let row = "10/10/1949 20:30,<img src=x onerror=alert(1)>,tx,us,<b>disk</b>,2700,45 minutes,<script>window.bad=1</script><img src=//evil.example/x>,4/27/2004,29.88,-97.94";
    let header = "datetime,city,state,country,shape,duration (seconds),duration (hours/min),comments,date posted,latitude,longitude";
    std::fs::write(&file, format!("{header}\n{row}\n<i>soon</i>,,,,,,,<img src=y onerror=alert(2)>,,,\n"))
        .expect("written");
    let ufo = Ufo::with(&[&file.to_string_lossy()]);
    browser.open(&ufo.address);
    browser.wait(
        "document.querySelector('#sightings td.comments')?.textContent.includes('<script>window.bad=1')",
        LIMIT,
    );
    browser.wait("document.querySelector('#rejects td.bytes')?.textContent.includes('<img src=y')", LIMIT);
    assert_eq!(
        browser.value("document.querySelectorAll('main img, main script, main b b, main i i').length"),
        0
    );
    assert_eq!(browser.value("window.bad === undefined"), true);
    clock::pause(Duration::from_millis(200));
    is_at_peace(&browser, &ufo);
}
