//! `meshx-sim`: run seeds, show figures, replay failures.

use anyhow::{Context as _, bail};
use sim::{Outcome, Plants, Scenario, Tally, run};
use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

const USAGE: &str = "\
usage: meshx-sim [--seeds N] [--first F] [--jobs J]   run seeds F to F + N − 1, J at a time
       meshx-sim --seed S [--trace]                   replay one seed and show what happened";

/// A sign of life after so many seeds.
const PROGRESS_EVERY: u64 = 100;

struct Wanted {
    first: u64,
    seeds: u64,
    jobs: u64,
    one: Option<u64>,
    trace: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let wanted = wanted(std::env::args().skip(1))?;
    if wanted.trace {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    // A panic inside a simulation is one of its results, told with its seed.
    if wanted.one.is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
    match wanted.one {
        Some(seed) => Ok(replay(seed)),
        None => Ok(run_all(&wanted)),
    }
}

fn wanted(mut words: impl Iterator<Item = String>) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted { first: 0, seeds: 50, jobs: 2, one: None, trace: false };
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            let text = words.next().with_context(|| format!("{word} wants a number"))?;
            text.parse().with_context(|| format!("{word} wants a number, not {text:?}"))
        };
        match word.as_str() {
            "--seeds" => wanted.seeds = number()?,
            "--first" => wanted.first = number()?,
            "--jobs" => wanted.jobs = number()?.max(1),
            "--seed" => wanted.one = Some(number()?),
            "--trace" => wanted.trace = true,
            _ => bail!("{word} is not understood\n{USAGE}"),
        }
    }
    Ok(wanted)
}

fn replay(seed: u64) -> ExitCode {
    let outcome = run(&Scenario::draw(seed), Plants::default());
    for line in &outcome.log {
        println!("{line}");
    }
    println!("trace {}", outcome.trace);
    tell(&outcome);
    code(outcome.violations.is_empty())
}

fn run_all(wanted: &Wanted) -> ExitCode {
    let started = Instant::now();
    let next = AtomicU64::new(wanted.first);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            // The engine's state machines are large before optimisation.
            let thread = std::thread::Builder::new().stack_size(64 << 20);
            let work = || loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= wanted.first.saturating_add(wanted.seeds) {
                    return;
                }
                let outcome = run(&Scenario::draw(seed), Plants::default());
                let mut tally = tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                tell(&outcome);
                tally.add(&outcome);
                if tally.seeds().is_multiple_of(PROGRESS_EVERY) {
                    let seconds = started.elapsed().as_secs();
                    eprintln!("{} seeds, {} failed, {seconds} s", tally.seeds(), tally.failed());
                }
            };
            thread.spawn_scoped(scope, work).expect("a thread starts");
        }
    });
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("\n{tally}\n{} seeds in {} s", wanted.seeds, started.elapsed().as_secs());
    code(tally.failed() == 0)
}

/// Say what went wrong and how to see it again.
fn tell(outcome: &Outcome) {
    for violation in &outcome.violations {
        println!("seed {} failed: {violation}", outcome.seed);
    }
    if !outcome.violations.is_empty() {
        println!("  replay: cargo xtask sim --seed {}", outcome.seed);
    }
}

fn code(fine: bool) -> ExitCode {
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
