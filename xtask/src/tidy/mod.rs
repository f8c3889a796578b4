//! `cargo xtask tidy`: the invariants of the design that a machine can check.
//!
//! Each rule is a function from the workspace to a list of faults, in a file of its own with its table.

mod features;
mod floors;
mod front;
mod heavy;
mod length;
mod licence;
mod limits;
mod lints;
mod manifest;
mod prose;
mod pure;
mod reach;
mod sources;
mod supply;
mod text;
mod twins;
mod unused;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::sources::Source;
use crate::codegen;
use crate::report::{Outcome, Report};
use crate::workspace::{self, Locked, Package};

/// Crates whose code must replay alike on every machine: no clock, float, hash map, disk, socket or feature.
///
/// The one list; every rule about purity takes it from here.
const PURE: &[&str] = &[
    "types",
    "ledger",
    "staking",
    "governance",
    "jobs",
    "presence",
    "attestation",
    "receipt",
    "chain",
];

/// What rules look at.
struct Tree {
    root: PathBuf,
    packages: Vec<Package>,
    locked: Vec<Locked>,
    sources: Vec<Source>,
}

/// The faults a rule found.
type Rule = fn(&Tree) -> Result<Vec<String>>;

const RULES: &[(&str, Rule)] = &[
    ("tidy floors: arrows between crates point down", |tree| Ok(floors::check(&tree.packages))),
    ("tidy heavy: big dependencies stay where the design names them", |tree| {
        Ok(heavy::check(&tree.packages))
    }),
    ("tidy features: rules cannot be switched", |tree| Ok(features::check(&tree.packages))),
    (
        "tidy lints: each crate takes the workspace's, unsafe code stays where it is stated",
        |tree| lints::check(&tree.root, &tree.packages),
    ),
    ("tidy supply: licences, sources and versions are those of deny.toml", |tree| {
        supply::check(&tree.root, &tree.locked)
    }),
    ("tidy front: each lib.rs says what its crate does", |tree| front::check(&tree.packages)),
    ("tidy reach: no dead files", |tree| reach::check(&tree.packages)),
    ("tidy pure: no clock, float, hash map or I/O in rules", |tree| pure::check(&tree.packages)),
    ("tidy limits: small crates stay small, edge stays without chain", |tree| {
        Ok(limits::check(&tree.packages, &tree.sources))
    }),
    ("tidy twins: nothing of eight lines stands twice", |tree| Ok(twins::check(&tree.sources))),
    ("tidy unused: each dependency is named", |tree| {
        unused::check(&tree.root, &tree.packages, &tree.locked, &tree.sources)
    }),
    ("tidy length: no function over 100 lines", |tree| Ok(length::check(&tree.sources).0)),
    ("tidy prose: no line over 120 columns", |tree| prose::check(&tree.root)),
    ("tidy codegen: vectors and schemas are as the nouns are declared", |tree| {
        codegen::check(&tree.root)
    }),
    ("tidy words: one word, one meaning", |tree| Ok(words::check(&tree.sources))),
];

pub fn run(root: &Path, report: &mut Report) {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => return report.add("tidy", Outcome::Failed(vec![format!("{error:#}")])),
    };
    // Told even when none is too long, so that one sees it coming.
    println!("{}", length::check(&tree.sources).1);
    for (step, rule) in RULES {
        report.add(step, tree.outcome(*rule));
    }
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let packages = workspace::load(root)?;
        let locked = workspace::locked(root)?;
        let sources = sources::read(root, &packages)?;
        Ok(Tree { root: root.to_owned(), packages, locked, sources })
    }

    fn outcome(&self, rule: Rule) -> Outcome {
        match rule(self) {
            Ok(faults) => {
                // Paths as seen from the workspace.
                let root = format!("{}/", self.root.display());
                faults.into_iter().map(|fault| fault.replace(&root, "")).collect::<Vec<_>>().into()
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        }
    }
}
