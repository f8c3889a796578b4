//! `meshx attest`: evidence of hardware, judged offline or made and sent.

mod conformance;
mod submit;
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
        AttestVerb::Submit(args) => submit::submit(settings, args).map(|()| ExitCode::SUCCESS),
        AttestVerb::Show { address } => {
            submit::show(settings, *address).map(|()| ExitCode::SUCCESS)
        }
        AttestVerb::Conformance { folder } => conformance::conformance(settings, folder),
        AttestVerb::Flips { folder } => conformance::flips(settings, folder),
    }
}
