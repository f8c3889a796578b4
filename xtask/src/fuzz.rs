//! `cargo xtask fuzz`: libFuzzer over the targets of `fuzz/`, one after the other.
//!
//! The compiler's coverage passes are reached through stable flags, libFuzzer comes as a crate and is built by the C++
//! compiler of the machine: no nightly, no clang. There is no AddressSanitizer either; see docs/fuzzing.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report::{Outcome, Report};
use crate::workspace;

/// Seconds per target when nobody says otherwise.
pub const SECONDS: u32 = 60;
/// What `cargo xtask test` spends on each: enough to start from every seed, and to notice what a seed is next to.
pub const SECONDS_IN_TEST: u32 = 3;

/// Memory at which an input is a finding, in MiB: no target needs a tenth of it.
const MEMORY_MIB_MAX: u32 = 2_048;
/// Seconds at which a single input is one.
const INPUT_SECONDS_MAX: u32 = 20;

/// Counters on every edge, tables of where they are, and the operands of comparisons.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Fuzz the targets called `names` (all, if there are none), each for `seconds`.
pub fn run(root: &Path, names: &[&str], seconds: u32, report: &mut Report) -> Result<()> {
    let known = targets(root)?;
    if let Some(name) = names.iter().find(|name| !known.iter().any(|known| known == *name)) {
        bail!("no fuzz target is called {name}\nhint: there are {}", known.join(", "));
    }
    let program = match build(root) {
        Ok(program) => program,
        Err(why) => {
            report.add("fuzz", Outcome::PassedOver(why));
            return Ok(());
        }
    };
    for name in known.iter().filter(|known| names.is_empty() || names.contains(&known.as_str())) {
        let (line, outcome) = fuzz(root, &program, name, seconds)?;
        report.add(&format!("fuzz {name}: {line}"), outcome);
    }
    Ok(())
}

/// Each target has a folder of seeds; a test of the targets sees to that.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/seeds");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

/// The fuzzer, built; or why it cannot be.
fn build(root: &Path) -> Result<PathBuf, String> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return Err("its flags are tried on Linux only".into());
    }
    if !Command::new("c++").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Err("there is no C++ compiler (c++) to build libFuzzer with".into());
    }
    let folder = root.join("fuzz");
    // The fuzzers run what the workspace runs, version by version.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| error.to_string())?;
    let output = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| folder.join("target"), |target| PathBuf::from(target).join("fuzz"));
    let host = workspace::host().map_err(|error| format!("{error:#}"))?;
    let status = Command::new(workspace::cargo())
        .args(["build", "--quiet", "--release", "--target", &host])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &output)
        .env("RUSTFLAGS", INSTRUMENTED)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status();
    match status {
        Ok(status) if status.success() => Ok(output.join(host).join("release/run")),
        _ => Err("it does not build here; the reason is above".into()),
    }
}

fn fuzz(root: &Path, program: &Path, name: &str, seconds: u32) -> Result<(String, Outcome)> {
    let fuzz = root.join("fuzz");
    let [corpus, findings] = ["corpus", "findings"].map(|kind| fuzz.join(kind).join(name));
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let start: Vec<PathBuf> = ["seeds", "regressions"]
        .map(|kind| fuzz.join(kind).join(name))
        .into_iter()
        .filter(|f| f.is_dir())
        .collect();
    let output = Command::new(program)
        .env("MESHX_FUZZ_TARGET", name)
        .env("RUST_BACKTRACE", "0")
        .arg(&corpus)
        .args(start)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1")
        .current_dir(root)
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let line = summary(&log);
    if output.status.success() {
        return Ok((line, Outcome::Passed));
    }
    let mut faults: Vec<String> = log
        .lines()
        .skip_while(|line| !line.contains("panicked at"))
        .take(4)
        .map(str::to_owned)
        .collect();
    let marker = "Test unit written to ";
    match log.lines().find_map(|line| line.split_once(marker)) {
        Some((_, path)) => faults.push(format!(
            "replay it: MESHX_FUZZ_TARGET={name} {} {path}\nfixed? move it to fuzz/regressions/{name}/",
            program.display()
        )),
        None => faults.extend(log.lines().rev().take(8).map(str::to_owned)),
    }
    Ok((line, Outcome::Failed(faults)))
}

/// `12345 executions, 411/s, coverage 1200 -> 1310, corpus 40 -> 75`.
fn summary(log: &str) -> String {
    let statistic = |name: &str| {
        let line = log.lines().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
        line.map_or_else(|| "?".to_owned(), |value| value.trim().to_owned())
    };
    let after = |line: &str, word: &str| {
        let mut words = line.split_whitespace().skip_while(|found| *found != word);
        words.nth(1).map(|found| found.split('/').next().unwrap_or(found).to_owned())
    };
    let states: Vec<&str> =
        log.lines().filter(|line| line.starts_with('#') && line.contains("cov: ")).collect();
    let grown = |word| {
        let inited = states.iter().find(|line| line.contains("INITED")).or(states.first());
        let [first, last] = [inited, states.last()]
            .map(|line| line.and_then(|line| after(line, word)).unwrap_or_else(|| "?".into()));
        format!("{first} -> {last}")
    };
    format!(
        "{} executions, {}/s, coverage {}, corpus {}",
        statistic("number_of_executed_units"),
        statistic("average_exec_per_sec"),
        grown("cov:"),
        grown("corp:"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_run_in_one_line() {
        let log = "INFO: seed corpus\n\
            #2\tINITED cov: 100 ft: 120 corp: 4/80b exec/s: 0 rss: 30Mb\n\
            #9\tNEW    cov: 130 ft: 150 corp: 7/99b lim: 4 exec/s: 9 rss: 30Mb\n\
            stat::number_of_executed_units: 9\n\
            stat::average_exec_per_sec:     3\n";
        assert_eq!(super::summary(log), "9 executions, 3/s, coverage 100 -> 130, corpus 4 -> 7");
    }
}
