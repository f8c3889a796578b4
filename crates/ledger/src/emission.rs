//! Emission: how much has been minted at a height, exactly, from a schedule that is data.

use types::{Height, NanoMeshx, Schedule};

/// A [`Schedule`] that was checked: every step lasts, and all of them fit into the mining pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    schedule: Schedule,
}

/// Why a schedule is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadSchedule {
    #[error("step {step} of the emission lasts no blocks")]
    EmptyStep { step: u64 },
    #[error("the emission adds up to more than its pool of {pool} MESHX")]
    BeyondPool { pool: NanoMeshx },
}

impl BadSchedule {
    /// The name of this fault in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyStep { .. } => "empty_step",
            Self::BeyondPool { .. } => "beyond_pool",
        }
    }
}

impl Emission {
    /// Take `schedule` if it can be followed and emits at most `pool`.
    ///
    /// # Errors
    /// [`BadSchedule`] names the first thing wrong.
    pub fn new(schedule: Schedule, pool: NanoMeshx) -> Result<Self, BadSchedule> {
        let mut total = NanoMeshx::ZERO;
        for (step, number) in schedule.steps.iter().zip(0..) {
            if step.blocks == 0 {
                return Err(BadSchedule::EmptyStep { step: number });
            }
            total = total
                .checked_add(step.amount)
                .filter(|total| *total <= pool)
                .ok_or(BadSchedule::BeyondPool { pool })?;
        }
        Ok(Self { schedule })
    }

    /// All that blocks 0 to `height` − 1 have minted. Within a step this is rounded down, and the
    /// step's last block mints what rounding held back (DESIGN §6).
    pub fn minted(&self, height: Height) -> NanoMeshx {
        let (mut rest, mut sum) = (height.get(), NanoMeshx::ZERO);
        for step in self.schedule.steps.iter() {
            let part = if rest >= step.blocks {
                step.amount
            } else {
                let part =
                    u128::from(step.amount.get()) * u128::from(rest) / u128::from(step.blocks);
                NanoMeshx::new(u64::try_from(part).expect("a part is at most the whole"))
            };
            sum = sum.checked_add(part).expect("`new` summed all the steps");
            match rest.checked_sub(step.blocks) {
                Some(left) => rest = left,
                None => break,
            }
        }
        sum
    }

    /// What the block at `height` mints. The very last height there is mints nothing.
    pub fn reward(&self, height: Height) -> NanoMeshx {
        let after = self.minted(height.saturating_add(Height::new(1)));
        after.checked_sub(self.minted(height)).expect("what was minted stays minted")
    }

    /// All that is ever minted, if the chain lives long enough.
    pub fn total(&self) -> NanoMeshx {
        let amounts = self.schedule.steps.iter().map(|step| step.amount);
        amounts.fold(NanoMeshx::ZERO, |sum, amount| {
            sum.checked_add(amount).expect("`new` summed all the steps")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::{Distribution, ERA_BLOCKS, EmissionStep, List, STEPS_MAX, YEAR_BLOCKS};

    fn emission(schedule: Schedule) -> Emission {
        Emission::new(schedule, Distribution::PAPER.mining).unwrap()
    }
    /// MESHX minted at the end of each of the years 0 to 21, as text.
    fn table(emission: &Emission) -> Vec<String> {
        (0..=21).map(|year| emission.minted(Height::new(year * YEAR_BLOCKS)).to_string()).collect()
    }

    #[test]
    fn halving_every_two_years_reaches_four_billion_at_year_20_and_stops() {
        let expected = [
            "0",
            "1000000000",
            "2000000000",
            "2500000000",
            "3000000000",
            "3250000000",
            "3500000000",
            "3625000000",
            "3750000000",
            "3812500000",
            "3875000000",
            "3906250000",
            "3937500000",
            "3953125000",
            "3968750000",
            "3976562500",
            "3984375000",
            "3988281250",
            "3992187500",
            "3996093750",
            "4000000000",
            "4000000000",
        ];
        let emission = emission(Schedule::halving_every_two_years());
        assert_eq!(table(&emission), expected);
        assert_eq!(emission.total().get(), 4_000_000_000_000_000_000);
        let last = 20 * YEAR_BLOCKS - 1;
        assert!(emission.reward(Height::new(last)) > NanoMeshx::ZERO);
        assert_eq!(emission.reward(Height::new(last + 1)), NanoMeshx::ZERO);
    }

    #[test]
    fn the_papers_table_stays_below_two_and_a_half_billion() {
        let expected = [
            "0",
            "1000000000",
            "1500000000",
            "1750000000",
            "2000000000",
            "2125000000",
            "2250000000",
            "2312500000",
            "2375000000",
            "2406250000",
            "2437500000",
            "2453125000",
            "2468750000",
            "2476562500",
            "2484375000",
            "2488281250",
            "2492187500",
            "2494140625",
            "2496093750",
            "2497070312.5",
            "2498046875",
            "2498535156.25",
        ];
        let emission = emission(Schedule::paper_table());
        assert_eq!(table(&emission), expected);
        assert_eq!(emission.total().to_string(), "2499999999.999999976");
    }

    /// The formula of DESIGN §6, written down a second time.
    fn design(height: u64) -> u64 {
        let of = |era: u64| 2_000_000_000_000_000_000_u64 >> era.min(8);
        let (era, rest) = (height / ERA_BLOCKS, height % ERA_BLOCKS);
        if era >= 10 {
            return 4_000_000_000_000_000_000;
        }
        let part = u128::from(of(era)) * u128::from(rest) / u128::from(ERA_BLOCKS);
        (0..era).map(of).sum::<u64>() + u64::try_from(part).unwrap()
    }

    #[test]
    fn refuses_what_cannot_be_followed() {
        let pool = NanoMeshx::new(10);
        let check = |steps: &[(u64, u64)]| {
            let step = |&(blocks, amount)| EmissionStep { blocks, amount: NanoMeshx::new(amount) };
            let steps = List::new(steps.iter().map(step).collect()).unwrap();
            Emission::new(Schedule { steps }, pool).map(|e| e.total().get())
        };
        assert_eq!(check(&[]), Ok(0));
        assert_eq!(check(&[(1, 4), (u64::MAX, 6)]), Ok(10));
        assert_eq!(check(&[(1, 4), (0, 6)]), Err(BadSchedule::EmptyStep { step: 1 }));
        assert_eq!(check(&[(1, 4), (1, 7)]), Err(BadSchedule::BeyondPool { pool }));
        assert_eq!(check(&[(1, 1), (1, u64::MAX)]), Err(BadSchedule::BeyondPool { pool }));
    }

    proptest! {
        #[test]
        fn follows_the_design_at_every_height(height in 0..22 * YEAR_BLOCKS, far: u64) {
            let emission = emission(Schedule::default());
            for height in [height, far] {
                prop_assert_eq!(emission.minted(Height::new(height)).get(), design(height));
            }
        }

        #[test]
        fn any_schedule_only_grows_and_ends_at_its_total(
            steps in prop::collection::vec((1..=u64::MAX, 0..=u64::MAX / 64), 0..=STEPS_MAX),
            height: u64,
        ) {
            let sum: u64 = steps.iter().map(|(_, amount)| amount).sum();
            let steps = steps.into_iter()
                .map(|(blocks, amount)| EmissionStep { blocks, amount: NanoMeshx::new(amount) });
            let schedule = Schedule { steps: List::new(steps.collect()).unwrap() };
            let emission = Emission::new(schedule, NanoMeshx::new(u64::MAX)).unwrap();
            let now = Height::new(height);
            let next = emission.minted(now).checked_add(emission.reward(now)).unwrap();
            prop_assert_eq!(next, emission.minted(now.saturating_add(Height::new(1))));
            prop_assert!(next.get() <= sum);
        }
    }
}
