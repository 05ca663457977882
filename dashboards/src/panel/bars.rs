//! Bars, standing or lying, each perhaps stacked.

use super::Panel;
use super::agg::{Along, Measure};
use super::xy::Axes;
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Standing,
    Lying,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    /// Where the first bar would leave nothing of the others.
    Logarithmic,
}

#[derive(Clone, Copy, Debug)]
pub struct Bars {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    pub measure: Measure,
    pub along: Along,
    /// Each bar in parts.
    pub parts: Option<Along>,
    pub direction: Direction,
    pub scale: Scale,
}

impl From<Bars> for Panel {
    fn from(bars: Bars) -> Self {
        let is_lying = bars.direction == Direction::Lying;
        let kind = if is_lying { "horizontal_bar" } else { "histogram" };
        let axes = Axes {
            kind,
            along: bars.along.label(),
            measure: bars.measure.label(),
            is_lying,
            scale: match bars.scale {
                Scale::Linear => "linear",
                Scale::Logarithmic => "log",
            },
            has_legend: bars.parts.is_some(),
        };
        let mut aggs = vec![bars.measure.agg(1), bars.along.agg(2, "segment", 1)];
        aggs.extend(bars.parts.map(|parts| parts.agg(3, "group", 1)));
        Panel::new(bars.id, bars.title, kind, axes.params()).asking(bars.data, aggs)
    }
}
