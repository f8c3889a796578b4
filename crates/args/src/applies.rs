//! Which of the options that every command takes mean something to it: help, manual and completions show no others.
//!
//! All of them may still be typed before or behind any command, so that a script can put them in one place.

use super::Args;
use clap::{Arg, Command, CommandFactory as _};
use std::mem;

const NODE: &str = "node";
const CHAIN: &str = "chain";
const WALLET: &str = "wallet";
const OUTPUT: &str = "output";

/// The ids of options that mean something to commands that begin with these words. The longest words decide.
const APPLIES: &[(&str, &[&str])] = &[
    ("run", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("quote", &[NODE, CHAIN, OUTPUT]),
    ("why", &[NODE, OUTPUT]),
    ("job", &[NODE, OUTPUT]),
    ("job cancel", &[NODE, WALLET, OUTPUT]),
    ("wallet", &[WALLET, OUTPUT]),
    ("wallet show", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("wallet send", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("publish", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("faucet", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("stake", &[NODE, WALLET, OUTPUT]),
    ("stake validators", &[NODE, OUTPUT]),
    ("stake equivocations", &[NODE, OUTPUT]),
    ("gov", &[NODE, WALLET, OUTPUT]),
    ("gov params", &[NODE, CHAIN, OUTPUT]),
    ("gov list", &[NODE, OUTPUT]),
    ("gov show", &[NODE, OUTPUT]),
    ("earnings", &[NODE, WALLET, OUTPUT]),
    ("status", &[NODE, OUTPUT]),
    ("network list", &[NODE, OUTPUT]),
    ("attest submit", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("attest show", &[NODE, CHAIN, WALLET, OUTPUT]),
    ("presence prove", &[NODE, WALLET, OUTPUT]),
    ("presence show", &[NODE, WALLET, OUTPUT]),
    ("presence list", &[NODE, OUTPUT]),
    ("presence submit", &[NODE, WALLET, OUTPUT]),
    ("presence attend", &[NODE, OUTPUT]),
    ("node start", &[CHAIN, OUTPUT]),
    ("doctor", &[NODE, CHAIN, OUTPUT]),
    // Every other command works with files of this machine.
    ("", &[OUTPUT]),
];

/// What can be typed, with help that shows what applies.
pub fn command() -> Command {
    let mut root = Args::command();
    let globals: Vec<Arg> =
        root.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    for command in root.get_subcommands_mut() {
        hide(command, "", &globals);
    }
    root
}

/// Hide what does not apply to `command`, which is typed behind `before`, and to the commands below it.
fn hide(command: &mut Command, before: &str, globals: &[Arg]) -> Vec<&'static str> {
    let words = format!("{before} {}", command.get_name()).trim().to_owned();
    let mut applies: Vec<&str> =
        command.get_subcommands_mut().flat_map(|below| hide(below, &words, globals)).collect();
    if applies.is_empty() {
        applies = of(&words).to_vec();
    }
    for arg in globals.iter().filter(|arg| !applies.contains(&arg.get_id().as_str())) {
        // One that a command has itself is not handed down to it.
        *command = mem::take(command).arg(arg.clone().hide(true));
    }
    applies
}

fn of(words: &str) -> &'static [&'static str] {
    let begins = |with: &str| {
        words
            .strip_prefix(with)
            .is_some_and(|rest| with.is_empty() || rest.is_empty() || rest.starts_with(' '))
    };
    let fitting = APPLIES.iter().filter(|(with, _)| begins(with));
    fitting.max_by_key(|(with, _)| with.len()).expect("the last fits all").1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &str) -> String {
        let mut command = command();
        command.build();
        let found = words.split(' ').fold(&mut command, |command, word| {
            command.find_subcommand_mut(word).expect("a command")
        });
        found.render_long_help().to_string()
    }

    #[test]
    fn help_shows_what_applies_and_nothing_else() {
        let shown = |words: &str| {
            let help = help(words);
            ["--node", "--chain", "--wallet", "--output", "--show-settings"].map(|option| {
                help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n"))
            })
        };
        assert_eq!(shown("run"), [true, true, true, true, false]);
        assert_eq!(shown("supply"), [false, false, false, true, false]);
        assert_eq!(shown("job list"), [true, false, false, true, false]);
        assert_eq!(shown("gov propose params"), [true, false, true, true, false]);
        assert_eq!(shown("gov"), [true, true, true, true, false], "all that a verb of it takes");
    }

    #[test]
    fn what_is_not_shown_may_be_typed_and_counts() {
        use clap::FromArgMatches as _;
        let typed = ["meshx", "supply", "--wallet", "w", "--output", "json"];
        let matches = command().try_get_matches_from(typed).unwrap();
        let args = Args::from_arg_matches(&matches).unwrap();
        assert_eq!(args.global.wallet.unwrap().to_str(), Some("w"));
        assert_eq!(args.global.output, Some(super::super::Output::Json));
    }

    #[test]
    fn a_long_number_may_have_separators() {
        use clap::FromArgMatches as _;
        let fuel = |typed: &str| {
            let matches = command().try_get_matches_from(["meshx", "quote", "m", "--fuel", typed]);
            let args = Args::from_arg_matches(&matches.map_err(|error| error.to_string())?);
            let super::super::Command::Quote(job) = args.unwrap().command else { panic!("quote") };
            Ok(job.fuel)
        };
        assert_eq!(fuel("10_000,000"), Ok(10_000_000));
        let refused: Result<u64, String> = fuel("10^9");
        assert!(refused.unwrap_err().contains("write digits, such as"));
    }

    #[test]
    fn the_tree_is_sound_and_no_option_has_the_name_of_another() {
        command().debug_assert();
        let known = |with: &str| {
            with.is_empty()
                || with
                    .split(' ')
                    .try_fold(command(), |at, word| at.find_subcommand(word).cloned())
                    .is_some()
        };
        for (with, _) in APPLIES {
            assert!(known(with), "{with:?} is no command");
        }
    }
}
