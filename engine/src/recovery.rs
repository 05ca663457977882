//! What to do when a step of a transaction fails: a pure function of the facts.

use std::time::Duration;

use crate::log::Failure;

/// The step of a transaction that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Begin,
    Send,
    SendOffsets,
    Commit,
    Abort,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Make the same call again, after a pause.
    RetryCall,
    /// Abort, drop pending state, read again from the last commit.
    AbortAndRewind,
    /// Drop the producer, make a new one with the same id, restore state, read again from what the log says is committed.
    RecreateAndRewind,
    /// Stop with the error: whoever supervises the process starts it again.
    Exit,
}

/// Decides. `elapsed` is how long the step has been tried for, `limit` how long it may be.
pub fn recovery(step: Step, failure: Failure, elapsed: Duration, limit: Duration) -> Recovery {
    match (step, failure) {
        (_, Failure::Fenced | Failure::Unknown) => Recovery::Exit,
        // A commit or abort in doubt may still land: only a new producer epoch makes the answer certain.
        (Step::Commit | Step::Abort, Failure::Retriable) => Recovery::RecreateAndRewind,
        (Step::Begin | Step::Send | Step::SendOffsets, Failure::Retriable) if elapsed >= limit => {
            Recovery::RecreateAndRewind
        }
        (Step::Begin | Step::Send | Step::SendOffsets, Failure::Retriable) => Recovery::RetryCall,
        // There is nothing here that could be aborted (again).
        (Step::Begin | Step::Abort, Failure::Abortable) => Recovery::RecreateAndRewind,
        (Step::Send | Step::SendOffsets | Step::Commit, Failure::Abortable) => Recovery::AbortAndRewind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn fenced_and_unknown_always_exit() {
        for step in [Step::Begin, Step::Send, Step::SendOffsets, Step::Commit, Step::Abort] {
            for failure in [Failure::Fenced, Failure::Unknown] {
                assert_eq!(recovery(step, failure, Duration::ZERO, LIMIT), Recovery::Exit);
            }
        }
    }

    #[test]
    fn a_commit_or_abort_in_doubt_needs_a_new_producer() {
        for step in [Step::Commit, Step::Abort] {
            assert_eq!(
                recovery(step, Failure::Retriable, Duration::ZERO, LIMIT),
                Recovery::RecreateAndRewind
            );
        }
    }

    #[test]
    fn other_steps_are_retried_until_the_limit() {
        for step in [Step::Begin, Step::Send, Step::SendOffsets] {
            assert_eq!(recovery(step, Failure::Retriable, Duration::ZERO, LIMIT), Recovery::RetryCall);
            assert_eq!(recovery(step, Failure::Retriable, LIMIT, LIMIT), Recovery::RecreateAndRewind);
        }
    }

    #[test]
    fn what_can_be_aborted_is() {
        for step in [Step::Send, Step::SendOffsets, Step::Commit] {
            assert_eq!(recovery(step, Failure::Abortable, Duration::ZERO, LIMIT), Recovery::AbortAndRewind);
        }
        for step in [Step::Begin, Step::Abort] {
            assert_eq!(
                recovery(step, Failure::Abortable, Duration::ZERO, LIMIT),
                Recovery::RecreateAndRewind
            );
        }
    }
}
