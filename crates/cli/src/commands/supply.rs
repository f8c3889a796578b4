//! `meshx supply`: every pool of the supply at a year or a height.

use crate::{
    args::{Preset, Supply},
    settings::Settings,
};
use anyhow::{Context as _, Result};
use ledger::Pools;
use serde_json::json;
use types::{Height, Schedule, SupplyPlan, YEAR_BLOCKS};

pub fn supply(settings: &Settings, asked: &Supply) -> Result<()> {
    let height = match asked.height {
        Some(height) => height,
        None => asked.year.unwrap_or(0).checked_mul(YEAR_BLOCKS).context(
            "no block is that many years away\nhint: years are counted from genesis, such as --year 20",
        )?,
    };
    let schedule = match asked.schedule {
        Preset::Halving => Schedule::halving_every_two_years(),
        Preset::PaperTable => Schedule::paper_table(),
    };
    let supply = ledger::Supply::new(SupplyPlan::new(schedule)).context("a preset is sound")?;
    let at = supply.at(Height::new(height));
    let reward = supply.emission().reward(Height::new(height));
    let Pools { emitted, unemitted, team_vested, team_locked, ecosystem, treasury, liquidity } = at;
    if settings.json() {
        let object = json!({
            "height": height, "emitted": emitted, "unemitted": unemitted, "team_vested": team_vested,
            "team_locked": team_locked, "ecosystem": ecosystem, "treasury": treasury, "liquidity": liquidity,
            "circulating": at.circulating(), "total": at.total(), "reward": reward,
        });
        println!("{object}");
        return Ok(());
    }
    println!("height       {height}");
    println!("emitted      {emitted} MESHX, {reward} by this block");
    println!("unemitted    {unemitted} MESHX");
    println!("team         {team_vested} MESHX vested, {team_locked} locked");
    println!("ecosystem    {ecosystem} MESHX, released by governance");
    println!("treasury     {treasury} MESHX, released by governance");
    println!("liquidity    {liquidity} MESHX");
    println!("circulating  {} MESHX", at.circulating());
    println!("total        {} MESHX", at.total());
    Ok(())
}
