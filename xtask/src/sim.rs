//! `cargo xtask sim`: whole networks on virtual time, one per seed.
//!
//! The simulator is a program of its own, because xtask stands alone; here it is built, run and judged.

use std::path::Path;
use std::process::Command;

use crate::report::{Outcome, Report};
use crate::{torture::target, workspace};

/// What `cargo xtask test` runs: about a minute.
const IN_TEST: &[&str] = &["--seeds", "50"];

/// Flags that take a number, and those that take nothing.
const NUMBERED: &[&str] = &["--seeds", "--first", "--jobs", "--seed"];
const PLAIN: &[&str] = &["--trace"];

/// Whether the simulator understands these words.
pub fn understood(words: &[&str]) -> bool {
    match words {
        [] => true,
        [flag, number, rest @ ..] if NUMBERED.contains(flag) => {
            number.parse::<u64>().is_ok() && understood(rest)
        }
        [flag, rest @ ..] => PLAIN.contains(flag) && understood(rest),
    }
}

pub fn run(root: &Path, words: &[&str], report: &mut Report) {
    let mut cargo = Command::new(workspace::cargo());
    cargo.args(["run", "--quiet", "--package", "meshx-sim", "--"]);
    add(root, cargo, words, report);
}

/// The short form, with the program that the tests were just built with: alone it would be built anew, engine and all.
pub fn run_in_test(root: &Path, report: &mut Report) {
    let program = target(root).join("debug/meshx-sim");
    if program.is_file() {
        add(root, Command::new(program), IN_TEST, report);
    } else {
        let why = format!("there is no {}: the tests did not build", program.display());
        report.add("sim", Outcome::PassedOver(why));
    }
}

fn add(root: &Path, command: Command, words: &[&str], report: &mut Report) {
    let step = format!("sim {}", words.join(" "));
    report.add(step.trim_end(), simulate(root, command, words));
}

fn simulate(root: &Path, mut command: Command, words: &[&str]) -> Outcome {
    let status = command.args(words).current_dir(root).status();
    match status {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(vec![format!("the seeds that failed are above ({status})")]),
        Err(error) => Outcome::Failed(vec![format!("cannot start it: {error}")]),
    }
}

#[cfg(test)]
mod tests {
    use super::understood;

    #[test]
    fn what_the_simulator_would_refuse_is_refused_here() {
        assert!(understood(&["--seeds", "1000", "--jobs", "2"]));
        assert!(understood(&["--seed", "7", "--trace"]));
        assert!(!understood(&["--seeds"]));
        assert!(!understood(&["--seeds", "many"]));
        assert!(!understood(&["seeds"]));
    }
}
