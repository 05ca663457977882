//! Vega: what the classic types cannot draw. The drawings are the files in `specs/`.

use serde_json::{Value, json};
use sink::index::Kind;

use super::Panel;
use crate::Options;

/// Coast lines of Natural Earth 1:110m (public domain), simplified, as TopoJSON: no tile server is asked.
const LAND: &str = include_str!("../../specs/land.json");

/// The drawings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spec {
    /// The sightings on a map that shows the world at first.
    World,
    /// The same map, which shows the busiest region at first.
    Region,
    /// Total time by country with its rank, all countries together above it.
    Rank,
    /// The places with the most sightings.
    Places,
}

impl Spec {
    fn source(self) -> &'static str {
        match self {
            Self::World | Self::Region => include_str!("../../specs/map.json"),
            Self::Rank => include_str!("../../specs/rank.json"),
            Self::Places => include_str!("../../specs/places.json"),
        }
    }

    /// With the names of this pipeline's indexes.
    fn written(self, options: &Options) -> Value {
        let mut source = self.source().to_owned();
        for kind in Kind::ALL {
            source = source.replace(&format!("{{{}}}", kind.name()), &options.names().alias(kind));
        }
        let mut spec = parsed(&source);
        for data in spec["data"].as_array_mut().into_iter().flatten() {
            if data["name"] == "land" {
                data["values"] = parsed(LAND);
            }
        }
        if self == Self::Region {
            spec["signals"][0]["value"] = spec["signals"][0]["bind"]["options"][1].clone();
        }
        spec
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the files in specs/ are JSON, as every test sees")
}

pub fn vega(id: &'static str, title: &str, spec: Spec, options: &Options) -> Panel {
    Panel::new(id, title, "vega", json!({ "spec": spec.written(options).to_string() }))
}
