//! `cargo xtask test`: the one command that says whether the tree is sound.

use std::path::Path;

use crate::report::{Outcome, Report};
use crate::{benches, ci, docs, examples, fuzz, sim, torture};

pub fn run(root: &Path, report: &mut Report) {
    ci::run(root, report);
    sim::run_in_test(root, report);
    examples::run(root, true, &[], report);
    docs::run(root, &[], false, report);
    benches::run_in_test(root, report);
    torture::run_in_test(root, report);
    if let Err(error) = fuzz::run(root, &[], fuzz::SECONDS_IN_TEST, report) {
        report.add("fuzz", Outcome::Failed(vec![format!("{error:#}")]));
    }
}
