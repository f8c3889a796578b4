//! `meshx attest conformance` and `flips`: whole folders of cases.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use conformance::{Judged, Line};
use serde_json::json;

use crate::args::Output;

pub fn conformance(output: Output, folder: &Path) -> Result<ExitCode> {
    let cases = conformance::judge_folder(folder)?;
    let right = cases.iter().filter(|case| case.verdict.holds).count();
    let negatives = cases.iter().flat_map(|case| &case.negatives);
    let (all, refused) =
        (negatives.clone().count(), negatives.filter(|negative| negative.holds).count());
    if output == Output::Json {
        let report = json!({
            "cases": cases, "total": cases.len(), "right": right,
            "negatives": all, "negatives_right": refused,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{:<38} {:<24} {:<22} {:<20} negatives", "case", "expected", "found", "class");
        for case in &cases {
            print_case(case);
        }
        println!("{right} of {} cases right, {refused} of {all} negatives right", cases.len());
    }
    Ok(if right == cases.len() && refused == all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_case(case: &Judged) {
    let held = case.negatives.iter().filter(|negative| negative.holds).count();
    println!(
        "{:<38} {:<24} {:<22} {:<20} {held} of {}{}",
        case.id,
        case.verdict.expected,
        case.verdict.found,
        case.class.unwrap_or("-"),
        case.negatives.len(),
        if case.holds() { "" } else { "  WRONG" }
    );
    for Line { what, expected, found, detail, .. } in
        std::iter::once(&case.verdict).chain(&case.negatives).filter(|line| !line.holds)
    {
        println!("    {what}: {expected} expected, {found} found {detail}");
    }
}

pub fn flips(output: Output, folder: &Path) -> Result<ExitCode> {
    let reports = conformance::flip_folder(folder)?;
    let tried: u64 = reports.iter().map(|(_, flips)| flips.tried).sum();
    let refused: u64 = reports.iter().map(|(_, flips)| flips.refused).sum();
    let changed = reports.iter().flat_map(|(_, flips)| &flips.changed).count();
    if output == Output::Json {
        let cases: Vec<_> =
            reports.iter().map(|(id, flips)| json!({ "id": id, "flips": flips })).collect();
        let report =
            json!({ "cases": cases, "tried": tried, "refused": refused, "changed": changed });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for (id, flips) in &reports {
            println!("{id}: {} flips, {} refused", flips.tried, flips.refused);
            for region in &flips.uncovered {
                println!("    same claims: {}", region.name());
            }
            for region in &flips.changed {
                println!("    OTHER CLAIMS: {}", region.name());
            }
        }
        println!(
            "{tried} flips, {refused} refused, {} same claims, {changed} regions with other claims",
            tried - refused
        );
    }
    Ok(if changed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
