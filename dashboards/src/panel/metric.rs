//! Plain numbers, side by side.

use serde_json::json;

use super::Panel;
use super::agg::Measure;
use crate::data_view::DataView;

pub fn metric(id: &'static str, title: &str, data: DataView, measures: &[Measure]) -> Panel {
    let params = json!({
        "type": "metric",
        "addTooltip": true,
        "addLegend": false,
        "metric": {
            "percentageMode": false,
            "useRanges": false,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{ "from": 0, "to": 10000 }],
            "invertColors": false,
            "labels": { "show": true },
            "style": {
                "bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 28,
            },
        },
    });
    let aggs = measures.iter().zip(1..).map(|(measure, id)| measure.agg(id)).collect();
    Panel::new(id, title, "metric", params).asking(data, aggs)
}
