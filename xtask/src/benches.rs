//! Each benchmark for two seconds, in the program that the tests were just built with.
//!
//! A debug build's figures say nothing about a release, and nobody reads them here: what is checked is that each benchmark
//! still runs to its end, that its audit holds, and that something was measured.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::report::{Outcome, Report};
use crate::torture::target;

/// A benchmark: its words, and the results without which it measured nothing.
struct Bench {
    words: &'static [&'static str],
    /// Each must be a number above zero.
    figures: &'static [&'static str],
    /// Each must begin with `exact`.
    audits: &'static [&'static str],
    /// Somebody else's program that it starts.
    needs: Option<&'static str>,
}

/// Loads that a debug build on two busy cores can carry.
const BENCHES: [Bench; 7] = [
    Bench {
        words: &["tx", "--seconds", "2", "--warmup", "1", "--rate", "200", "--senders", "100"],
        figures: &["transfers_final", "transfers_per_second", "finality_p99_ms"],
        audits: &["supply"],
        needs: None,
    },
    Bench {
        words: &["jobs", "--seconds", "2", "--warmup", "1", "--rate", "40", "--replicas", "2"],
        figures: &["jobs_settled", "jobs_per_second", "settlement_p99_ms"],
        audits: &["money"],
        needs: None,
    },
    Bench {
        words: &["sandbox", "--seconds", "2", "--functions", "100"],
        figures: &["jobs_per_second_per_core", "compile_ms_per_mib"],
        audits: &[],
        needs: None,
    },
    Bench {
        words: &["sign", "--seconds", "2", "--batch", "64", "--keys", "64"],
        figures: &["verify_single_us", "batch_speedup"],
        audits: &[],
        needs: None,
    },
    Bench {
        words: &["state", "--keys", "2000", "--batch", "200", "--batches", "5", "--cache", "16"],
        figures: &["inserts_per_second", "updates_per_second"],
        audits: &[],
        needs: None,
    },
    Bench {
        words: &["compare", "--seconds", "2", "--warmup", "1", "--rate", "200"],
        figures: &["meshx_per_second", "cometbft_per_second", "ratio_finality_p50_ms"],
        audits: &["meshx_supply"],
        needs: Some("cometbft"),
    },
    Bench { words: &["net", "--seconds", "1"], figures: &[], audits: &[], needs: None },
];

/// Run all of them.
pub fn run_in_test(root: &Path, report: &mut Report) {
    let lab = target(root).join("debug/meshx-lab");
    for bench in &BENCHES {
        let step = format!("bench {}", bench.words.join(" "));
        let missing = bench.needs.filter(|program| {
            !Command::new(program).arg("version").output().is_ok_and(|ran| ran.status.success())
        });
        let outcome = if let Some(program) = missing {
            Outcome::PassedOver(format!("{program} is not installed"))
        } else if lab.is_file() {
            let run = Command::new(&lab)
                .arg("bench")
                .args(bench.words)
                .args(["--output", "json"])
                .current_dir(root)
                .output();
            match run.context("cannot start it").and_then(|output| judge(bench, &output)) {
                Ok(()) => Outcome::Passed,
                Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
            }
        } else {
            Outcome::PassedOver(format!("there is no {}: the tests did not build", lab.display()))
        };
        report.add(&step, outcome);
    }
}

/// Whether a run measured something, and no money appeared or disappeared.
fn judge(bench: &Bench, output: &Output) -> Result<()> {
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let said: Value = serde_json::from_slice(&output.stdout).context("its report is no JSON")?;
    let results = said["results"].as_object().context("its report has no results")?;
    ensure!(!results.is_empty(), "its report has no results");
    for name in bench.figures {
        let figure = results.get(*name).and_then(Value::as_f64);
        ensure!(figure.is_some_and(|figure| figure > 0.0), "{name} is {figure:?}, not above zero");
    }
    for name in bench.audits {
        let found = results.get(*name).and_then(Value::as_str);
        ensure!(
            found.is_some_and(|found| found.starts_with("exact")),
            "{name} is {found:?}, not exact"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::{BENCHES, judge};

    fn said(code: i32, text: &str) -> Output {
        let status = ExitStatus::from_raw(code << 8);
        Output { status, stdout: text.into(), stderr: b"balances differ".to_vec() }
    }

    #[test]
    fn a_benchmark_that_fails_measures_nothing_or_loses_money_is_told() {
        let transfers = &BENCHES[0];
        let report = |rate: &str, supply: &str| {
            format!(
                r#"{{"results": {{"transfers_final": 5, "transfers_per_second": {rate}, "finality_p99_ms": 9.5, "supply": "{supply}"}}}}"#
            )
        };
        judge(transfers, &said(0, &report("2.5", "exact: all of it"))).unwrap();
        let fault = |output| judge(transfers, &output).unwrap_err().to_string();
        assert!(fault(said(125, "")).contains("balances differ"));
        assert!(fault(said(0, &report("0", "exact"))).contains("transfers_per_second"));
        assert!(fault(said(0, &report("2.5", "one nano is missing"))).contains("supply"));
        assert!(fault(said(0, r#"{"results": {}}"#)).contains("no results"));
    }
}
