//! The ledger's table: what was compared, and the first difference of each comparison.

use std::collections::BTreeSet;
use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use domain::SightingId;
use service::exit::{Code, Exit};

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub expected: String,
    pub found: String,
    /// What differs first; `None` where nothing does.
    pub difference: Option<String>,
}

/// All comparisons, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.first_difference().is_none()
    }

    pub fn first_difference(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.difference.is_some())
    }

    /// The end of a process that has shown this report.
    pub fn verdict(&self) -> Result<(), Exit> {
        self.first_difference().map_or(Ok(()), |check| {
            let difference = check.difference.as_deref().unwrap_or_default();
            Err(Exit::new(Code::Difference, format!("{}: {difference}", check.name)))
        })
    }

    pub(crate) fn check(
        &mut self,
        name: impl Into<String>,
        expected: String,
        found: String,
        difference: Option<String>,
    ) {
        self.checks.push(Check { name: name.into(), expected, found, difference });
    }

    pub(crate) fn equal(&mut self, name: impl Into<String>, expected: u64, found: u64) {
        let difference = (expected != found).then(|| format!("expected {expected}, found {found}"));
        self.check(name, expected.to_string(), found.to_string(), difference);
    }

    pub(crate) fn same_ids(
        &mut self,
        name: impl Into<String>,
        expected: &BTreeSet<SightingId>,
        found: &BTreeSet<SightingId>,
    ) {
        let missing = expected.difference(found).next().map(|id| format!("{id} is missing"));
        let difference = missing
            .or_else(|| found.difference(expected).next().map(|id| format!("{id} should not be there")));
        self.check(name, expected.len().to_string(), found.len().to_string(), difference);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["ledger", "expected", "found", ""]);
        for check in &self.checks {
            let verdict = check.difference.as_deref().unwrap_or("ok");
            table.add_row([&check.name, &check.expected, &check.found, verdict]);
        }
        for index in [1, 2] {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        write!(f, "{table}")
    }
}
