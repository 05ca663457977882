//! Tag clouds: the more, the larger.

use serde_json::json;

use super::Panel;
use super::agg::{Along, Measure};
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug)]
pub struct TagCloud {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    pub measure: Measure,
    pub along: Along,
}

impl From<TagCloud> for Panel {
    fn from(cloud: TagCloud) -> Self {
        let params = json!({
            "scale": "square root",
            "orientation": "single",
            "minFontSize": 14,
            "maxFontSize": 60,
            "showLabel": false,
        });
        let aggs = vec![cloud.measure.agg(1), cloud.along.agg(2, "segment", 1)];
        Panel::new(cloud.id, cloud.title, "tagcloud", params).asking(cloud.data, aggs)
    }
}
