//! `meshx-lab`: what is measured, attacked, simulated and tried, apart from the program that people run.
//!
//! `meshx bench`, `meshx econ`, `meshx presence evaluate | locate | sybil-cost` and `meshx attest conformance | flips` start
//! this program with the same words. It never talks to a network and holds no keys.

/// Like the standard one, but a reader that went away (`| head`) ends nothing in a panic.
macro_rules! println {
    ($($text:tt)*) => { talk::line(&format!($($text)*)) };
}

mod args;
mod attest;
mod bench;
mod econ;
mod located;
mod presence;
mod sybil;

use anyhow::Result;
use args::{Args, AttestVerb, Command, PresenceVerb};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let json = std::env::var("MESHX_OUTPUT").is_ok_and(|set| set == "json");
    if json {
        talk::speak_json();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let code = talk::misread(code, &error.to_string(), json, || error.print());
            return talk::exit_code(Ok::<_, anyhow::Error>(code));
        }
    };
    if args.output == args::Output::Json {
        talk::speak_json();
    }
    talk::log();
    talk::exit_code(dispatch(&args))
}

fn dispatch(args: &Args) -> Result<ExitCode> {
    let output = args.output;
    match &args.command {
        Command::Bench(command) => bench::bench(output, &command.what)?,
        Command::Econ(command) => econ::econ(output, &command.verb)?,
        Command::Presence { verb } => match verb {
            PresenceVerb::Evaluate(asked) => presence::evaluate(output, asked)?,
            PresenceVerb::Locate { network, target } => located::locate(output, network, target)?,
            PresenceVerb::SybilCost(asked) => sybil::cost(output, asked)?,
        },
        Command::Attest { verb } => {
            return match verb {
                AttestVerb::Conformance { folder } => attest::conformance(output, folder),
                AttestVerb::Flips { folder } => attest::flips(output, folder),
            };
        }
    }
    Ok(ExitCode::SUCCESS)
}
