//! `meshx`: one binary for the developer, the provider and the operator.
//!
//! ```text
//! args --> settings (flag > MESHX_* > meshx.toml > config.toml) --> commands/<verb>
//! ```
//!
//! Results go to stdout, talk goes to stderr. The exit code of `run` is the job's own; 125 means that
//! meshx itself could not do what was asked, 134 that the job trapped.

/// Like the standard one, but a reader that went away (`| head`) ends nothing in a panic.
macro_rules! println {
    ($($text:tt)*) => { talk::line(&format!($($text)*)) };
}

mod args;
mod commands;
mod ending;
mod network;
mod request;
mod settings;
mod user;
mod watch;

use args::{Args, Command};
use clap::Parser;
use settings::Settings;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    talk::exit_code(args::with_file(std::env::args_os().collect()).and_then(|typed| {
        let args = match Args::try_parse_from(&typed) {
            Ok(args) => args,
            Err(error) => return Ok(misunderstood(&typed, &error)),
        };
        talk::log();
        dispatch(args)
    }))
}

/// Say what was not understood, or show the help that was asked for. The exit codes of `run` belong to jobs, so that it has one
/// of its own for this.
fn misunderstood(typed: &[OsString], error: &clap::Error) -> ExitCode {
    // Where it cannot be printed, nobody reads it.
    let _ = error.print();
    let runs = typed.iter().skip(1).find(|word| !word.as_encoded_bytes().starts_with(b"-"));
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if runs.is_some_and(|word| word == "run") => ExitCode::from(talk::OWN_FAILURE),
        code => ExitCode::from(u8::try_from(code).unwrap_or(2)),
    }
}

fn dispatch(args: Args) -> anyhow::Result<ExitCode> {
    let settings = Settings::resolve(&args.global)?;
    if args.global.show_settings {
        println!("{}", serde_json::to_string_pretty(&settings)?);
        return Ok(ExitCode::SUCCESS);
    }
    let done = |result: anyhow::Result<()>| result.map(|()| ExitCode::SUCCESS);
    match args.command {
        Command::Up(up) => done(commands::up::up(&settings, &up)),
        Command::Run(run) => commands::run::run(&settings, &run),
        Command::Quote(quote) => done(commands::quote::quote(&settings, &quote)),
        Command::Verify(verify) => commands::verify::verify(&settings, &verify),
        Command::Replay(replay) => commands::replay::replay(&settings, &replay),
        Command::Why(why) => done(commands::job::why(&settings, &why.id)),
        Command::Job(job) => done(commands::job::job(&settings, &job)),
        Command::Wallet(wallet) => done(commands::wallet::wallet(&settings, &wallet)),
        Command::Publish { file, royalty } => {
            done(commands::publish::publish(&settings, &file, royalty))
        }
        Command::Faucet(asked) => done(commands::faucet::faucet(&settings, &asked)),
        Command::Gov(command) => done(commands::gov::gov(&settings, &command)),
        Command::Stake(command) => done(commands::stake::stake(&settings, &command)),
        Command::Earnings { address } => done(commands::earnings::earnings(&settings, address)),
        Command::Network { verb } => done(commands::network::network(&settings, &verb)),
        Command::Hash { file } => done(commands::verify::hash(&settings, &file)),
        Command::Status => done(commands::status::status(&settings)),
        Command::Bench(words) => commands::lab::lab(&settings, &["bench"], &words),
        Command::Econ(words) => commands::lab::lab(&settings, &["econ"], &words),
        Command::Supply(supply) => done(commands::supply::supply(&settings, &supply)),
        Command::Attest(command) => commands::attest::attest(&settings, &command),
        Command::Presence(command) => commands::presence::presence(&settings, &command),
        Command::Node(node) => done(commands::node::node(&settings, &node)),
        Command::Doctor(args) => commands::doctor::doctor(&settings, &args),
        Command::Peers(args) => done(commands::node::peers::peers(&settings, &args)),
    }
}
