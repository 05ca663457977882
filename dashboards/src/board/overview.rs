//! *Overview*: how many, how long, where, when and what, all over the world.

use super::{ALL_YEARS, Board, COLUMNS, row};
use crate::Options;
use crate::data_view::DataView::Sightings;
use crate::panel::{
    Along, Bars, Control, Direction, Lines, Measure, Panel, Pie, Scale, Spec, Table, TagCloud, controls,
    markdown, metric, vega,
};

const HEAD: &str = "\
**UFO sightings**, reported to NUFORC. Choose a country, a shape, years, or a time range above; click on a bar to filter.

Times are the local civil times of the reports, shown as they are (Kibana's time zone is set to UTC for that). Durations are \
what people wrote: a few implausible ones, over seven days, carry most of the total time. The two panels *exact, all data* show \
the pipeline's aggregates, which no control and no time range changes.";

const COUNTRY: Along = Along::Top { field: "country", size: 15, label: "country" };

pub(super) fn board(options: &Options) -> Board {
    Board {
        id: "overview",
        title: "UFO: Overview",
        description: "How many sightings, how long, where, when and what",
        filters: Vec::new(),
        time: ALL_YEARS,
        rows: vec![
            row(7, [(24, markdown("overview-head", "About the overview", HEAD).untitled()), (24, chosen())]),
            row(7, [(COLUMNS, figures())]),
            row(16, [(24, longest()), (24, count())]),
            row(
                18,
                [
                    (24, total()),
                    (
                        24,
                        vega(
                            "rank",
                            "Total time by country with its rank (exact, all data)",
                            Spec::Rank,
                            options,
                        ),
                    ),
                ],
            ),
            row(16, [(COLUMNS, countries())]),
            row(24, [(COLUMNS, vega("world", "Where (grid of about 150 km)", Spec::World, options))]),
            row(
                20,
                [
                    (24, cities()),
                    (24, vega("places", "Likeliest places (exact, all data)", Spec::Places, options)),
                ],
            ),
            row(16, [(24, months()), (24, shapes())]),
            row(16, [(COLUMNS, timeline())]),
        ],
    }
}

fn chosen() -> Panel {
    let all = [
        Control::List { field: "country", label: "Country" },
        Control::List { field: "shape", label: "Shape" },
        Control::Range { field: "year", label: "Years" },
    ];
    controls("overview-controls", "Country, shape, years", Sightings, &all).untitled()
}

fn figures() -> Panel {
    let measures = [
        Measure::count("sightings"),
        Measure::distinct("country", "countries (unknown is one)"),
        Measure::max("duration_ms", "longest sighting"),
        Measure::sum("duration_ms", "total time"),
        Measure::min("occurred_at", "first"),
        Measure::max("occurred_at", "last"),
    ];
    metric("figures", "All that is chosen", Sightings, &measures)
}

fn longest() -> Panel {
    Panel::from(Bars {
        id: "longest-by-country",
        title: "Longest sighting by country (logarithmic)",
        data: Sightings,
        measure: Measure::max("duration_ms", "longest sighting"),
        along: COUNTRY,
        parts: None,
        direction: Direction::Lying,
        scale: Scale::Logarithmic,
    })
}

fn count() -> Panel {
    Panel::from(Pie {
        id: "count-by-country",
        title: "Sightings by country",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "country", size: 6, label: "country" },
    })
}

fn total() -> Panel {
    Panel::from(Bars {
        id: "total-by-country",
        title: "Total time by country (logarithmic)",
        data: Sightings,
        measure: Measure::sum("duration_ms", "total time"),
        along: COUNTRY,
        parts: None,
        direction: Direction::Lying,
        scale: Scale::Logarithmic,
    })
}

fn countries() -> Panel {
    Panel::from(Table {
        id: "countries",
        title: "Countries, by total time",
        data: Sightings,
        measures: &[
            Measure::sum("duration_ms", "total time"),
            Measure::count("sightings"),
            Measure::max("duration_ms", "longest sighting"),
            Measure::mean("duration_ms", "mean"),
        ],
        rows: &[Along::Top { field: "country", size: 300, label: "country" }],
        has_totals: true,
    })
}

fn cities() -> Panel {
    Panel::from(Bars {
        id: "cities",
        title: "Likeliest cities, by state",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "city", size: 20, label: "city" },
        parts: Some(Along::Top { field: "state", size: 5, label: "state" }),
        direction: Direction::Lying,
        scale: Scale::Linear,
    })
}

fn months() -> Panel {
    Panel::from(Bars {
        id: "months",
        title: "Months, by the season of the hemisphere",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Each { field: "month", size: 12, label: "month" },
        parts: Some(Along::Top { field: "season", size: 5, label: "season" }),
        direction: Direction::Standing,
        scale: Scale::Linear,
    })
}

fn shapes() -> Panel {
    Panel::from(TagCloud {
        id: "shapes",
        title: "Shapes",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Top { field: "shape", size: 30, label: "shape" },
    })
}

fn timeline() -> Panel {
    Panel::from(Lines {
        id: "timeline",
        title: "Sightings by year",
        data: Sightings,
        measure: Measure::count("sightings"),
        along: Along::Time { field: "occurred_at", step: "y", label: "year" },
        each: Some(Along::Top { field: "country", size: 6, label: "country" }),
    })
}
