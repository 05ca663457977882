//! Pies: parts of a whole.

use serde_json::json;

use super::Panel;
use super::agg::{Along, Measure};
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug)]
pub struct Pie {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    pub measure: Measure,
    pub along: Along,
}

impl From<Pie> for Panel {
    fn from(pie: Pie) -> Self {
        let params = json!({
            "type": "pie",
            "addTooltip": true,
            "addLegend": true,
            "legendPosition": "right",
            "isDonut": true,
            "labels": { "show": true, "values": true, "last_level": true, "truncate": 100 },
        });
        let mut segment = pie.along.agg(2, "segment", 1);
        // Without it the rest of the whole would be left out.
        segment["params"]["otherBucket"] = true.into();
        Panel::new(pie.id, pie.title, "pie", params).asking(pie.data, vec![pie.measure.agg(1), segment])
    }
}
