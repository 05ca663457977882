//! Kibana's dashboards as code: builders give saved objects, saved objects give one NDJSON file.
//!
//! ```text
//! board/*.rs ─uses─▶ panel/*.rs ─▶ SavedObject ─saved─▶ ufo.ndjson ─import─▶ Kibana
//!                                      └─uses─▶ indexes and fields ─▶ held against the mapping, and the real index
//!                                      └─ask──▶ the searches that Kibana will send
//! ```
//! `uses` and `ask` read the finished objects, not the builders: a builder that writes a field to the wrong place is
//! found out, too.

pub mod ask;
pub mod board;
pub mod check;
pub mod cli;
pub mod data_view;
pub mod filter;
pub mod import;
pub mod panel;
pub mod saved;
pub mod server;
pub mod uses;

use sink::index::IndexError;
use sink::index::generation::Names;

pub use self::data_view::DataView;
pub use self::saved::{ObjectKind, Reference, SavedObject};

/// What the objects depend on.
#[derive(Clone, Debug)]
pub struct Options {
    prefix: String,
    home: String,
    names: Names,
}

impl Options {
    /// `prefix` is the pipeline's (`ufo`), `home` the country that *Domestic* shows at first (`us`).
    pub fn new(prefix: &str, home: &str) -> Result<Self, IndexError> {
        Ok(Self { prefix: prefix.to_owned(), home: home.to_owned(), names: Names::new(prefix)? })
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn home(&self) -> &str {
        &self.home
    }

    pub fn names(&self) -> &Names {
        &self.names
    }
}

/// Everything: data views, panels, dashboards, each once, in an order in which nothing is needed before it is there.
pub fn objects(options: &Options) -> Vec<SavedObject> {
    let views = DataView::ALL.map(|view| view.object(options.prefix(), options.names()));
    let boards = board::all(options);
    let mut objects = Vec::from(views);
    for panel in boards.iter().flat_map(board::Board::panels) {
        let object = panel.object(options);
        // A panel may be on several dashboards.
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    objects.extend(boards.iter().map(|board| board.object(options)));
    objects
}

/// The file that Kibana's import takes.
pub fn ndjson(options: &Options) -> String {
    saved::to_ndjson(&objects(options))
}
