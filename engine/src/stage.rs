//! A stage of a topology: what a task does with the records of its partition. Pure: no I/O, no clock, no threads.

use crate::log::TopicSpec;
use crate::record::{NewRecord, NextOffset, Partition, Record};
use crate::state::StateError;

/// Where a stage writes. The index is that of [`StageSpec::outputs`].
pub trait Output {
    fn send(&mut self, output: usize, record: NewRecord<'_>);
}

/// The work of one partition of a stage's input, with its state. All that it writes between two commits is one
/// transaction: outputs, changelog and input offsets come to pass together or not at all.
pub trait Stage: Send {
    /// Handles one record. Must be a function of the record and the state, since it is repeated after a failure.
    fn handle(&mut self, record: Record<'_>, output: &mut dyn Output);

    /// Called before each commit: writes what was combined, and the changes of the state to its changelogs. Fails where
    /// the state could not be read meanwhile: nothing of the transaction is to be trusted then.
    fn flush(&mut self, output: &mut dyn Output) -> Result<(), StateError>;

    /// The transaction is committed: pending changes become state.
    fn committed(&mut self) -> Result<(), StateError>;

    /// The transaction is aborted: pending changes are forgotten.
    fn rolled_back(&mut self);

    /// Takes one record of a changelog, in order, before anything is handled. The index is that of
    /// [`StageSpec::changelogs`]: one is read to its end before the next begins.
    fn restore(&mut self, changelog: usize, record: Record<'_>) -> Result<(), StateError>;

    /// The state is whole already, since it lies on disk: no changelog has to be read.
    fn is_restored(&self) -> bool {
        false
    }

    /// The changelogs have been read.
    fn restored(&mut self) -> Result<(), StateError> {
        Ok(())
    }

    /// Records of committed transactions that came too late for their window, since this was asked last.
    fn take_late(&mut self) -> u64 {
        0
    }

    /// Bytes held for the open transaction; a commit follows when they pass the limit.
    fn pending_bytes(&self) -> usize;

    /// Whether the state lies on disk: a task whose partition is given back is closed then, and opened again if it
    /// comes back.
    fn is_on_disk(&self) -> bool {
        false
    }

    /// Called when the task ends with nothing pending: a store on disk notes that it is whole as of this position.
    fn close(&mut self, _committed: NextOffset) -> Result<(), StateError> {
        Ok(())
    }
}

/// Makes the stage of one partition, whose input goes on at this position, with empty (or what the disk holds of its)
/// state.
pub type MakeStage = Box<dyn Fn(Partition, NextOffset) -> Result<Box<dyn Stage>, StateError> + Send + Sync>;

/// One stage of a topology: an input topic read by a consumer group of its own.
pub struct StageSpec {
    pub name: &'static str,
    pub input: TopicSpec,
    /// What the stage writes to, changelogs included.
    pub outputs: Vec<TopicSpec>,
    /// The topics that state is restored from, by partition, in this order.
    pub changelogs: Vec<TopicSpec>,
    pub make: MakeStage,
}

impl StageSpec {
    /// Every topic of the stage.
    pub fn topics(&self) -> impl Iterator<Item = &TopicSpec> {
        std::iter::once(&self.input).chain(&self.outputs).chain(&self.changelogs)
    }
}
