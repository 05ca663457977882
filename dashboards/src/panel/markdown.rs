//! Text.

use serde_json::json;

use super::Panel;

pub fn markdown(id: &'static str, title: &str, text: impl Into<String>) -> Panel {
    let params = json!({ "fontSize": 12, "openLinksInNewTab": false, "markdown": text.into() });
    Panel::new(id, title, "markdown", params)
}
