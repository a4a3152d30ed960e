//! `isobath doctor`: facts of this machine, what they mean, what to do.
//!
//! [`Facts::collect`] does all the looking, [`findings::judge`] is pure.

mod dds_profile;
mod facts;
mod findings;
mod model_findings;
mod models;
mod render;
#[cfg(test)]
mod tests;

use clap::Args;

use super::output::print;
use super::{Failure, Status};
pub(super) use facts::CpuFacts;
use facts::Facts;
use findings::Level;

#[derive(Args)]
pub(super) struct DoctorArguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &DoctorArguments) -> Result<Status, Failure> {
    let facts = Facts::collect();
    let findings = findings::judge(&facts);
    print(&if arguments.json { render::json(&facts, &findings)? + "\n" } else { render::text(&findings) })?;
    let is_ready = findings.iter().all(|finding| finding.level != Level::Error);
    Ok(if is_ready { Status::Fine } else { Status::NotReady })
}
