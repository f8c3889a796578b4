//! `cargo xtask test`: the one command that says whether the tree is sound.

use std::path::Path;
use std::process::Command;

use crate::report::{Outcome, Report};
use crate::{examples, fuzz, sim, tidy, torture, workspace};

pub fn run(root: &Path, report: &mut Report) {
    report.add("cargo test --workspace", cargo_test(root));
    tidy::run(root, report);
    sim::run_in_test(root, report);
    examples::run(root, true, &[], report);
    torture::run_in_test(root, report);
    if let Err(error) = fuzz::run(root, &[], fuzz::SECONDS_IN_TEST, report) {
        report.add("fuzz", Outcome::Failed(vec![format!("{error:#}")]));
    }
}

fn cargo_test(root: &Path) -> Outcome {
    // CARGO_TARGET_DIR and friends are inherited.
    let status =
        Command::new(workspace::cargo()).args(["test", "--workspace"]).current_dir(root).status();
    match status {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(vec![format!("its output is above ({status})")]),
        Err(error) => Outcome::Failed(vec![format!("cannot start cargo: {error}")]),
    }
}
