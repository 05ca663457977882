//! Takes pictures of the page: `shots URL FILE.png WIDTH HEIGHT [light|dark]`. For the README, and to look at what was changed.
//! A height of 0 takes the whole page.

#[path = "../tests/page/browser.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod browser;

use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, file, width, height, rest @ ..] = &arguments[..] else {
        panic!("shots URL FILE.png WIDTH HEIGHT [light|dark]")
    };
    let (width, height) = (width.parse().expect("a width"), height.parse().expect("a height"));
    let scheme = rest.first().map_or("light", |scheme| scheme);
    let program = browser::program().expect("a Chromium");
    let mut browser = browser::Browser::start(&program, width, if height == 0 { 900 } else { height });
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.call("Emulation.setEmulatedMedia", features);
    browser.open(url);
    browser.wait("!!document.querySelector('#countries canvas, #cells canvas')", Duration::from_secs(30));
    let first = browser.value("Math.round(performance.now())");
    eprintln!("first chart {first} ms after the address was asked for");
    if height == 0 {
        let whole = browser.value("document.documentElement.scrollHeight");
        browser.size(width, u32::try_from(whole.as_u64().expect("a height")).expect("a height"));
    }
    // What came into sight is drawn, and its animation is over.
    service::clock::pause(Duration::from_millis(1_500));
    let shot = browser.call("Page.captureScreenshot", json!({ "format": "png" }));
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(shot["data"].as_str().expect("a picture"))
        .expect("base64");
    std::fs::write(file, bytes).expect("written");
    for complaint in browser.complaints() {
        eprintln!("{complaint}");
    }
}
