//! What every program can write about itself: completions for shells, and its page of the manual.

use std::ffi::{OsStr, OsString};

use clap::builder::EnumValueParser;
use clap::{Arg, ArgAction, Command, ValueEnum};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::exit::{Code, Exit};

const COMPLETIONS: &str = "completions";
const MAN: &str = "man";

/// The flags in `--help`. They stand alone and are read by [`asked`]: no other flag needs to be right for them.
pub(super) fn flagged(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).help_heading("Process").hide_env(true).exclusive(true)
    };
    let completions =
        flag(COMPLETIONS, "Write the completions of this program for a shell: bash, zsh, fish, …")
            .value_name("SHELL")
            .hide_possible_values(true)
            .value_parser(EnumValueParser::<Shell>::new());
    let man = flag(MAN, "Write the manual page of this program (roff)").action(ArgAction::SetTrue);
    command.arg(completions).arg(man)
}

/// The text, where the first argument asks for one.
pub(super) fn asked(command: &mut Command, arguments: &[OsString]) -> Option<Result<String, Exit>> {
    let first = arguments.get(1).and_then(|argument| argument.to_str())?.strip_prefix("--")?;
    let (name, given) = match first.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (first, arguments.get(2).and_then(|value| OsStr::to_str(value))),
    };
    match name {
        COMPLETIONS => Some(completions(command, given.unwrap_or_default())),
        MAN => Some(man(command)),
        _ => None,
    }
}

fn completions(command: &mut Command, shell: &str) -> Result<String, Exit> {
    let Ok(shell) = Shell::from_str(shell, true) else {
        let all = Shell::value_variants().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Exit::new(Code::Usage, format!("--{COMPLETIONS} takes the name of a shell: {all}")));
    };
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    generate(shell, command, name, &mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn man(command: &Command) -> Result<String, Exit> {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text).map_err(|error| Exit::from_error(Code::Io, error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str]) -> Option<Result<String, Exit>> {
        let mut command =
            flagged(Command::new("sink").subcommand_required(true).arg(Arg::new("lake").long("lake")));
        let arguments: Vec<_> = ["sink"].iter().chain(arguments).map(OsString::from).collect();
        asked(&mut command, &arguments)
    }

    #[test]
    fn each_shell_gets_its_completions() {
        for shell in Shell::value_variants() {
            let text = of(&["--completions", &shell.to_string()]).unwrap().unwrap();
            assert!(text.contains("sink") && text.contains("lake"), "{shell}: {text}");
        }
        assert!(of(&["--completions=fish"]).unwrap().unwrap().contains("lake"));
    }

    #[test]
    fn another_shell_is_told_which_there_are() {
        for arguments in [["--completions", "tcsh"].as_slice(), &["--completions"]] {
            let exit = of(arguments).unwrap().unwrap_err();
            assert_eq!(exit.code(), Code::Usage);
            assert!(exit.to_string().contains("bash"), "{exit}");
        }
    }

    #[test]
    fn the_manual_names_the_flags() {
        let text = of(&["--man"]).unwrap().unwrap();
        assert!(text.starts_with(".ie") || text.contains(".TH sink"), "{text}");
        assert!(text.contains("lake"), "{text}");
    }

    #[test]
    fn other_arguments_ask_for_nothing() {
        for arguments in [[].as_slice(), &["man"], &["--manual"], &["file", "--man"]] {
            assert!(of(arguments).is_none(), "{arguments:?}");
        }
    }
}
