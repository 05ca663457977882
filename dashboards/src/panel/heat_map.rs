//! Heat maps: a colour for each pair of values.

use serde_json::json;

use super::Panel;
use super::agg::{Along, Measure};
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug)]
pub struct HeatMap {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    pub measure: Measure,
    pub columns: Along,
    pub rows: Along,
}

impl From<HeatMap> for Panel {
    fn from(map: HeatMap) -> Self {
        let params = json!({
            "type": "heatmap",
            "addTooltip": true,
            "addLegend": true,
            "enableHover": true,
            "legendPosition": "right",
            "times": [],
            "colorsNumber": 8,
            "colorSchema": "Blues",
            "setColorRange": false,
            "colorsRange": [],
            "invertColors": false,
            "percentageMode": false,
            "valueAxes": [{
                "id": "ValueAxis-1",
                "type": "value",
                "show": false,
                "scale": { "type": "linear", "defaultYExtents": false },
                "labels": { "show": false, "rotate": 0, "overwriteColor": false, "color": "black" },
            }],
        });
        let aggs = vec![map.measure.agg(1), map.columns.agg(2, "segment", 1), map.rows.agg(3, "group", 1)];
        Panel::new(map.id, map.title, "heatmap", params).asking(map.data, aggs)
    }
}
