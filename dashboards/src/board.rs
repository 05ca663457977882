//! Dashboards: rows of panels, a time range, filters. One file per dashboard below.

mod domestic;
mod overview;
mod pipeline;

use serde_json::{Value, json};

use crate::Options;
use crate::filter::{Filter, search_source};
use crate::panel::Panel;
use crate::saved::{ObjectKind, Reference, SavedObject};

/// How wide Kibana's grid is.
pub const COLUMNS: u32 = 48;

/// All sightings of the data set, as the time picker takes it.
const ALL_YEARS: (&str, &str) = ("1906-01-01T00:00:00.000Z", "2015-01-01T00:00:00.000Z");

/// One dashboard.
#[derive(Clone, Debug)]
pub struct Board {
    /// Without the prefix; never changes.
    id: &'static str,
    title: &'static str,
    description: &'static str,
    /// Narrow every panel of it; whoever looks at it can change them.
    filters: Vec<Filter>,
    time: (&'static str, &'static str),
    rows: Vec<Row>,
}

/// Panels side by side, each with its width.
#[derive(Clone, Debug)]
struct Row {
    height: u32,
    panels: Vec<(u32, Panel)>,
}

/// All dashboards.
pub fn all(options: &Options) -> [Board; 3] {
    [overview::board(options), domestic::board(options), pipeline::board(options)]
}

fn row<const N: usize>(height: u32, panels: [(u32, Panel); N]) -> Row {
    Row { height, panels: panels.into() }
}

impl Board {
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels).map(|(_, panel)| panel)
    }

    pub(crate) fn object(&self, options: &Options) -> SavedObject {
        let (source, mut references) = search_source(None, &self.filters, options.prefix());
        let mut panels = Vec::new();
        let mut y = 0;
        for row in &self.rows {
            let mut x = 0;
            for (width, panel) in &row.panels {
                let number = panels.len() + 1;
                let grid = json!({ "x": x, "y": y, "w": width, "h": row.height, "i": number.to_string() });
                panels.push(placed(number, panel, &grid));
                references.push(Reference {
                    name: format!("panel_{number}"),
                    kind: ObjectKind::Panel,
                    id: panel.object_id(options),
                });
                x += width;
            }
            y += row.height;
        }
        let (from, to) = self.time;
        SavedObject {
            kind: ObjectKind::Dashboard,
            id: format!("{}-{}", options.prefix(), self.id),
            attributes: json!({
                "title": self.title,
                "description": self.description,
                "hits": 0,
                "version": 1,
                "panelsJSON": Value::Array(panels).to_string(),
                "optionsJSON": json!({ "useMargins": true, "hidePanelTitles": false }).to_string(),
                "timeRestore": true,
                "timeFrom": from,
                "timeTo": to,
                "refreshInterval": { "pause": true, "value": 0 },
                "kibanaSavedObjectMeta": { "searchSourceJSON": source.to_string() },
            }),
            references,
        }
    }
}

/// A panel's place. The version is that of the shape, as in `migrationVersion`.
fn placed(number: usize, panel: &Panel, grid: &Value) -> Value {
    let config = if panel.is_untitled() { json!({ "hidePanelTitles": true }) } else { json!({}) };
    json!({
        "version": "7.10.0",
        "gridData": grid,
        "panelIndex": number.to_string(),
        "embeddableConfig": config,
        "panelRefName": format!("panel_{number}"),
    })
}
