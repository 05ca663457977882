//! What bars and lines have in common: two axes.

use serde_json::{Value, json};

/// The parameters of a chart with one measure. `kind` is Kibana's `histogram`, `horizontal_bar` or `line`.
pub(super) struct Axes {
    pub(super) kind: &'static str,
    pub(super) along: &'static str,
    pub(super) measure: &'static str,
    pub(super) is_lying: bool,
    pub(super) scale: &'static str,
    pub(super) has_legend: bool,
}

impl Axes {
    pub(super) fn params(&self) -> Value {
        let (category, value) = if self.is_lying { ("left", "bottom") } else { ("bottom", "left") };
        let series = if self.kind == "line" { "line" } else { "histogram" };
        json!({
            "type": self.kind,
            "grid": { "categoryLines": false },
            "categoryAxes": [{
                "id": "CategoryAxis-1",
                "type": "category",
                "position": category,
                "show": true,
                "style": {},
                "scale": { "type": "linear" },
                "labels": { "show": true, "rotate": 0, "filter": true, "truncate": 100 },
                "title": { "text": self.along },
            }],
            "valueAxes": [{
                "id": "ValueAxis-1",
                "name": if self.is_lying { "BottomAxis-1" } else { "LeftAxis-1" },
                "type": "value",
                "position": value,
                "show": true,
                "style": {},
                "scale": { "type": self.scale, "mode": "normal" },
                "labels": { "show": true, "rotate": 0, "filter": true, "truncate": 100 },
                "title": { "text": self.measure },
            }],
            "seriesParams": [{
                "show": true,
                "type": series,
                "mode": if series == "line" { "normal" } else { "stacked" },
                "data": { "id": "1", "label": self.measure },
                "valueAxis": "ValueAxis-1",
                "drawLinesBetweenPoints": true,
                "lineWidth": 2,
                "showCircles": false,
                "interpolate": "linear",
            }],
            "addTooltip": true,
            "addLegend": self.has_legend,
            "legendPosition": "right",
            "times": [],
            "addTimeMarker": false,
            "labels": { "show": false },
            "thresholdLine": {
                "show": false, "value": 10, "width": 1, "style": "full", "color": "#E7664C",
            },
        })
    }
}
