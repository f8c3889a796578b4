//! Floors: a crate may only depend on crates of lower floors (design §9).

use crate::workspace::{Kind, Package};

const FLOORS: [&[&str]; 8] = [
    // Beneath the house, floor -1: what the compiler runs.
    &["wire"],
    &["types", "crypto", "talk"],
    &[
        "ledger",
        "staking",
        "governance",
        "jobs",
        "presence",
        "attestation",
        "mempool",
        "sandbox",
        "network",
        "blobs",
        "receipt",
        "api",
    ],
    &["chain", "client", "conformance", "measure", "overlay", "survey", "worker"],
    &["attester", "consensus", "edge"],
    &["node", "sim", "fuzz-targets"],
    &["args", "bench", "econ", "torture"],
    &["cli", "lab"],
];

/// Stands beside the house: no arrow to it or from it.
const BESIDE: &[&str] = &["xtask"];

pub fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let from = &package.name;
        let floor = floor_of(from);
        let beside = BESIDE.contains(&from.as_str());
        if floor.is_none() && !beside {
            faults.push(format!(
                "{from} has no floor: add it to the floor map (xtask/src/tidy/floors.rs)"
            ));
            continue;
        }
        for arrow in package.dependencies.iter().filter(|dependency| dependency.ours) {
            let to = &arrow.name;
            let kind = match arrow.kind {
                Kind::Normal => "",
                Kind::Build => " (build-dependency)",
                Kind::Dev => " (dev-dependency)",
            };
            match (floor, floor_of(to)) {
                (Some(high), Some(low)) if low < high => {}
                (Some(high), Some(low)) => faults.push(format!(
                    "{from} (floor {high}) -> {to} (floor {low}){kind}: arrows must point strictly down"
                )),
                // Reported at the package itself, if it is one of the workspace.
                (Some(_), None) if packages.iter().any(|p| p.name == *to) && !BESIDE.contains(&&**to) => {}
                (_, None) if !BESIDE.contains(&&**to) => faults.push(format!(
                    "{from} -> {to}{kind}: {to} has no floor: add it to the floor map (xtask/src/tidy/floors.rs)"
                )),
                _ => faults.push(format!("{from} -> {to}{kind}: xtask stands alone, no arrow to or from it")),
            }
        }
    }
    faults
}

fn floor_of(name: &str) -> Option<isize> {
    (-1..).zip(FLOORS).find(|(_, floor)| floor.contains(&name)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture;

    fn check(lines: &[&str], expected: &[&str]) {
        assert_eq!(super::check(&fixture(lines)), expected);
    }

    #[test]
    fn down_is_fine() {
        check(
            &["types", "ledger -> types", "chain -> types, ledger, dev:types", "cli -> chain"],
            &[],
        );
    }

    #[test]
    fn up_fails() {
        check(
            &["types -> chain", "chain"],
            &["types (floor 0) -> chain (floor 2): arrows must point strictly down"],
        );
    }

    #[test]
    fn sideways_fails() {
        check(
            &["ledger -> jobs", "jobs"],
            &["ledger (floor 1) -> jobs (floor 1): arrows must point strictly down"],
        );
    }

    #[test]
    fn tests_and_build_scripts_are_no_excuse() {
        check(
            &["ledger -> dev:chain", "chain -> build:consensus", "consensus"],
            &[
                "ledger (floor 1) -> chain (floor 2) (dev-dependency): arrows must point strictly down",
                "chain (floor 2) -> consensus (floor 3) (build-dependency): arrows must point strictly down",
            ],
        );
    }

    #[test]
    fn a_stranger_must_be_given_a_floor() {
        check(
            &["oracle", "cli -> oracle"],
            &["oracle has no floor: add it to the floor map (xtask/src/tidy/floors.rs)"],
        );
    }

    #[test]
    fn xtask_stands_alone() {
        check(
            &["types", "xtask -> types", "cli -> xtask"],
            &[
                "xtask -> types: xtask stands alone, no arrow to or from it",
                "cli -> xtask: xtask stands alone, no arrow to or from it",
            ],
        );
    }

    #[test]
    fn below_the_nouns_is_what_derives_them() {
        check(&["wire", "types -> wire"], &[]);
        check(
            &["wire -> types", "types"],
            &["wire (floor -1) -> types (floor 0): arrows must point strictly down"],
        );
    }

    #[test]
    fn no_crate_has_two_floors() {
        let mut names: Vec<&&str> = FLOORS.iter().copied().flatten().collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
