//! The indexes as they are created, written down: dashboards depend on every field. `UFO_GOLDEN=write` writes them anew.

use std::fs;
use std::path::Path;

use sink::index::Kind;
use sink::index::mapping::{IndexShape, index_body};

#[test]
fn indexes_are_as_written_down() {
    for kind in Kind::ALL {
        let file = format!("index_{}.json", kind.name());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
        let mut text = serde_json::to_string_pretty(&index_body(kind, &IndexShape::default())).unwrap();
        text.push('\n');
        if std::env::var_os("UFO_GOLDEN").is_some_and(|mode| mode == "write") {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
    }
}
