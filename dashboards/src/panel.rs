//! Panels (Kibana's `visualization`): what all types have in common. One file per type below.

mod agg;
mod bars;
mod controls;
mod heat_map;
mod lines;
mod markdown;
mod metric;
mod pie;
mod table;
mod tag_cloud;
mod time_series;
mod vega;
mod xy;

use serde_json::{Value, json};

pub use self::agg::{Along, Measure};
pub use self::bars::{Bars, Direction, Scale};
pub use self::controls::{Control, controls};
pub use self::heat_map::HeatMap;
pub use self::lines::Lines;
pub use self::markdown::markdown;
pub use self::metric::metric;
pub use self::pie::Pie;
pub use self::table::Table;
pub use self::tag_cloud::TagCloud;
pub use self::time_series::TimeSeries;
pub use self::vega::{Spec, vega};
use crate::Options;
use crate::data_view::DataView;
use crate::filter::search_source;
use crate::saved::{ObjectKind, Reference, SavedObject};

/// One panel, of whatever type.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Without the prefix; never changes, so that an import replaces the panel.
    id: &'static str,
    title: String,
    /// Kibana's name for the type.
    vis_type: &'static str,
    params: Value,
    aggs: Vec<Value>,
    data: Option<DataView>,
    /// Data views that `params` names by reference.
    further: Vec<(String, DataView)>,
    /// The title is for lists of panels only.
    is_untitled: bool,
}

impl Panel {
    fn new(id: &'static str, title: impl Into<String>, vis_type: &'static str, params: Value) -> Self {
        let (title, aggs, further) = (title.into(), Vec::new(), Vec::new());
        Self { id, title, vis_type, params, aggs, data: None, further, is_untitled: false }
    }

    /// Asks `data` for `aggs`.
    fn asking(mut self, data: DataView, aggs: Vec<Value>) -> Self {
        self.data = Some(data);
        self.aggs = aggs;
        self
    }

    /// What speaks for itself needs no title above it.
    #[must_use]
    pub fn untitled(mut self) -> Self {
        self.is_untitled = true;
        self
    }

    pub(crate) fn is_untitled(&self) -> bool {
        self.is_untitled
    }

    pub(crate) fn object_id(&self, options: &Options) -> String {
        format!("{}-panel-{}", options.prefix(), self.id)
    }

    pub(crate) fn object(&self, options: &Options) -> SavedObject {
        let prefix = options.prefix();
        let (source, mut references) = search_source(self.data, &[], prefix);
        let further = self.further.iter().map(|(name, view)| Reference {
            name: name.clone(),
            kind: ObjectKind::DataView,
            id: view.id(prefix),
        });
        references.extend(further);
        let state = json!({
            "title": self.title,
            "type": self.vis_type,
            "params": self.params,
            "aggs": self.aggs,
        });
        SavedObject {
            kind: ObjectKind::Panel,
            id: self.object_id(options),
            attributes: json!({
                "title": self.title,
                "description": "",
                "visState": state.to_string(),
                "uiStateJSON": "{}",
                "version": 1,
                "kibanaSavedObjectMeta": { "searchSourceJSON": source.to_string() },
            }),
            references,
        }
    }
}
