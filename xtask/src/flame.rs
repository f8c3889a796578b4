//! `cargo xtask flame`: where the time of a transfer goes.
//!
//! Runs `meshx bench tx` under `perf`, adds up the samples by what the program was doing, and divides by the
//! transfers it made: a budget per transfer and validator. The folded stacks go to a file that any flame graph
//! tool draws.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::report::{Outcome, Report};

/// Samples per second and core. With whole stacks kept, more would make the profile profile itself.
const HERTZ: &str = "199";
const SECONDS: &str = "20";

/// What a stack belongs to: the first line of which one pattern is in any of its frames.
const PARTS: &[(&str, &[&str])] = &[
    ("signature", &["verify_batch", "curve25519_dalek", "ed25519_zebra"]),
    ("root (hashing the state)", &["merkleize", "merkle::"]),
    ("state write", &["apply_batch", "::commit", "journal", "finalize"]),
    ("state read", &["get_many", "page_cache", "buffer::paged"]),
    ("execution", &["apply_block", "chain::"]),
    ("mempool", &["mempool::", "intake"]),
    ("decode and encode", &["read_cfg", "commonware_codec", "Tx as", "types::"]),
    ("threshold signatures", &["blst", "bls12381", "mulx_mont", "_mont_384"]),
    ("consensus", &["simplex", "marshal", "broadcast", "commonware_consensus", "stateful"]),
    ("load generator", &["bench::"]),
];
const REST: &str = "runtime, kernel and the rest";

pub fn run(root: &Path, binary: Option<&str>, report: &mut Report) {
    match profile(root, binary) {
        Ok(Some(table)) => {
            println!("{table}");
            report.add("flame", Outcome::Passed);
        }
        Ok(None) => {
            report.add("flame", Outcome::PassedOver("there is no perf on this machine".into()))
        }
        Err(error) => report.add("flame", Outcome::Failed(vec![format!("{error:#}")])),
    }
}

/// `None` where there is no `perf`.
fn profile(root: &Path, binary: Option<&str>) -> Result<Option<String>> {
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !quiet(Command::new("perf").arg("--version")) {
        return Ok(None);
    }
    let built = root.join(target_folder()).join("release/meshx");
    let binary = match binary {
        Some(path) => path.to_owned(),
        None => {
            // `meshx bench` starts the lab, which is beside it.
            let build = ["build", "--release", "--package", "meshx-cli", "--package", "meshx-lab"];
            let status = Command::new("cargo").args(build).current_dir(root).status()?;
            if !status.success() {
                bail!("the release build failed");
            }
            built.display().to_string()
        }
    };
    let data = std::env::temp_dir().join(format!("meshx-flame-{}.data", std::process::id()));
    let record = Command::new("perf")
        .args(["record", "--quiet", "--freq", HERTZ, "--call-graph", "dwarf,16384", "--output"])
        .arg(&data)
        .args(["--", &binary, "bench", "tx", "--seconds", SECONDS, "--output", "json"])
        .stderr(Stdio::inherit())
        .output()
        .context("perf record")?;
    let bench: serde_json::Value =
        serde_json::from_slice(&record.stdout).context("the benchmark's own report")?;
    let script = Command::new("perf")
        .args(["script", "--no-inline", "--fields", "comm,ip,sym", "--input"])
        .arg(&data)
        .stderr(Stdio::null())
        .output()
        .context("perf script")?;
    fs::remove_file(&data)?;
    let stacks = fold(&String::from_utf8_lossy(&script.stdout));
    let folded = root.join("target/flame.folded");
    fs::create_dir_all(folded.parent().context("a folder")?)?;
    let lines: Vec<String> = stacks.iter().map(|(stack, n)| format!("{stack} {n}")).collect();
    fs::write(&folded, lines.join("\n") + "\n")?;
    let cpu_us = bench["results"]["cpu_us_per_transfer_per_validator"]
        .as_f64()
        .context("the benchmark gives CPU per transfer")?;
    Ok(Some(table(&stacks, cpu_us, &folded)))
}

fn target_folder() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into())
}

/// Samples by stack, outermost frame first, frames joined by semicolons.
fn fold(script: &str) -> BTreeMap<String, u64> {
    let mut stacks = BTreeMap::new();
    for sample in script.split("\n\n") {
        let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
        let Some(name) = lines.next() else { continue };
        // An address and a symbol, innermost first.
        let mut frames: Vec<&str> = lines
            .filter_map(|line| line.trim().split_once(' '))
            .map(|(_, symbol)| symbol.trim())
            .collect();
        frames.push(name.trim());
        frames.reverse();
        *stacks.entry(frames.join(";")).or_default() += 1;
    }
    stacks
}

fn part_of(stack: &str) -> &'static str {
    let part = PARTS.iter().find(|(_, patterns)| patterns.iter().any(|p| stack.contains(p)));
    part.map_or(REST, |(name, _)| *name)
}

fn table(stacks: &BTreeMap<String, u64>, cpu_us: f64, folded: &Path) -> String {
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for (stack, count) in stacks {
        *parts.entry(part_of(stack)).or_default() += count;
    }
    let all: u64 = parts.values().sum::<u64>().max(1);
    let mut parts: Vec<(&str, u64)> = parts.into_iter().collect();
    parts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut text = "| part | share | µs per transfer and validator |\n|---|---|---|\n".to_owned();
    for (name, count) in parts {
        let share = count as f64 / all as f64;
        text += &format!("| {name} | {:.1} % | {:.2} |\n", share * 100.0, share * cpu_us);
    }
    text + &format!(
        "| all | 100 % | {cpu_us:.2} |\n\n{all} samples; stacks for a flame graph in {}",
        folded.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_folded_from_the_outside_in() {
        let script = "tokio-rt-worker \n\tff01 inner\n\tff02 outer\n\ntokio-rt-worker \n\tff01 inner\n\tff02 outer\n";
        let stacks = fold(script);
        assert_eq!(stacks, BTreeMap::from([("tokio-rt-worker;outer;inner".to_owned(), 2)]));
    }

    #[test]
    fn a_stack_belongs_to_its_first_part() {
        assert_eq!(part_of("a;consensus::intake;crypto::verify_batch;mul"), "signature");
        assert_eq!(part_of("a;consensus::intake;mempool::Pool"), "mempool");
        assert_eq!(part_of("a;b"), REST);
    }
}
