//! `cargo xtask torture`: kill, damage, starve and flood the binary that users run.
//!
//! The torturer is a program of its own, because xtask stands alone; here the two are built, run and judged.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::report::{Outcome, Report};
use crate::workspace;

/// What `cargo xtask test` runs: about a minute and a half.
pub const IN_TEST: &[&str] = &["--kills", "3", "--flips", "3", "--wipes", "1", "--folders"];
/// What runs when nobody says otherwise: half an hour.
const USUAL: &[&str] =
    &["--kills", "50", "--flips", "100", "--wipes", "5", "--folders", "--flood", "30"];

/// Flags that take a number, those that take a path, and those that take nothing.
const NUMBERED: &[&str] = &["--kills", "--flips", "--wipes", "--flood", "--seed"];
const PLACED: &[&str] = &["--binary", "--dir"];
const PLAIN: &[&str] = &["--folders"];

/// Whether the torturer understands these words.
pub fn understood(words: &[&str]) -> bool {
    match words {
        [] => true,
        [flag, number, rest @ ..] if NUMBERED.contains(flag) => {
            number.parse::<u64>().is_ok() && understood(rest)
        }
        [flag, _, rest @ ..] if PLACED.contains(flag) => understood(rest),
        [flag, rest @ ..] => PLAIN.contains(flag) && understood(rest),
    }
}

/// Run what `words` ask for; all of it, if they name no part.
pub fn run(root: &Path, words: &[&str], report: &mut Report) {
    let mut torturer = Command::new(workspace::cargo());
    torturer.args(["run", "--quiet", "--release", "--package", "meshx-torture", "--"]);
    add(root, torturer, words, report);
}

fn add(root: &Path, torturer: Command, words: &[&str], report: &mut Report) {
    let parts = ["--kills", "--flips", "--wipes", "--folders", "--flood"];
    let named = words.iter().any(|word| parts.contains(word));
    let words = if named { words.to_vec() } else { [USUAL, words].concat() };
    let step = format!("torture {}", words.join(" "));
    let outcome = if cfg!(target_os = "linux") {
        torture(root, torturer, &words)
            .unwrap_or_else(|error| Outcome::Failed(vec![format!("{error:#}")]))
    } else {
        Outcome::PassedOver("it is tried on Linux only".into())
    };
    report.add(&step, outcome);
}

/// The short form, with the binaries that the tests were just built with: no second build of anything.
pub fn run_in_test(root: &Path, report: &mut Report) {
    let built = target(root).join("debug");
    let (torturer, binary) = (built.join("meshx-torture"), built.join("meshx"));
    match binary.to_str() {
        Some(path) if binary.is_file() && torturer.is_file() => {
            add(root, Command::new(torturer), &[IN_TEST, &["--binary", path]].concat(), report);
        }
        _ => report.add(
            "torture",
            Outcome::PassedOver(format!(
                "{} has no meshx or no meshx-torture: the tests did not build",
                built.display()
            )),
        ),
    }
}

fn torture(root: &Path, mut torturer: Command, words: &[&str]) -> Result<Outcome> {
    torturer.args(words);
    if !words.contains(&"--binary") {
        torturer.arg("--binary").arg(built(root)?);
    }
    if !words.contains(&"--dir") {
        // Beside what is built: a disk, where a temporary folder may be memory.
        torturer.arg("--dir").arg(target(root).join("torture"));
    }
    let status = torturer.current_dir(root).status()?;
    Ok(if status.success() {
        Outcome::Passed
    } else {
        Outcome::Failed(vec![format!("its faults and its seed are above ({status})")])
    })
}

/// The release binary, built now.
pub fn built(root: &Path) -> Result<PathBuf> {
    cargo(root, &["build", "--release", "--package", "meshx-cli"])?;
    Ok(target(root).join("release/meshx"))
}

fn cargo(root: &Path, words: &[&str]) -> Result<()> {
    let status = Command::new(workspace::cargo()).args(words).current_dir(root).status()?;
    if !status.success() {
        bail!("cargo {} fails; why is above", words.join(" "));
    }
    Ok(())
}

pub fn target(root: &Path) -> PathBuf {
    // Relative to where cargo was started, like cargo itself has it.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::{IN_TEST, USUAL, understood};

    #[test]
    fn what_the_torturer_would_refuse_is_refused_here() {
        assert!(understood(USUAL) && understood(IN_TEST));
        assert!(understood(&["--kills", "5", "--binary", "target/release/meshx"]));
        assert!(!understood(&["--kills"]));
        assert!(!understood(&["--kills", "many"]));
        assert!(!understood(&["kills"]));
    }
}
