//! Tables: one row for each combination of values, numbers beside it.

use serde_json::json;

use super::Panel;
use super::agg::{Along, Measure};
use crate::data_view::DataView;

#[derive(Clone, Debug)]
pub struct Table<'a> {
    pub id: &'static str,
    pub title: &'static str,
    pub data: DataView,
    /// The first is the one that rows are chosen and sorted by.
    pub measures: &'a [Measure],
    pub rows: &'a [Along],
    /// The sum of each column, below.
    pub has_totals: bool,
}

impl From<Table<'_>> for Panel {
    fn from(table: Table<'_>) -> Self {
        let params = json!({
            "perPage": 15,
            "showPartialRows": false,
            "showMetricsAtAllLevels": false,
            "sort": { "columnIndex": null, "direction": null },
            "showTotal": table.has_totals,
            "totalFunc": "sum",
            "percentageCol": "",
        });
        let measures = table.measures.iter().zip(1..).map(|(measure, id)| measure.agg(id));
        let first_row = table.measures.len() + 1;
        let rows = table.rows.iter().zip(first_row..).map(|(row, id)| row.agg(id, "bucket", 1));
        Panel::new(table.id, table.title, "table", params).asking(table.data, measures.chain(rows).collect())
    }
}
