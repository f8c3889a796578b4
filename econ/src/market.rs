//! A market of buyers and providers who follow prices, around the rule that moves the price.
//!
//! Simulated: buyers buy less as the price rises, providers come as it pays and leave as it does not,
//! both late. What moves the price is `jobs::next_demand`, what a core-second costs is `jobs::price`:
//! the functions the chain is to use.

use jobs::{Multipliers, next_demand, price};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Serialize;
use types::{DemandRule, NanoMeshx, Ppm, Rates, Usage};

/// Utilisation within this much of the target counts as on target, in basis points.
pub const BAND_BPS: u16 = 500;

/// What is assumed of the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Market {
    /// What chance starts from: the same seed gives the same run.
    pub seed: u64,
    /// How many blocks the run has.
    pub blocks: u64,
    /// The demand multiplier at the start.
    pub demand: Ppm,
    /// Core-seconds a block that all providers offer at the base price.
    pub capacity: f64,
    /// Core-seconds a block that buyers want at the base price.
    pub wanted: f64,
    /// How much less is bought as the price rises: wanted · price^(−elasticity).
    pub buyers_elasticity: f64,
    /// How much more is offered: capacity · price^elasticity, approached slowly.
    pub providers_elasticity: f64,
    /// Part of the way to it that providers go in a block.
    pub providers_pace: f64,
    /// Random wobble of what is wanted, up and down, as a part of it.
    pub noise: f64,
    /// What is wanted jumps at the middle and at three quarters of the run.
    pub shocks: [Shock; 2],
}

/// From `block` on, what is wanted is `factor` times what it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shock {
    /// The block of the jump, from 0.
    pub block: u64,
    /// The new demand as a multiple of [`Market::wanted`].
    pub factor: f64,
}

impl Market {
    /// A market that starts at `demand`, is hit by four times the demand and then by a fifth of it.
    pub fn new(seed: u64, blocks: u64, demand: Ppm) -> Self {
        Self {
            seed,
            blocks,
            demand,
            capacity: 1_000.0,
            wanted: 900.0,
            buyers_elasticity: 0.8,
            providers_elasticity: 0.5,
            providers_pace: 0.002,
            noise: 0.02,
            shocks: [
                Shock { block: blocks / 2, factor: 4.0 },
                Shock { block: blocks / 4 * 3, factor: 0.8 },
            ],
        }
    }
}

/// One block of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Block {
    /// Its number in the run, from 0.
    pub block: u64,
    /// The demand multiplier that its jobs are priced at.
    pub demand: Ppm,
    /// Of one core-second.
    pub price: NanoMeshx,
    /// Core-seconds that providers offer in it.
    pub capacity: f64,
    /// Core-seconds that buyers take, at most `capacity`.
    pub sold: f64,
    /// `sold` as a part of `capacity`, in basis points.
    pub utilisation_bps: u16,
}

/// A simulated market, block by block.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// What was assumed.
    pub market: Market,
    /// The rule that moved the price.
    pub rule: DemandRule,
    /// Every block, in order.
    pub blocks: Vec<Block>,
}

impl Run {
    /// Blocks from `from` until utilisation, averaged over `over` blocks, is within [`BAND_BPS`] of the
    /// target for the first time; `None` if it never is before `to`.
    pub fn settles_after(&self, from: u64, to: u64, over: usize) -> Option<u64> {
        let part = self.blocks.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
        let target = i64::from(self.rule.target_bps);
        part.windows(over)
            .position(|window| {
                let sum: i64 = window.iter().map(|block| i64::from(block.utilisation_bps)).sum();
                let mean = sum / i64::try_from(over).unwrap_or(1).max(1);
                (mean - target).abs() <= i64::from(BAND_BPS)
            })
            .and_then(|position| u64::try_from(position).ok())
    }

    /// Share of the blocks in `from..to` within [`BAND_BPS`] of the target.
    pub fn in_band(&self, from: u64, to: u64) -> f64 {
        let target = self.rule.target_bps;
        let part: Vec<_> =
            self.blocks.iter().filter(|block| (from..to).contains(&block.block)).collect();
        let inside =
            part.iter().filter(|block| block.utilisation_bps.abs_diff(target) <= BAND_BPS).count();
        inside as f64 / part.len().max(1) as f64
    }
}

/// Let `market` run under `rule`; the same market always runs alike.
pub fn run(market: Market, rates: &Rates, rule: DemandRule) -> Run {
    let mut rng = StdRng::seed_from_u64(market.seed);
    let (mut demand, mut capacity) = (market.demand, market.capacity);
    let mut blocks = Vec::new();
    for block in 0..market.blocks {
        let multiple = f64::from(demand.get()) / f64::from(Ppm::ONE.get());
        let shock = market.shocks.iter().rev().find(|shock| block >= shock.block);
        let wobble = 1.0 + market.noise * (2.0 * rng.random::<f64>() - 1.0);
        let wanted = market.wanted
            * shock.map_or(1.0, |shock| shock.factor)
            * wobble
            * multiple.powf(-market.buyers_elasticity);
        let drawn = market.capacity * multiple.powf(market.providers_elasticity);
        capacity += (drawn - capacity) * market.providers_pace;
        let sold = wanted.min(capacity);
        // Between 0 and 10,000, because no more is sold than there is.
        let utilisation_bps = (sold / capacity * 10_000.0).round() as u16;
        blocks.push(Block {
            block,
            demand,
            price: core_second(rates, demand),
            capacity,
            sold,
            utilisation_bps,
        });
        demand = next_demand(demand, utilisation_bps, &rule);
    }
    Run { market, rule, blocks }
}

fn core_second(rates: &Rates, demand: Ppm) -> NanoMeshx {
    let usage = Usage { core_us: 1_000_000, ..Usage::default() };
    let multipliers = Multipliers { demand, ..Multipliers::ONE };
    price(&usage, rates, &multipliers)
        .expect("a core-second at any demand costs less than 2^64 nano")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: u64 = 2_000;

    fn at(seed: u64, demand: Ppm) -> Run {
        run(Market::new(seed, BLOCKS, demand), &Rates::PAPER, DemandRule::DEFAULT)
    }

    #[test]
    fn it_settles_from_below_and_from_above_and_after_each_shock() {
        for seed in 0..50 {
            for start in [DemandRule::DEFAULT.min, DemandRule::DEFAULT.max] {
                let run = at(seed, start);
                for (from, to) in [(0, 1_000), (1_000, 1_500), (1_500, 2_000)] {
                    let after = run.settles_after(from, to, 10);
                    assert!(
                        after.is_some_and(|after| after <= 200),
                        "{seed} {start} {from}: {after:?}"
                    );
                    let share = run.in_band(from + 200, to);
                    assert!(share > 0.95, "{seed} {start} {from}: {share} of the blocks on target");
                }
            }
        }
    }

    #[test]
    fn no_price_moves_by_more_than_an_eighth_in_a_block() {
        let run = at(7, DemandRule::DEFAULT.max);
        for pair in run.blocks.windows(2) {
            let (then, now) = (u64::from(pair[0].demand.get()), u64::from(pair[1].demand.get()));
            assert!(now * 8 <= then * 9 && now * 8 >= then * 7, "{then} then {now}");
        }
    }

    #[test]
    fn a_seed_means_one_run() {
        assert_eq!(at(3, Ppm::ONE).blocks, at(3, Ppm::ONE).blocks);
        assert_ne!(at(3, Ppm::ONE).blocks, at(4, Ppm::ONE).blocks);
    }
}
