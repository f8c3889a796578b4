//! Supply: where all MESHX there will ever be comes from, as a genesis carries it.

use crate::{Height, List, NanoMeshx, SUPPLY_MAX, Wire};
use serde::{Deserialize, Serialize};

/// Backbone blocks of 500 ms in a year of 365 days.
pub const YEAR_BLOCKS: u64 = 63_072_000;

/// Backbone blocks between two halvings: two years.
pub const ERA_BLOCKS: u64 = 2 * YEAR_BLOCKS;

/// Most steps of a [`Schedule`]; halving a u64 to nothing takes at most 64.
pub const STEPS_MAX: usize = 64;

const MESHX: u64 = 1_000_000_000;

/// A stretch of blocks over which `amount` is emitted evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct EmissionStep {
    /// How long it lasts; not zero.
    pub blocks: u64,
    /// What all blocks of the step mint together.
    pub amount: NanoMeshx,
}

/// Emission as data: the steps follow each other from block 0, and after the last nothing is emitted.
///
/// What a schedule must fulfil is checked by `ledger::Emission::new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Schedule {
    /// One after the other.
    pub steps: List<EmissionStep, STEPS_MAX>,
}

impl Schedule {
    /// The default: 10^9 MESHX a year, halved every two years, the last two eras alike; exactly
    /// 4·10^9 at year 20 (docs/adr/0008).
    pub fn halving_every_two_years() -> Self {
        let eras = (0..10_u32).map(|era| (ERA_BLOCKS, (2_000_000_000 * MESHX) >> era.min(8)));
        Self::of(eras)
    }

    /// The paper's own figures (whitepaper §3.3): 10^9, 5·10^8 and 2.5·10^8 MESHX in the years 1 to 3,
    /// the rate of year 3 holding for two years and halving every two years from there until less than
    /// a nano is left of an era. That is 2,498,046,875 MESHX at year 20 and never 2.5·10^9: at least
    /// 1.5·10^9 of the mining pool is never emitted.
    pub fn paper_table() -> Self {
        let years = [(YEAR_BLOCKS, 1_000_000_000 * MESHX), (YEAR_BLOCKS, 500_000_000 * MESHX)];
        let eras = (0..64_u32).map(|era| (ERA_BLOCKS, (500_000_000 * MESHX) >> era));
        Self::of(years.into_iter().chain(eras.take_while(|(_, amount)| *amount > 0)))
    }

    fn of(steps: impl Iterator<Item = (u64, u64)>) -> Self {
        let steps =
            steps.map(|(blocks, amount)| EmissionStep { blocks, amount: NanoMeshx::new(amount) });
        Self { steps: List::new(steps.collect()).expect("a preset has at most 64 steps") }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::halving_every_two_years()
    }
}

/// Money that becomes its owner's in proportion to time, but not before a cliff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Vesting {
    /// How much vests altogether.
    pub total: NanoMeshx,
    /// The block at which vesting starts.
    pub start: Height,
    /// Blocks from `start` before which nothing has vested; at most `length_blocks`.
    pub cliff_blocks: u64,
    /// Blocks from `start` after which everything has; not zero.
    pub length_blocks: u64,
}

impl Vesting {
    /// The team's share: four years with a cliff of one (DESIGN §6).
    pub fn team(total: NanoMeshx) -> Self {
        Self {
            total,
            start: Height::ZERO,
            cliff_blocks: YEAR_BLOCKS,
            length_blocks: 4 * YEAR_BLOCKS,
        }
    }
}

/// The pools everything is divided into at genesis. They sum to exactly [`SUPPLY_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Distribution {
    /// Reserved for emission; no account holds it.
    pub mining: NanoMeshx,
    /// Released by governance.
    pub ecosystem: NanoMeshx,
    /// Vests, see [`Vesting::team`].
    pub team: NanoMeshx,
    /// Released by governance.
    pub treasury: NanoMeshx,
    /// Free from genesis.
    pub liquidity: NanoMeshx,
}

impl Distribution {
    /// The paper's: 40, 20, 15, 15 and 10 % (whitepaper §3.3).
    pub const PAPER: Self = Self {
        mining: percent(40),
        ecosystem: percent(20),
        team: percent(15),
        treasury: percent(15),
        liquidity: percent(10),
    };
}

/// Of everything; exact, because the supply is a multiple of 100.
const fn percent(share: u64) -> NanoMeshx {
    NanoMeshx::new(SUPPLY_MAX.get() / 100 * share)
}

/// What a genesis says about supply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct SupplyPlan {
    /// How much each pool gets at genesis.
    pub distribution: Distribution,
    /// How the mining pool is minted.
    pub schedule: Schedule,
    /// How the team's pool vests.
    pub team: Vesting,
}

impl SupplyPlan {
    /// The paper's distribution, emitted by `schedule`.
    pub fn new(schedule: Schedule) -> Self {
        let distribution = Distribution::PAPER;
        Self { distribution, schedule, team: Vesting::team(distribution.team) }
    }
}

impl Default for SupplyPlan {
    fn default() -> Self {
        Self::new(Schedule::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{DecodeExt as _, Encode as _};

    #[test]
    fn both_presets_read_back_as_written() {
        for schedule in [Schedule::halving_every_two_years(), Schedule::paper_table()] {
            let plan = SupplyPlan::new(schedule);
            assert_eq!(SupplyPlan::decode(plan.encode()).unwrap(), plan);
        }
    }

    #[test]
    fn more_steps_than_allowed_do_not_decode() {
        let step = EmissionStep { blocks: 1, amount: NanoMeshx::new(1) };
        let long = List::<EmissionStep, 65>::new(vec![step; 65]).unwrap();
        assert!(Schedule::decode(long.encode()).is_err());
    }
}
