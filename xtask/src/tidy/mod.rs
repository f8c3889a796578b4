//! `cargo xtask tidy`: the invariants of the design that a machine can check.
//!
//! Each rule is a function from the workspace to a list of faults, in a file of its own with its table.

mod features;
mod floors;
mod front;
mod heavy;
mod pure;
mod reach;
mod source;

use std::path::Path;

use anyhow::Result;

use crate::report::{Outcome, Report};
use crate::workspace::{self, Package};

type Rule = fn(&[Package]) -> Result<Vec<String>>;

const RULES: [(&str, Rule); 6] = [
    ("tidy floors: arrows between crates point down", |packages| Ok(floors::check(packages))),
    ("tidy heavy: big dependencies stay where the design names them", |packages| {
        Ok(heavy::check(packages))
    }),
    ("tidy features: rules cannot be switched", |packages| Ok(features::check(packages))),
    ("tidy front: each lib.rs says what its crate does", front::check),
    ("tidy reach: no dead files", reach::check),
    ("tidy pure: no clock, float, hash map or I/O in rules", pure::check),
];

pub fn run(root: &Path, report: &mut Report) {
    let packages = match workspace::load(root) {
        Ok(packages) => packages,
        Err(error) => return report.add("tidy", Outcome::Failed(vec![format!("{error:#}")])),
    };
    for (step, rule) in RULES {
        let outcome = match rule(&packages) {
            Ok(faults) => {
                faults.into_iter().map(|fault| nearer(root, fault)).collect::<Vec<_>>().into()
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(step, outcome);
    }
}

/// Paths as seen from the workspace.
fn nearer(root: &Path, fault: String) -> String {
    fault.replace(&format!("{}/", root.display()), "")
}
