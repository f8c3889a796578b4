//! The project's own commands: `cargo xtask test | ci | tidy | codegen | sim | torture | natlab | meshlab | torlab | presencelab | crowd | examples | docs | fuzz | geo | flame`.
//!
//! What a shell script would do is done here, so that it runs alike on every machine and in CI. Needs nothing but Rust;
//! a step that wants more (Go, Node, Zig, a wasm target) is *passed over* with its reason when that is missing.

mod benches;
mod ci;
mod codegen;
mod crowd;
mod docs;
mod examples;
mod flame;
mod fuzz;
mod geo;
mod lab;
mod meshlab;
mod natlab;
mod presencelab;
mod report;
mod scratch;
mod sim;
mod test;
mod tidy;
mod torlab;
mod torture;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::report::Report;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                      all of ci, then 50 simulations, examples --check, the quick commands of the pages, each
                            benchmark for two seconds, a short torture and a short fuzz
  ci                        fmt, tidy, cargo-deny, cargo-machete and typos (where installed), clippy and rustdoc with
                            warnings as errors, cargo test --workspace
  tidy                      the rules of the design that a machine can check; builds the tests of types, no more
  codegen                   write vectors/*.json, the schemas of the nouns and openapi.json anew, from the nouns in types
  sim [--seeds N] [--first F] [--jobs J]
                            simulate N networks (50) from seed F (0), J at a time (2), and show figures
  sim --seed S [--trace]    replay one simulation and show what happened; --trace follows RUST_LOG
  torture [--kills N] [--flips N] [--folders] [--flood SECONDS] [--seed S] [--binary PATH] [--dir DIR]
                            real processes killed under load (50), on damaged (100), unusable or flooded (30 s)
                            folders; builds the release binary unless PATH names one; DIR is on a disk
  examples [NAME…]          rebuild the wasm of the examples from source and record the toolchains
  examples --check [NAME…]  rebuild elsewhere and compare with what is committed; touches nothing
  flame [BINARY]            profile transfers (needs perf): what each part costs per transfer and validator
  docs [PAGE…]              run what README.md, docs and examples tell readers to type, with the debug binaries
  natlab [SCENARIO…] [--binary PATH]
                            workers behind NATs in namespaces of the network (root, ../shared/lab): a job, and who reaches whom
  meshlab [--binary PATH]   eight processes in eight namespaces (root): a job, a killed validator, a lost disk, a cut network
  torlab [--binary PATH]    workers and gateways that meet through Tor only (root, ../shared/lab): a job, and a capture
  presencelab [chain] [--binary PATH]
                            witnesses on seven continents in seven namespaces (root): who stands where it says, who does not;
                            chain: and eight validators, whose places decide which shard each votes on
  crowd [PROCESSES] [--binary PATH]
                            that many processes (50) that know one address: one Kademlia, each finds ten others
  geo FILE                  bake the map of continents from countries-50m.json of the npm package world-atlas 2.0.2
  fuzz [TARGET…] [--seconds N]  feed made-up bytes to all decoders and to apply_block, N seconds (60) each

Exits 0 when nothing failed, 1 when something did, 2 when the command was not understood.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if matches!(words[..], ["help" | "--help" | "-h"]) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    match run(&words, &mut report) {
        Ok(true) => report.finish(),
        Ok(false) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False if the words are no command.
fn run(words: &[&str], report: &mut Report) -> Result<bool> {
    let root = workspace::root()?;
    match words {
        ["test"] => test::run(&root, report),
        ["ci"] => ci::run(&root, report),
        ["tidy"] => tidy::run(&root, report),
        ["codegen"] => codegen::run(&root, report),
        ["flame"] => flame::run(&root, None, report),
        ["flame", binary] => flame::run(&root, Some(binary), report),
        ["sim", rest @ ..] if sim::understood(rest) => sim::run(&root, rest, report),
        ["torture", rest @ ..] if torture::understood(rest) => torture::run(&root, rest, report),
        ["examples", rest @ ..] => {
            let (flags, names): (Vec<&str>, Vec<&str>) =
                rest.iter().partition(|word| word.starts_with('-'));
            let check = match flags[..] {
                [] => false,
                ["--check"] => true,
                _ => return Ok(false),
            };
            if let Some(name) = names.iter().find(|name| !examples::known(name)) {
                bail!("no example is called {name}\nhint: there are {}", examples::names());
            }
            examples::run(&root, check, &names, report)
        }
        ["docs", names @ ..] if names.iter().all(|name| name.ends_with(".md")) => {
            docs::run(&root, names, true, report);
        }
        ["natlab", rest @ ..] => {
            let (names, binary) = match rest {
                [names @ .., "--binary", path] => (names, std::path::PathBuf::from(path)),
                names => (names, torture::built(&root)?),
            };
            if names.iter().any(|name| !natlab::known(name)) {
                return Ok(false);
            }
            natlab::run(&root, names, &std::fs::canonicalize(binary)?, report);
        }
        ["meshlab"] => meshlab::run(&root, &torture::built(&root)?, report),
        ["meshlab", "--binary", path] => {
            meshlab::run(&root, &std::fs::canonicalize(path)?, report);
        }
        ["torlab"] => torlab::run(&root, &torture::built(&root)?, report),
        ["torlab", "--binary", path] => {
            torlab::run(&root, &std::fs::canonicalize(path)?, report);
        }
        ["presencelab"] => presencelab::run(&torture::built(&root)?, report),
        ["presencelab", "chain"] => {
            presencelab::run_chain(&root, &torture::built(&root)?, report);
        }
        ["presencelab", "chain", "--binary", path] => {
            presencelab::run_chain(&root, &std::fs::canonicalize(path)?, report);
        }
        ["presencelab", "--binary", path] => {
            presencelab::run(&std::fs::canonicalize(path)?, report);
        }
        ["geo", atlas] => geo::run(&root, atlas)?,
        ["crowd", rest @ ..] => {
            let (count, binary) = match rest {
                [count @ .., "--binary", path] => (count, std::path::PathBuf::from(path)),
                count => (count, torture::built(&root)?),
            };
            let count = match count {
                [] => Some(50),
                [count] => count.parse().ok().filter(|count| (2..=500).contains(count)),
                _ => None,
            };
            let Some(count) = count else { return Ok(false) };
            crowd::run(count, &std::fs::canonicalize(binary)?, report);
        }
        ["fuzz", rest @ ..] => {
            let (names, seconds) = match rest {
                [names @ .., "--seconds", number] => (names, number.parse().ok()),
                ["--seconds", number, names @ ..] => (names, number.parse().ok()),
                names => (names, Some(fuzz::SECONDS)),
            };
            let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else { return Ok(false) };
            if names.iter().any(|name| name.starts_with('-')) {
                return Ok(false);
            }
            fuzz::run(&root, names, seconds, report)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
