//! `meshx econ`: pictures of the economy, and a market to try its rules on.

use crate::args::{EconVerb, From, Output, Preset};
use ::econ::{Market, Run, market_svg, run, supply_svg};
use anyhow::{Context as _, Result};
use ledger::Supply;
use std::path::Path;
use types::{DemandRule, Rates, Schedule, SupplyPlan};

/// Rows of the printed table.
const ROWS: u64 = 40;
/// Utilisation wobbles with what is bought, so it is judged over so many blocks.
const OVER: usize = 10;

pub fn econ(output: Output, verb: &EconVerb) -> Result<()> {
    match verb {
        EconVerb::Plot { out, schedule } => plot(out, *schedule),
        EconVerb::Sim { seed, blocks, from, out } => {
            let rule = DemandRule::DEFAULT;
            let start = match from {
                From::Below => rule.min,
                From::Above => rule.max,
            };
            let run = run(Market::new(*seed, *blocks, start), &Rates::PAPER, rule);
            if let Some(out) = out {
                write(out, &market_svg(&run)?)?;
            }
            show(output, &run)
        }
    }
}

fn plot(out: &Path, schedule: Preset) -> Result<()> {
    let schedule = match schedule {
        Preset::Halving => Schedule::halving_every_two_years(),
        Preset::PaperTable => Schedule::paper_table(),
    };
    let supply = Supply::new(SupplyPlan::new(schedule)).context("a preset is sound")?;
    write(out, &supply_svg(&supply)?)
}

fn write(path: &Path, svg: &str) -> Result<()> {
    client::write_whole(path, svg.as_bytes(), false)?;
    eprintln!("drew {}", path.display());
    Ok(())
}

fn show(output: Output, run: &Run) -> Result<()> {
    if output == Output::Json {
        println!("{}", serde_json::to_string(run)?);
        return Ok(());
    }
    println!(
        "{:>8}  {:>10}  {:>16}  {:>12}  {:>8}",
        "block", "demand", "MESHX/core-s", "core-s/block", "used %"
    );
    let every = run.market.blocks.div_ceil(ROWS).max(1);
    for block in run.blocks.iter().filter(|block| block.block % every == 0) {
        println!(
            "{:>8}  {:>10}  {:>16}  {:>12.0}  {:>8.2}",
            block.block,
            block.demand.to_string(),
            block.price.to_string(),
            block.capacity,
            f64::from(block.utilisation_bps) / 100.0
        );
    }
    let [first, second] = run.market.shocks;
    let stretches = [
        ("from the start".to_owned(), 0, first.block),
        (format!("with {} times the demand", first.factor), first.block, second.block),
        (format!("with {} times the demand", second.factor), second.block, run.market.blocks),
    ];
    for (what, from, to) in stretches {
        match run.settles_after(from, to, OVER) {
            Some(after) => println!(
                "{what}: within 5 points of {} % after {after} blocks, {:.0} % of the blocks after that",
                run.rule.target_bps / 100,
                run.in_band(from + after, to) * 100.0
            ),
            None => println!("{what}: not within 5 points of the target in {} blocks", to - from),
        }
    }
    println!("simulated: buyers, providers and shocks are assumed; the price rule is the chain's");
    Ok(())
}
