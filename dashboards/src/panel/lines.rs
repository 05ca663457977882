//! Lines over time, one for each value of a field.

use super::Panel;
use super::agg::{Along, Measure};
use super::xy::Axes;
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug)]
pub struct Lines {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    pub measure: Measure,
    pub along: Along,
    pub each: Option<Along>,
}

impl From<Lines> for Panel {
    fn from(lines: Lines) -> Self {
        let axes = Axes {
            kind: "line",
            along: lines.along.label(),
            measure: lines.measure.label(),
            is_lying: false,
            scale: "linear",
            has_legend: lines.each.is_some(),
        };
        let mut aggs = vec![lines.measure.agg(1), lines.along.agg(2, "segment", 1)];
        aggs.extend(lines.each.map(|each| each.agg(3, "group", 1)));
        Panel::new(lines.id, lines.title, "line", axes.params()).asking(lines.data, aggs)
    }
}
