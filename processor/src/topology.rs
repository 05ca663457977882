//! What the processor does, as stages: `ufo.raw` → clean → deltas by key → aggregate → `ufo.aggregates`.

use std::sync::Arc;
use std::time::Duration;

use domain::{Atlas, Topics};
use engine::log::{Kept, TopicSpec};
use engine::stage::{Stage, StageSpec};
use engine::state::Stores;

use crate::aggregate_stage::{self, AggregateStage};
use crate::clean_stage::{self, CleanStage};
use crate::metrics::RowMetrics;

/// Longer than any outage that is to be survived without reprocessing: readers have their own committed offsets.
const REPARTITION_KEPT: Duration = Duration::from_hours(7 * 24);

/// The two stages, for topics of `partitions` partitions each.
pub fn topology(topics: &Topics, partitions: u32) -> Vec<StageSpec> {
    topology_in(topics, partitions, &Stores::Memory)
}

/// [`topology`], with its state in `stores`.
pub fn topology_in(topics: &Topics, partitions: u32, stores: &Stores) -> Vec<StageSpec> {
    topology_with(topics, partitions, stores, RowMetrics::default())
}

/// [`topology_in`], with its rows counted.
pub(crate) fn topology_with(
    topics: &Topics,
    partitions: u32,
    stores: &Stores,
    metrics: RowMetrics,
) -> Vec<StageSpec> {
    let topic = |name: String, kept: Kept| TopicSpec { name, partitions, kept };
    let raw = topic(topics.raw(), Kept::Forever);
    let deltas = topic(topics.aggregates_repartition(), Kept::For(REPARTITION_KEPT));
    let seen = topic(topics.seen_changelog(), Kept::Forever);
    let aggregates = topic(topics.aggregates(), Kept::Compacted);
    let windows = topic(topics.windows_changelog(), Kept::Compacted);

    let mut outputs = vec![raw.clone(); 4];
    outputs[clean_stage::SIGHTINGS] = topic(topics.sightings(), Kept::Forever);
    outputs[clean_stage::REJECTS] = topic(topics.rejects(), Kept::Forever);
    outputs[clean_stage::DELTAS] = deltas.clone();
    outputs[clean_stage::SEEN] = seen.clone();

    let (clean_stores, aggregate_stores) = (stores.clone(), stores.clone());
    let atlas = Arc::new(Atlas::new());
    let raw_topic: Arc<str> = raw.name.as_str().into();
    let clean = StageSpec {
        name: "clean",
        input: raw,
        outputs,
        changelogs: vec![seen],
        make: Box::new(move |partition, committed| {
            let store = clean_stores.open("clean", partition, committed)?;
            let (raw_topic, atlas, metrics) = (raw_topic.clone(), atlas.clone(), metrics.clone());
            let stage = CleanStage::new(partition, partitions, raw_topic, atlas, metrics, store)?;
            Ok(Box::new(stage) as Box<dyn Stage>)
        }),
    };

    let mut outputs = vec![deltas.clone(); 2];
    outputs[aggregate_stage::AGGREGATES] = aggregates.clone();
    outputs[aggregate_stage::WINDOWS] = windows.clone();
    let mut changelogs = vec![deltas.clone(); 2];
    changelogs[aggregate_stage::WINDOWS_CHANGELOG] = windows;
    changelogs[aggregate_stage::AGGREGATES_CHANGELOG] = aggregates;
    let aggregate = StageSpec {
        name: "aggregate",
        input: deltas,
        outputs,
        changelogs,
        make: Box::new(move |partition, committed| {
            let store = aggregate_stores.open("aggregate", partition, committed)?;
            Ok(Box::new(AggregateStage::new(partition, partitions, store)?) as Box<dyn Stage>)
        }),
    };
    vec![clean, aggregate]
}
