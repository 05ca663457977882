//! *Domestic*: one country, when and where to look up.

use super::{ALL_YEARS, Board, COLUMNS, row};
use crate::Options;
use crate::data_view::DataView::Sightings;
use crate::filter::Filter;
use crate::panel::{
    Along, Bars, Control, Direction, HeatMap, Lines, Measure, Panel, Pie, Scale, Spec, Table, controls,
    markdown, metric, vega,
};

pub(super) fn board(options: &Options) -> Board {
    let head = format!(
        "**One country**: when and where. It is the filter `country` at the top, first set to `{}`: edit the filter to look at \
         another one, or import the dashboards again with `--home`. Times are local civil times.",
        options.home()
    );
    Board {
        id: "domestic",
        title: "UFO: Domestic",
        description: "When and where in the home country",
        filters: vec![Filter::new("country", options.home())],
        time: ALL_YEARS,
        rows: vec![
            row(7, [(24, markdown("domestic-head", "About one country", head).untitled()), (24, chosen())]),
            row(6, [(COLUMNS, figures())]),
            row(16, [(28, hours()), (20, by_hour())]),
            row(16, [(24, months()), (24, years())]),
            row(24, [(28, vega("region", "Where", Spec::Region, options)), (20, places())]),
            row(16, [(24, states()), (24, shapes())]),
        ],
    }
}

fn chosen() -> Panel {
    let all = [
        Control::List { field: "state", label: "State" },
        Control::List { field: "shape", label: "Shape" },
        Control::Range { field: "year", label: "Years" },
    ];
    controls("domestic-controls", "State, shape, years", Sightings, &all).untitled()
}

fn figures() -> Panel {
    let measures = [
        Measure::count("sightings"),
        Measure::distinct("city", "cities"),
        Measure::max("duration_ms", "longest sighting"),
        Measure::sum("duration_ms", "total time"),
    ];
    metric("domestic-figures", "The home country", Sightings, &measures)
}

fn hours() -> Panel {
    Panel::from(HeatMap {
        id: "hours",
        title: "When to look up",
        data: Sightings,
        measure: Measure::count("sightings"),
        columns: Along::Each { field: "hour", size: 24, label: "hour" },
        rows: Along::Each { field: "weekday", size: 7, label: "weekday (1 is Monday)" },
    })
}

fn by_hour() -> Panel {
    Panel::from(Bars {
        id: "by-hour",
        title: "Hours of the day",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Each { field: "hour", size: 24, label: "hour" },
        parts: None,
        direction: Direction::Standing,
        scale: Scale::Linear,
    })
}

fn months() -> Panel {
    Panel::from(Bars {
        id: "domestic-months",
        title: "Months, by season",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Each { field: "month", size: 12, label: "month" },
        parts: Some(Along::Top { field: "season", size: 5, label: "season" }),
        direction: Direction::Standing,
        scale: Scale::Linear,
    })
}

fn years() -> Panel {
    Panel::from(Lines {
        id: "domestic-years",
        title: "Sightings by year",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Time { field: "occurred_at", step: "y", label: "year" },
        each: None,
    })
}

fn places() -> Panel {
    Panel::from(Table {
        id: "domestic-places",
        title: "Likeliest places",
        data: Sightings,
        measures: &[
            Measure::count("sightings"),
            Measure::max("duration_ms", "longest"),
            Measure::max("occurred_at", "last"),
        ],
        rows: &[
            Along::Top { field: "city", size: 50, label: "city" },
            Along::Top { field: "state", size: 3, label: "state" },
        ],
        has_totals: false,
    })
}

fn states() -> Panel {
    Panel::from(Bars {
        id: "states",
        title: "States",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "state", size: 20, label: "state" },
        parts: None,
        direction: Direction::Lying,
        scale: Scale::Linear,
    })
}

fn shapes() -> Panel {
    Panel::from(Pie {
        id: "domestic-shapes",
        title: "Shapes",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "shape", size: 12, label: "shape" },
    })
}
