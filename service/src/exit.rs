//! How a process ends: one message that says what to do, and an exit code that a script can test.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a process ends. The numbers are those of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Done, with nothing more to say (`--help`, `--check`, `--print`).
    Done = 0,
    /// The ledger found a difference.
    Difference = 1,
    /// A flag that is not known, or whose value is none.
    Usage = 64,
    /// The input is not what it should be.
    BadData = 65,
    /// There is no such input.
    NoInput = 66,
    /// A server is missing or does not answer.
    Unavailable = 69,
    /// A fault of ours.
    Software = 70,
    /// A disk that is full or cannot be written.
    Io = 74,
    /// Not everything was finished in the time given to stop.
    NotDrained = 75,
    /// A server does not take the credentials.
    Denied = 77,
    /// A setting from the environment or the settings file is wrong.
    Config = 78,
}

/// The end of a process: its code, what happened, and why, outermost cause first.
#[derive(Debug)]
pub struct Exit {
    code: Code,
    message: String,
    causes: Vec<String>,
}

impl Exit {
    /// The message is lower case, without a full stop, and says what to do.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), causes: Vec::new() }
    }

    /// Ends the process early and well.
    pub fn done() -> Self {
        Self::new(Code::Done, "")
    }

    /// An error's own message, with its causes.
    pub fn from_error(code: Code, error: impl Error + Send + Sync + 'static) -> Self {
        Self::new(code, error.to_string()).causes_of(&error)
    }

    /// A message of its own, with an error and that one's causes below it.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        self.cause(error.to_string());
        self.causes_of(error)
    }

    pub fn code(&self) -> Code {
        self.code
    }

    fn causes_of(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = error.source();
        while let Some(cause) = next {
            self.cause(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Libraries like to repeat their source's text in their own: what has been said is not said again.
    fn cause(&mut self, text: String) {
        let last = self.causes.last().unwrap_or(&self.message);
        if !last.ends_with(&text) {
            self.causes.push(text);
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(f, "\n  caused by: {cause}")?;
        }
        Ok(())
    }
}

/// Runs a program: what it ends with goes to standard error, its code to whoever started it.
pub fn main(start: impl FnOnce() -> Result<(), Exit>) -> ExitCode {
    ExitCode::from(report(start(), &mut io::stderr()) as u8)
}

fn report(result: Result<(), Exit>, out: &mut impl Write) -> Code {
    match result {
        Ok(()) => Code::Done,
        Err(exit) => {
            if exit.code != Code::Done {
                // Where standard error is closed the code still tells.
                let _ = writeln!(out, "{exit}");
            }
            exit.code
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write the lake")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write part 7: no space left")]
    struct Middle(#[source] io::Error);

    fn outer() -> Outer {
        Outer(Middle(io::Error::other("no space left")))
    }

    fn said(result: Result<(), Exit>) -> (u8, String) {
        let mut out = Vec::new();
        let code = report(result, &mut out);
        (code as u8, String::from_utf8(out).unwrap())
    }

    #[test]
    fn causes_are_told_once() {
        let exit = Exit::from_error(Code::Io, outer());
        let text = "error: cannot write the lake\n  caused by: cannot write part 7: no space left";
        assert_eq!(exit.to_string(), text);
        assert_eq!(exit.code(), Code::Io);
    }

    #[test]
    fn an_own_message_stands_above_the_error() {
        let exit = Exit::new(Code::Unavailable, "no lake: check --lake").caused_by(&outer());
        let text = "error: no lake: check --lake\n  caused by: cannot write the lake\n  caused by: cannot write part 7: no space left";
        assert_eq!(exit.to_string(), text);
    }

    #[test]
    fn the_end_is_told_with_its_code() {
        assert_eq!(
            said(Err(Exit::new(Code::NoInput, "no such file: a.csv"))),
            (66, "error: no such file: a.csv\n".into())
        );
        assert_eq!(said(Err(Exit::done())), (0, String::new()));
        assert_eq!(said(Ok(())), (0, String::new()));
    }

    #[test]
    fn codes_are_those_that_scripts_know() {
        let codes = [
            Code::Difference,
            Code::Usage,
            Code::BadData,
            Code::NoInput,
            Code::Unavailable,
            Code::Software,
            Code::Io,
            Code::NotDrained,
            Code::Denied,
            Code::Config,
        ];
        assert_eq!(codes.map(|code| code as u8), [1, 64, 65, 66, 69, 70, 74, 75, 77, 78]);
    }
}
