//! `cargo xtask ci`: what every change must pass, the quick checks first.
//!
//! `cargo xtask test` is this and the long runs. Other people's tools (cargo-deny, cargo-machete, typos) run where they are
//! installed; what they would find first, tidy finds without them.

use std::path::Path;
use std::process::Command;

use crate::report::{Outcome, Report};
use crate::{tidy, workspace};

/// A cargo command that must succeed, with the flags that turn its warnings into faults.
struct Step {
    name: &'static str,
    words: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const FORMAT: Step =
    Step { name: "cargo fmt --check", words: &["fmt", "--all", "--check"], environment: &[] };

const SLOW: [Step; 3] = [
    Step {
        name: "clippy, with warnings as errors",
        words: &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
        environment: &[],
    },
    Step {
        name: "rustdoc, with warnings as errors",
        // With examples, of which there are none, the tests' dependencies decide on features as they do for clippy; without
        // them every dependency would be checked a second time.
        words: &[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--lib",
            "--bins",
            "--examples",
            "--quiet",
        ],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step { name: "cargo test --workspace", words: &["test", "--workspace"], environment: &[] },
];

/// Somebody else's program: its name, its package, and what it is asked.
const TOOLS: [(&str, &str, &[&str]); 3] = [
    ("cargo-deny", "cargo-deny", &["deny", "check", "bans", "licenses", "sources"]),
    ("cargo-machete", "cargo-machete", &["machete"]),
    ("typos", "typos-cli", &[]),
];

pub fn run(root: &Path, report: &mut Report) {
    report.add(FORMAT.name, FORMAT.outcome(root));
    tidy::run(root, report);
    for (program, package, words) in TOOLS {
        let step = format!("{program} {}", words.get(1..).unwrap_or_default().join(" "));
        report.add(step.trim_end(), tool(root, program, package, words));
    }
    for step in SLOW {
        report.add(step.name, step.outcome(root));
    }
}

impl Step {
    fn outcome(&self, root: &Path) -> Outcome {
        let mut cargo = Command::new(workspace::cargo());
        // CARGO_TARGET_DIR and friends are inherited.
        cargo.args(self.words).envs(self.environment.iter().copied()).current_dir(root);
        status(cargo)
    }
}

fn tool(root: &Path, program: &str, package: &str, words: &[&str]) -> Outcome {
    if !Command::new(program).arg("--version").output().is_ok_and(|run| run.status.success()) {
        return Outcome::PassedOver(format!("it is not installed (cargo install {package})"));
    }
    let mut tool = Command::new(program);
    tool.args(words).current_dir(root);
    status(tool)
}

fn status(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(vec![format!("its output is above ({status})")]),
        Err(error) => {
            let program = command.get_program().display();
            Outcome::Failed(vec![format!("cannot start {program}: {error}")])
        }
    }
}
