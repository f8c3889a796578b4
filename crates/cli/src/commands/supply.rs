//! `meshx supply`: every pool of the supply at a year, at several, or at a height.

use crate::settings::Settings;
use anyhow::{Context as _, Result};
use args::{Preset, Supply};
use ledger::Pools;
use serde_json::{Value, json};
use types::{Height, Schedule, SupplyPlan, YEAR_BLOCKS};

pub fn supply(settings: &Settings, asked: &Supply) -> Result<()> {
    let supply = of(asked.schedule)?;
    let years = asked.year.as_ref().map_or(0..=0, |years| years.0.clone());
    let heights: Vec<u64> = match asked.height {
        Some(height) => vec![height],
        None => years.clone().map(first_block).collect::<Result<_>>()?,
    };
    if let [height] = *heights {
        one(settings, &supply, Height::new(height));
        return Ok(());
    }
    if settings.json() {
        let rows: Vec<Value> =
            heights.iter().map(|height| object(&supply, Height::new(*height))).collect();
        println!("{}", json!({ "years": rows }));
        return Ok(());
    }
    println!(
        "{:>4}  {:>14}  {:>14}  {:>14}  {:>14}  {:>14}",
        "year", "emitted", "unemitted", "circulating", "locked", "total"
    );
    for (year, height) in years.zip(heights) {
        let at = supply.at(Height::new(height));
        let locked = at.total().saturating_sub(at.circulating()).saturating_sub(at.unemitted);
        let row = [at.emitted, at.unemitted, at.circulating(), locked, at.total()];
        let row = row.map(|amount| format!("{:>14}", amount.to_string()));
        println!("{year:>4}  {}", row.join("  "));
    }
    Ok(())
}

/// The supply under a preset.
pub fn of(preset: Preset) -> Result<ledger::Supply> {
    let schedule = match preset {
        Preset::Halving => Schedule::halving_every_two_years(),
        Preset::PaperTable => Schedule::paper_table(),
    };
    ledger::Supply::new(SupplyPlan::new(schedule)).context("a preset is sound")
}

fn first_block(year: u64) -> Result<u64> {
    year.checked_mul(YEAR_BLOCKS).context(
        "no block is that many years away\nhint: years are counted from genesis, such as --year 20",
    )
}

fn object(supply: &ledger::Supply, height: Height) -> Value {
    let at = supply.at(height);
    let reward = supply.emission().reward(height);
    let Pools { emitted, unemitted, team_vested, team_locked, ecosystem, treasury, liquidity } = at;
    json!({
        "height": height, "emitted": emitted, "unemitted": unemitted, "team_vested": team_vested,
        "team_locked": team_locked, "ecosystem": ecosystem, "treasury": treasury, "liquidity": liquidity,
        "circulating": at.circulating(), "total": at.total(), "reward": reward,
    })
}

fn one(settings: &Settings, supply: &ledger::Supply, height: Height) {
    if settings.json() {
        println!("{}", object(supply, height));
        return;
    }
    let at = supply.at(height);
    let reward = supply.emission().reward(height);
    let Pools { emitted, unemitted, team_vested, team_locked, ecosystem, treasury, liquidity } = at;
    println!("height       {height}");
    println!("emitted      {emitted} MESHX, {reward} by this block");
    println!("unemitted    {unemitted} MESHX");
    println!("team         {team_vested} MESHX vested, {team_locked} locked");
    println!("ecosystem    {ecosystem} MESHX, released by governance");
    println!("treasury     {treasury} MESHX, released by governance");
    println!("liquidity    {liquidity} MESHX");
    println!("circulating  {} MESHX", at.circulating());
    println!("total        {} MESHX", at.total());
}
