//! How a process ends: one message that says what to do, and an exit code that a script can test.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a process ends without having done its work. The numbers are those of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The ledger found a difference.
    Difference = 1,
    Usage = 64,
    /// The input is not what it should be.
    BadData = 65,
    NoInput = 66,
    /// A server does not answer.
    Unavailable = 69,
    /// A fault of ours.
    Software = 70,
    /// A disk that is full or cannot be written.
    Io = 74,
    /// Not everything was finished in the time given to stop.
    NotDrained = 75,
    Denied = 77,
    Config = 78,
}

/// The end of a process that failed.
#[derive(Debug)]
pub struct Exit {
    code: Code,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Exit {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), source: None }
    }

    /// An error's own message, with its causes.
    pub fn from_error(code: Code, error: impl Error + Send + Sync + 'static) -> Self {
        Self { code, message: error.to_string(), source: cause_of(&error) }
    }

    pub fn code(&self) -> Code {
        self.code
    }
}

/// The causes as text: an error cannot be taken out of another.
fn cause_of(error: &(dyn Error + 'static)) -> Option<Box<dyn Error + Send + Sync>> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    (!causes.is_empty()).then(|| causes.join("\n  caused by: ").into())
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(source) = &self.source {
            write!(f, "\n  caused by: {source}")?;
        }
        Ok(())
    }
}

/// What `main` returns: the message goes to standard error, the code to the shell.
#[expect(clippy::print_stderr, reason = "the last word of a process, also when its logs are switched off")]
pub fn code_of(result: Result<(), Exit>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            eprintln!("{exit}");
            ExitCode::from(exit.code as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write the lake")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_told_once() {
        let exit = Exit::from_error(Code::Io, Outer(std::io::Error::other("no space left")));
        assert_eq!(exit.to_string(), "error: cannot write the lake\n  caused by: no space left");
        assert_eq!(exit.code() as u8, 74);
    }
}
