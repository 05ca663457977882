//! How the engine's errors end a process.

use engine::TaskError;
use engine::log::{Cause, LogError};

use crate::exit::{Code, Exit};

impl From<LogError> for Exit {
    fn from(error: LogError) -> Self {
        let code = match error.cause {
            Cause::Unreachable => Code::Unavailable,
            Cause::Denied => Code::Denied,
            Cause::Misfit => Code::Config,
            Cause::Storage => Code::Io,
            Cause::Other => Code::Software,
        };
        Self::from_error(code, error)
    }
}

impl From<TaskError> for Exit {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Log(error) => error.into(),
            TaskError::State(error) => Self::from_error(Code::Software, error),
        }
    }
}
