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

/// What is said beside the result: for programs, one JSON object a line.
macro_rules! eprintln {
    ($($text:tt)*) => { talk::note(&format!($($text)*)) };
}

mod commands;
mod ending;
mod network;
mod outputs;
mod request;
mod settings;
mod user;
mod watch;

use args::{Args, Command, Output};
use clap::FromArgMatches as _;
use settings::Settings;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().collect();
    // Before anything can fail: failures are told in the same way as results.
    if asks_for_json(&typed) {
        talk::speak_json();
    }
    talk::exit_code(args::with_file(typed).and_then(|typed| {
        let matches = args::command().try_get_matches_from(&typed);
        let args = match matches.and_then(|matches| Args::from_arg_matches(&matches)) {
            Ok(args) => args,
            Err(error) => return Ok(misunderstood(&typed, &error)),
        };
        talk::log();
        dispatch(args)
    }))
}

/// Whether `--output json` was typed, or stands in the environment. A file of settings may ask for it, too.
fn asks_for_json(typed: &[OsString]) -> bool {
    let json = Output::Json.name();
    // What follows `--` is a job's own.
    let ours = typed.iter().take_while(|word| *word != "--");
    let words: Vec<&str> = ours.filter_map(|word| word.to_str()).collect();
    let flag = |pair: &[&str]| pair[0] == "--output" && pair[1] == json;
    let joined = |word: &&str| word.strip_prefix("--output=") == Some(json);
    let spoken = words.iter().any(|word| word.starts_with("--output"));
    words.windows(2).any(flag)
        || words.iter().any(joined)
        || (!spoken && std::env::var("MESHX_OUTPUT").is_ok_and(|set| set == json))
}

/// Say what was not understood, or show the help that was asked for. The exit codes of `run` belong to jobs, so that it has one
/// of its own for this.
fn misunderstood(typed: &[OsString], error: &clap::Error) -> ExitCode {
    let code = match error.exit_code() {
        code if code != 0 && is_run(typed) => talk::OWN_FAILURE,
        code => u8::try_from(code).unwrap_or(2),
    };
    talk::misread(code, &error.to_string(), asks_for_json(typed), || error.print())
}

/// Whether the command is `run`, as far as what was typed can be understood.
fn is_run(typed: &[OsString]) -> bool {
    let matches = args::command().ignore_errors(true).try_get_matches_from(typed);
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("run"))
}

fn dispatch(args: Args) -> anyhow::Result<ExitCode> {
    let settings = Settings::resolve(&args.global)?;
    if settings.json() {
        talk::speak_json();
    }
    if args.global.show_settings {
        // An address with a password in it is refused without being repeated.
        settings.node.as_ref().map(api::Client::new).transpose()?;
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
        Command::Why(why) => done(commands::why::why(&settings, &why.id)),
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
        Command::Completions { shell } => done(commands::pages::completions(&settings, shell)),
        Command::Man { dir } => done(commands::pages::man(&settings, &dir)),
        Command::Bench(words) => commands::lab::lab(&settings, &["bench"], &words),
        Command::Econ(words) => commands::lab::lab(&settings, &["econ"], &words),
        Command::Supply(supply) => done(commands::supply::supply(&settings, &supply)),
        Command::Attest(command) => commands::attest::attest(&settings, &command),
        Command::Presence(command) => commands::presence::presence(&settings, &command),
        Command::Provide(args) => done(commands::provide::provide(&settings, &args)),
        Command::Node(node) => done(commands::node::node(&settings, &node)),
        Command::Doctor(args) => commands::doctor::doctor(&settings, &args),
        Command::Peers(args) => done(commands::node::peers::peers(&settings, &args)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_of_run_is_known_wherever_its_options_stand() {
        let run = |line: &str| is_run(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for line in [
            "meshx run --nonsense",
            "meshx --node http://127.0.0.1:1 run --nonsense x.wasm",
            "meshx --output json run",
            "meshx run --fuel many x.wasm",
        ] {
            assert!(run(line), "{line}");
        }
        for line in ["meshx job run", "meshx --nonsense", "meshx quote --nonsense run", "meshx"] {
            assert!(!run(line), "{line}");
        }
    }
}
