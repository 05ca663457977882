//! Time series (TSVB): rates over the time that a document itself has, whatever its data view says.

use serde_json::json;
use sink::index::Kind;

use super::Panel;
use crate::Options;

#[derive(Clone, Copy, Debug)]
pub struct TimeSeries {
    pub id: &'static str,
    pub title: &'static str,
    pub index: Kind,
    pub time_field: &'static str,
    /// The sum of this field; how many documents where there is none.
    pub sum: Option<&'static str>,
    /// One colour for each value of this field.
    pub each: &'static str,
    /// `view` has this value.
    pub view: Option<&'static str>,
}

impl TimeSeries {
    pub fn panel(self, options: &Options) -> Panel {
        let (counted, order_by) = match self.sum {
            Some(field) => (json!({ "id": "counted", "type": "sum", "field": field }), "counted"),
            None => (json!({ "id": "counted", "type": "count" }), "_count"),
        };
        // The steps grow with the time range: without it the numbers would, too.
        let per_minute = json!({
            "id": "per-minute",
            "type": "math",
            "script": "params.counted / params._interval * 60000",
            "variables": [{ "id": "variable", "name": "counted", "field": "counted" }],
        });
        let filter = self.view.map(|view| format!("view : \"{view}\"")).unwrap_or_default();
        let params = json!({
            "id": self.id,
            "type": "timeseries",
            "index_pattern": options.names().alias(self.index),
            "default_index_pattern": options.names().alias(self.index),
            "time_field": self.time_field,
            "default_timefield": self.time_field,
            // Never finer than the windows are; coarser where the time range is long.
            "interval": ">=1m",
            "time_range_mode": "entire_time_range",
            "drop_last_bucket": 0,
            "filter": { "query": filter, "language": "kuery" },
            "axis_position": "left",
            "axis_formatter": "number",
            "axis_scale": "normal",
            "axis_min": "0",
            "show_legend": 1,
            "show_grid": 1,
            "tooltip_mode": "show_all",
            "isModelInvalid": false,
            "series": [{
                "id": "series",
                "color": "#54B399",
                "split_mode": "terms",
                "split_color_mode": "kibana",
                "terms_field": self.each,
                "terms_size": "10",
                "terms_order_by": order_by,
                "metrics": [counted, per_minute],
                "chart_type": "bar",
                "stacked": "stacked",
                "fill": 0.8,
                "line_width": 1,
                "point_size": 1,
                "formatter": "number",
                "separate_axis": 0,
                "axis_position": "right",
            }],
        });
        Panel::new(self.id, self.title, "metrics", params)
    }
}
