//! `producer rejects`
use super::Flags;
use service::exit::{Code, Exit};
use service::settings::Given;
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RejectsFlags {}
pub(super) fn start(_given: &Given<Flags>, _flags: &RejectsFlags) -> Result<(), Exit> {
    Err(Exit::new(Code::Software, ""))
}
