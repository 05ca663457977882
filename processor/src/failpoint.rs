//! Dies at a moment that was asked for: `UFO_FAILPOINT=STAGE:MOMENT:N` ends the process, as a crash does, when the stage's
//! workers come to that moment for the N-th time. Only for the fault suite, behind the feature `failpoints`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::observer::Moment;

struct Failpoint {
    stage: String,
    moment: String,
    left: AtomicU32,
}

/// Does not return where the process is to die here.
pub(crate) fn pass(stage: &str, moment: &Moment) {
    static ASKED: OnceLock<Option<Failpoint>> = OnceLock::new();
    let Some(failpoint) = ASKED.get_or_init(asked) else { return };
    if failpoint.stage == stage
        && failpoint.moment == name(moment)
        && failpoint.left.fetch_sub(1, Ordering::AcqRel) == 1
    {
        // No destructor runs, nothing is flushed, nobody is told.
        std::process::abort();
    }
}

fn asked() -> Option<Failpoint> {
    let asked = std::env::var("UFO_FAILPOINT").ok()?;
    let mut parts = asked.split(':').map(str::to_owned);
    let (stage, moment) = (parts.next()?, parts.next()?);
    let left = AtomicU32::new(parts.next()?.parse().ok()?);
    Some(Failpoint { stage, moment, left })
}

fn name(moment: &Moment) -> &'static str {
    match moment {
        Moment::Assigned { .. } => "assigned",
        Moment::Revoked { .. } => "revoked",
        Moment::Restoring { .. } => "restoring",
        Moment::Restored { .. } => "restored",
        Moment::Started { .. } => "started",
        Moment::Consumed { .. } => "consumed",
        Moment::Flushed => "flushed",
        Moment::OffsetsSent => "offsets_sent",
        Moment::Committed { .. } => "committed",
        Moment::Failed { .. } => "failed",
        Moment::Late { .. } => "late",
    }
}
