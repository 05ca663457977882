//! *Pipeline*: what arrives, what is refused, what had to be repaired.

use sink::index::Kind;

use super::{Board, COLUMNS, row};
use crate::Options;
use crate::data_view::DataView::{AllSightings, Rejects};
use crate::panel::{Along, Bars, Direction, Measure, Panel, Pie, Scale, Table, TimeSeries, markdown, metric};

/// Arrivals and rejects have the time at which a row was sent, not that of the sighting.
const LAST_DAY: (&str, &str) = ("now-24h", "now");

const HEAD: &str = "\
**The pipeline**. *Arrivals* and *rejects per minute* follow the time range above, which is about the time when rows were \
sent; everything else counts all that is indexed.

**Duplicates and lag are not in the indexes**: a duplicate leaves no document, and how far behind a reader is, no document knows. \
Look at the board in Grafana (`docker compose --profile observe up`), at `/metrics` of each program (`--listen`), or ask \
`verify` for the ledger, which counts duplicates exactly.";

pub(super) fn board(options: &Options) -> Board {
    let arrivals = TimeSeries {
        id: "arrivals",
        title: "Arrivals per minute, by country (time range)",
        index: Kind::Aggregates,
        time_field: "minute",
        sum: Some("count"),
        each: "country",
        view: Some("arrivals"),
    };
    let rejects = TimeSeries {
        id: "rejects",
        title: "Rejects per minute, by code (time range)",
        index: Kind::Rejects,
        time_field: "rejected_at",
        sum: None,
        each: "code",
        view: None,
    };
    Board {
        id: "pipeline",
        title: "UFO: Pipeline",
        description: "What arrives, what is refused, what was repaired",
        filters: Vec::new(),
        time: LAST_DAY,
        rows: vec![
            row(
                8,
                [
                    (24, markdown("pipeline-head", "About the pipeline", HEAD).untitled()),
                    (12, indexed()),
                    (12, rejected()),
                ],
            ),
            row(16, [(COLUMNS, arrivals.panel(options))]),
            row(16, [(24, rejects.panel(options)), (24, by_code())]),
            row(16, [(24, repairs()), (24, countries())]),
            row(14, [(COLUMNS, reject_table())]),
        ],
    }
}

fn indexed() -> Panel {
    let measures = [Measure::count("sightings"), Measure::max("posted_on", "last posted")];
    metric("indexed", "Indexed", AllSightings, &measures)
}

fn rejected() -> Panel {
    let measures = [Measure::count("rejects"), Measure::max("rejected_at", "last")];
    metric("rejected", "Rejected", Rejects, &measures)
}

fn by_code() -> Panel {
    Panel::from(Bars {
        id: "rejects-by-code",
        title: "Rejects by code",
        data: Rejects,
        measure: Measure::count("rejects"),
        along: Along::Top { field: "code", size: 10, label: "code" },
        parts: Some(Along::Top { field: "stage", size: 3, label: "stage" }),
        direction: Direction::Lying,
        scale: Scale::Linear,
    })
}

fn repairs() -> Panel {
    Panel::from(Bars {
        id: "repairs",
        title: "Repairs and doubts, by kind (logarithmic)",
        data: AllSightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "quality", size: 20, label: "kind" },
        parts: None,
        direction: Direction::Lying,
        scale: Scale::Logarithmic,
    })
}

fn countries() -> Panel {
    Panel::from(Pie {
        id: "country-source",
        title: "Where the country is known from",
        data: AllSightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "country_source", size: 5, label: "known from" },
    })
}

fn reject_table() -> Panel {
    Panel::from(Table {
        id: "reject-table",
        title: "Where rejects came from",
        data: Rejects,
        measures: &[
            Measure::count("rejects"),
            Measure::min("rejected_at", "first"),
            Measure::max("rejected_at", "last"),
            Measure::max("offset", "last offset"),
        ],
        rows: &[
            Along::Top { field: "code", size: 10, label: "code" },
            Along::Top { field: "topic", size: 5, label: "topic" },
            Along::Top { field: "partition", size: 50, label: "partition" },
        ],
        has_totals: false,
    })
}
