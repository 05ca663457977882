//! Controls above the panels: what is chosen becomes a filter of the whole dashboard.

use serde_json::{Value, json};

use super::Panel;
use crate::data_view::DataView;

#[derive(Clone, Copy, Debug)]
pub enum Control {
    /// Values to choose from; those of a text field are found by typing.
    List { field: &'static str, label: &'static str },
    /// From one number to another.
    Range { field: &'static str, label: &'static str },
}

pub fn controls(id: &'static str, title: &str, data: DataView, all: &[Control]) -> Panel {
    let reference = |number: usize| format!("control_{number}_index_pattern");
    let written = all.iter().enumerate().map(|(number, control)| control.json(number, &reference(number)));
    let params = json!({
        "controls": written.collect::<Vec<_>>(),
        "updateFiltersOnChange": true,
        "useTimeFilter": false,
        "pinFilters": false,
    });
    let mut panel = Panel::new(id, title, "input_control_vis", params);
    panel.further = (0..all.len()).map(|number| (reference(number), data)).collect();
    panel
}

impl Control {
    fn json(self, number: usize, reference: &str) -> Value {
        let (field, label, kind, options) = match self {
            Self::List { field, label } => {
                let options = json!({
                    "type": "terms", "multiselect": true, "dynamicOptions": true, "size": 30, "order": "desc",
                });
                (field, label, "list", options)
            }
            Self::Range { field, label } => (field, label, "range", json!({ "decimalPlaces": 0, "step": 1 })),
        };
        json!({
            "id": (number + 1).to_string(),
            "fieldName": field,
            "parent": "",
            "label": label,
            "type": kind,
            "options": options,
            "indexPatternRefName": reference,
        })
    }
}
