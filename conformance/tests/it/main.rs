//! All cases that lie beside the project.

use std::path::{Path, PathBuf};

use attestation::Technology;
use conformance::{Case, Region, cross_feed, flips, judge_folder};

/// The folder of real evidence, if it is here.
fn evidence() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/evidence");
    if !folder.is_dir() {
        println!("passed over: ../shared/evidence is not here");
        return None;
    }
    Some(folder)
}

/// Technologies whose verifiers stand.
fn accepted_cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for technology in Technology::ALL {
        let Ok(entries) = std::fs::read_dir(folder.join(technology.name())) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.join("case.json").is_file() {
                cases.push(Case::load(&path).expect("a case"));
            }
        }
    }
    cases.retain(|case| case.expect.verdict == "accept");
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}

#[test]
fn every_case_and_every_negative_has_the_expected_verdict() {
    let Some(folder) = evidence() else { return };
    let judged = judge_folder(&folder).expect("cases");
    let mut wrong = Vec::new();
    for case in &judged {
        for line in std::iter::once(&case.verdict).chain(&case.negatives) {
            println!("{} {}: {} ({})", case.id, line.what, line.found, line.detail);
            if !line.holds {
                wrong.push(format!(
                    "{} {}: {} expected, {} found ({})",
                    case.id, line.what, line.expected, line.found, line.detail
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged.len() >= 36, "{} cases", judged.len());
}

#[test]
fn no_flipped_byte_changes_a_claim() {
    let Some(folder) = evidence() else { return };
    let mut tried = 0;
    for case in accepted_cases(&folder) {
        let flips = flips(&case.inputs().expect("inputs"));
        println!(
            "{}: {} flips, {} refused, same claims: {:?}",
            case.id,
            flips.tried,
            flips.refused,
            flips.uncovered.iter().map(Region::name).collect::<Vec<_>>()
        );
        assert_eq!(flips.changed, [], "{}: claims changed", case.id);
        assert!(flips.tried > 0, "{}: not accepted", case.id);
        tried += flips.tried;
    }
    println!("{tried} flips");
}

#[test]
fn evidence_presented_as_another_technology_is_refused() {
    let Some(folder) = evidence() else { return };
    for case in accepted_cases(&folder) {
        for (technology, result) in cross_feed(&case.inputs().expect("inputs")) {
            assert!(result.is_err(), "{} passes as {}", case.id, technology.name());
        }
    }
}
