//! `meshx attest`: evidence of hardware, judged offline or made and sent.

mod submit;
mod verify;

use std::process::ExitCode;

use anyhow::Result;

use crate::{commands::lab::lab, settings::Settings};
use args::{AttestCommand, AttestVerb};

pub fn attest(settings: &Settings, command: &AttestCommand) -> Result<ExitCode> {
    match &command.verb {
        AttestVerb::Verify(args) => verify::verify(args),
        AttestVerb::Submit(args) => submit::submit(settings, args).map(|()| ExitCode::SUCCESS),
        AttestVerb::Show { address } => {
            submit::show(settings, *address).map(|()| ExitCode::SUCCESS)
        }
        AttestVerb::Conformance(words) => lab(settings, &["attest", "conformance"], words),
        AttestVerb::Flips(words) => lab(settings, &["attest", "flips"], words),
    }
}
