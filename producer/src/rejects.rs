//! What was rejected: found, shown, and what may be sent again. docs/rejects.md says what helps against which code.

mod plan;
mod repair;
mod select;
mod show;

use std::ops::ControlFlow;

use domain::Reject;
use domain::wire::{WireError, decode_reject};
use engine::log::{Log, LogError};
use engine::record::{NextOffset, Partition};
use service::exit::{Code, Exit};

use crate::writer::Target;

pub use self::plan::{Plan, plan};
pub use self::repair::{Edited, RepairError, Repairs};
pub use self::select::{Selection, Time};
pub use self::show::{details, line, row};

#[derive(Debug, thiserror::Error)]
pub enum RejectsError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the record {partition}:{offset} of {topic} is no reject: was it written by another version?")]
    Record {
        topic: String,
        partition: Partition,
        offset: u64,
        #[source]
        source: WireError,
    },
}

impl From<RejectsError> for Exit {
    fn from(error: RejectsError) -> Self {
        match error {
            RejectsError::Log(error) => error.into(),
            RejectsError::Record { .. } => Self::from_error(Code::BadData, error),
        }
    }
}

/// Hands out the rejects that are selected, partition by partition, each in the order of its offsets, with the bytes of their
/// records; those that were there at the beginning.
pub fn each<L: Log>(
    log: &L,
    target: &Target,
    selection: &Selection,
    each: &mut dyn FnMut(&Reject<'_>, &[u8]) -> ControlFlow<()>,
) -> Result<(), RejectsError> {
    let topic = target.topics.rejects();
    for (partition, end) in (0..).map(Partition).zip(log.ends(&topic)?) {
        let mut found = Ok(ControlFlow::Continue(()));
        log.read(&topic, partition, NextOffset::START, end, &mut |record| {
            let value = record.value.unwrap_or_default();
            found = match decode_reject(value) {
                Ok(reject) if selection.takes(&reject) => Ok(each(&reject, value)),
                Ok(_) => Ok(ControlFlow::Continue(())),
                Err(source) => {
                    let (topic, offset) = (topic.clone(), record.offset);
                    Err(RejectsError::Record { topic, partition, offset, source })
                }
            };
            match found {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if found?.is_break() {
            break;
        }
    }
    Ok(())
}
