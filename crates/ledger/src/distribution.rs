//! Distribution: who has what of the whole supply at a height; it always sums to [`SUPPLY_MAX`].

use crate::{BadSchedule, Emission, VestingRefusal, check_vesting, vested};
use types::{Distribution, Height, NanoMeshx, SUPPLY_MAX, SupplyPlan, Vesting};

/// A [`SupplyPlan`] that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    distribution: Distribution,
    emission: Emission,
    team: Vesting,
}

/// The supply at one height, pool by pool, before governance has released or anything was burned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pools {
    /// Minted as rewards so far.
    pub emitted: NanoMeshx,
    /// The rest of the mining pool. Under some schedules part of it is never minted.
    pub unemitted: NanoMeshx,
    /// The part of the team's pool that its owners may take out.
    pub team_vested: NanoMeshx,
    /// The part of the team's pool that has not vested yet.
    pub team_locked: NanoMeshx,
    /// In the hands of governance.
    pub ecosystem: NanoMeshx,
    /// In the hands of governance.
    pub treasury: NanoMeshx,
    /// Free from genesis.
    pub liquidity: NanoMeshx,
}

/// Why a plan of the supply is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadPlan {
    #[error("the pools sum to {sum} nano, but the supply is {}", SUPPLY_MAX.get())]
    WrongSum { sum: u128 },
    #[error("the team's vesting holds {vesting} MESHX, but its pool holds {pool}")]
    TeamMismatch { vesting: NanoMeshx, pool: NanoMeshx },
    #[error(transparent)]
    Schedule(#[from] BadSchedule),
    #[error(transparent)]
    Vesting(#[from] VestingRefusal),
}

impl BadPlan {
    /// The name of this fault in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongSum { .. } => "wrong_sum",
            Self::TeamMismatch { .. } => "team_mismatch",
            Self::Schedule(bad) => bad.code(),
            Self::Vesting(refusal) => refusal.code(),
        }
    }
}

impl Supply {
    /// The supply of `plan`, if its pools are together all there will ever be and each can be followed.
    ///
    /// # Errors
    /// [`BadPlan`] names the first thing wrong.
    pub fn new(plan: SupplyPlan) -> Result<Self, BadPlan> {
        let SupplyPlan { distribution, schedule, team } = plan;
        let Distribution { mining, ecosystem, team: pool, treasury, liquidity } = distribution;
        let pools = [mining, ecosystem, pool, treasury, liquidity];
        let sum = pools.iter().map(|pool| u128::from(pool.get())).sum();
        if sum != u128::from(SUPPLY_MAX.get()) {
            return Err(BadPlan::WrongSum { sum });
        }
        if team.total != pool {
            return Err(BadPlan::TeamMismatch { vesting: team.total, pool });
        }
        check_vesting(&team)?;
        Ok(Self { distribution, emission: Emission::new(schedule, mining)?, team })
    }

    /// How the mining pool is emitted.
    pub fn emission(&self) -> &Emission {
        &self.emission
    }

    /// Where all MESHX is at `height`; the pools sum to [`types::SUPPLY_MAX`].
    pub fn at(&self, height: Height) -> Pools {
        let Distribution { mining, ecosystem, team, treasury, liquidity } = self.distribution;
        let rest = |of: NanoMeshx, part| of.checked_sub(part).expect("a part is within its pool");
        let (emitted, team_vested) = (self.emission.minted(height), vested(&self.team, height));
        let (unemitted, team_locked) = (rest(mining, emitted), rest(team, team_vested));
        Pools { emitted, unemitted, team_vested, team_locked, ecosystem, treasury, liquidity }
    }
}

impl Pools {
    /// What can move without a decision of governance.
    pub fn circulating(&self) -> NanoMeshx {
        self.emitted.saturating_add(self.team_vested).saturating_add(self.liquidity)
    }

    /// Every pool added up: always [`SUPPLY_MAX`].
    pub fn total(&self) -> NanoMeshx {
        [self.unemitted, self.team_locked, self.ecosystem, self.treasury]
            .into_iter()
            .fold(self.circulating(), NanoMeshx::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::{Schedule, YEAR_BLOCKS};

    #[test]
    fn the_papers_shares_are_of_ten_billion() {
        let at = Supply::new(SupplyPlan::default()).unwrap().at(Height::new(20 * YEAR_BLOCKS));
        let shown = [at.emitted, at.ecosystem, at.team_vested, at.treasury, at.liquidity]
            .map(|pool| pool.to_string());
        assert_eq!(shown, ["4000000000", "2000000000", "1500000000", "1500000000", "1000000000"]);
        assert_eq!((at.unemitted, at.team_locked), (NanoMeshx::ZERO, NanoMeshx::ZERO));
    }

    #[test]
    fn refuses_a_nano_too_many_and_one_too_few() {
        let supply = SUPPLY_MAX.get();
        for (liquidity, sum) in [
            (supply / 10 + 1, u128::from(supply) + 1),
            (supply / 10 - 1, u128::from(supply) - 1),
            (u64::MAX, u128::from(supply / 10 * 9) + u128::from(u64::MAX)),
        ] {
            let mut plan = SupplyPlan::default();
            plan.distribution.liquidity = NanoMeshx::new(liquidity);
            assert_eq!(Supply::new(plan), Err(BadPlan::WrongSum { sum }));
        }
        let mut plan = SupplyPlan::default();
        plan.team.total = NanoMeshx::new(7);
        let pool = Distribution::PAPER.team;
        let refused = BadPlan::TeamMismatch { vesting: NanoMeshx::new(7), pool };
        assert_eq!(Supply::new(plan), Err(refused));
    }

    proptest! {
        #[test]
        fn sums_to_everything_at_every_height(near in 0..30 * YEAR_BLOCKS, far: u64) {
            for schedule in [Schedule::halving_every_two_years(), Schedule::paper_table()] {
                let supply = Supply::new(SupplyPlan::new(schedule)).unwrap();
                for height in [near, far] {
                    prop_assert_eq!(supply.at(Height::new(height)).total(), SUPPLY_MAX);
                }
            }
        }
    }
}
