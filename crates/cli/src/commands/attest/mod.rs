//! `meshx attest`: judge evidence of hardware, offline.

mod conformance;
mod verify;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    args::{AttestCommand, AttestVerb},
    settings::Settings,
};

pub fn attest(settings: &Settings, command: &AttestCommand) -> Result<ExitCode> {
    match &command.verb {
        AttestVerb::Verify(args) => verify::verify(args),
        AttestVerb::Conformance { folder } => conformance::conformance(settings, folder),
        AttestVerb::Flips { folder } => conformance::flips(settings, folder),
    }
}
