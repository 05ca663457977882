//! Flags and the variables that stand for them, by clap; which of both a value came from is kept.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Parser};

use super::manual;
use super::origin::{Origin, variable_of};
use crate::exit::{Code, Exit};

/// What flags and environment gave.
#[derive(Debug)]
pub struct Given<F> {
    pub flags: F,
    /// Where the values came from, by setting; those that nobody gave are not here.
    pub(super) origins: BTreeMap<String, Origin>,
}

/// Reads the flags and variables of this process. Each long flag `--some-name` has the variable `UFO_SOME_NAME`, unless it
/// hides it (`hide_env`) or has another one; an empty variable is none. `--help` and `--version` end the process, a bad flag
/// does with code 64, a bad variable with 78.
pub fn parse<F: Parser>() -> Result<Given<F>, Exit> {
    parse_from(env::args_os())
}

/// [`parse`] with other arguments; the first is the program's name.
pub fn parse_from<F: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<Given<F>, Exit> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut command = with_variables(manual::flagged(F::command().version(crate::VERSION)));
    if let Some(text) = manual::asked(&mut command, &arguments) {
        return Err(text.map_or_else(|exit| exit, |text| super::print(&text)));
    }
    let given = command.try_get_matches_from_mut(&arguments).and_then(|mut matches| {
        let mut origins = BTreeMap::new();
        collect_origins(&command, &matches, &mut origins);
        Ok(Given { flags: F::from_arg_matches_mut(&mut matches)?, origins })
    });
    given.map_err(|error| exit_of(&error, &command, &arguments))
}

fn with_variables(command: Command) -> Command {
    command.mut_args(with_variable).mut_subcommands(with_variables)
}

fn with_variable(arg: Arg) -> Arg {
    // Values are not for `--help`, which people paste into reports.
    let arg = arg.hide_env_values(true);
    // `UFO_QUIET=1` is what people write.
    let arg = match arg.get_action() {
        ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
        _ => arg,
    };
    match arg.get_long() {
        Some(long) if arg.get_env().is_none() && !arg.is_hide_env_set() => {
            let variable = variable_of(long);
            // Compose files write `UFO_LAKE=${UFO_LAKE:-}`: empty means that nothing is set.
            match env::var_os(&variable) {
                Some(value) if value.is_empty() => arg,
                Some(_) | None => arg.env(variable),
            }
        }
        Some(_) | None => arg,
    }
}

fn collect_origins(command: &Command, matches: &ArgMatches, origins: &mut BTreeMap<String, Origin>) {
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let origin = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => Origin::Flag(flag_of(arg)),
            Some(ValueSource::EnvVariable) => Origin::Variable(text(arg.get_env().unwrap_or_default())),
            // A default of clap would hide what the file says: defaults are the settings' own.
            Some(_) | None => continue,
        };
        origins.insert(id.to_owned(), origin);
    }
    if let Some((name, matches)) = matches.subcommand()
        && let Some(command) = command.find_subcommand(name)
    {
        collect_origins(command, matches, origins);
    }
}

fn flag_of(arg: &Arg) -> String {
    arg.get_long().map_or_else(|| arg.to_string(), |long| format!("--{long}"))
}

/// Help, version or what is wrong, in clap's words. Clap takes a bad value for the flag's even where the variable had it.
fn exit_of(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Exit {
    if !error.use_stderr() {
        let text = error.render();
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        return super::print(&if is_terminal { text.ansi().to_string() } else { text.to_string() });
    }
    let text = error.render().to_string();
    let text = text.trim_start_matches("error: ").trim_end();
    match variable_at_fault(error, command, arguments) {
        Some(variable) => Exit::new(Code::Config, format!("{variable}: {text}")),
        None => Exit::new(Code::Usage, text),
    }
}

fn variable_at_fault(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    // An argument of a command that was not asked for is not whole before that, and cannot be shown.
    let mut command = command.clone();
    command.build();
    let arg = find_arg(&command, shown)?;
    let variable = arg.get_env().filter(|variable| env::var_os(variable).is_some())?;
    let flag = flag_of(arg);
    let is_given = arguments.iter().any(|argument| is_flag(argument, &flag));
    (!is_given).then(|| text(variable))
}

fn find_arg<'c>(command: &'c Command, shown: &str) -> Option<&'c Arg> {
    let here = command.get_arguments().find(|arg| arg.to_string() == shown);
    here.or_else(|| command.get_subcommands().find_map(|command| find_arg(command, shown)))
}

fn is_flag(argument: &OsStr, flag: &str) -> bool {
    let argument = text(argument);
    argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
