//! A quote: what a job that was metered here will cost there, low, likely and at most.

use super::{
    LOCATION_MAX, LOCATION_MIN, Multipliers, REPUTATION_FULL, Unpriceable, demand_max_after, price,
    reputation,
};
use serde::Serialize;
use types::{DemandRule, NanoMeshx, Rates, Usage};

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// One replica's use, metered at the client.
    pub metered: Usage,
    /// One replica's use if it goes to every limit; counts as at least `metered`.
    pub limits: Usage,
    /// Workers that run the job and are paid.
    pub replicas: u8,
    /// Blocks the job may wait before its price is set.
    pub wait_blocks: u64,
}

/// The answer. `low` ≤ `likely` ≤ `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// As metered, on the cheapest location and reputation there are, at today's demand.
    pub low: NanoMeshx,
    /// As metered, at `multipliers`.
    pub likely: NanoMeshx,
    /// To the limits, on the dearest location and reputation, and as high as demand can be by then.
    /// A cap of this much is never reached by surprise; consensus pays no more than the cap.
    pub max: NanoMeshx,
    /// What the base price was multiplied by.
    pub multipliers: Multipliers,
}

/// The price that a metered job will have on a chain with these rates, low, likely and at most.
///
/// # Errors
/// [`Unpriceable::TooMuch`] if no amount pays for the limits.
pub fn quote(
    asked: &Asked,
    rates: &Rates,
    multipliers: Multipliers,
    rule: &DemandRule,
) -> Result<Quote, Unpriceable> {
    let score = |score| reputation(score).expect("both ends are scores");
    let cheap = Multipliers {
        location: multipliers.location.min(LOCATION_MIN),
        reputation: multipliers.reputation.min(score(0)),
        ..multipliers
    };
    let dear = Multipliers {
        demand: demand_max_after(multipliers.demand, asked.wait_blocks, rule),
        location: multipliers.location.max(LOCATION_MAX),
        reputation: multipliers.reputation.max(score(REPUTATION_FULL)),
        ..multipliers
    };
    let all = |usage: &Usage, multipliers: &Multipliers| {
        let each = price(usage, rates, multipliers)?.get();
        let sum = each.checked_mul(u64::from(asked.replicas)).ok_or(Unpriceable::TooMuch)?;
        Ok(NanoMeshx::new(sum))
    };
    Ok(Quote {
        low: all(&asked.metered, &cheap)?,
        likely: all(&asked.metered, &multipliers)?,
        max: all(&at_least(&asked.limits, &asked.metered), &dear)?,
        multipliers,
    })
}

/// The larger of the two in each resource.
fn at_least(one: &Usage, other: &Usage) -> Usage {
    Usage {
        core_us: one.core_us.max(other.core_us),
        ram_kb_us: one.ram_kb_us.max(other.ram_kb_us),
        storage_kb_s: one.storage_kb_s.max(other.storage_kb_s),
        bandwidth_bytes: one.bandwidth_bytes.max(other.bandwidth_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::Ppm;

    const RULE: DemandRule = DemandRule::DEFAULT;

    #[test]
    fn a_core_second_on_three_replicas() {
        let metered = Usage { core_us: 1_000_000, ..Usage::default() };
        let limits = Usage { core_us: 10_000_000, ..Usage::default() };
        let asked = Asked { metered, limits, replicas: 3, wait_blocks: 1 };
        let quote = quote(&asked, &Rates::PAPER, Multipliers::ONE, &RULE).unwrap();
        let shown = [quote.low, quote.likely, quote.max].map(|price| price.to_string());
        // 0.003 · 0.8 · 0.8; 0.003; 0.03 · 1.125 · 1.5 · 1.2.
        assert_eq!(shown, ["0.00192", "0.003", "0.06075"]);
    }

    #[test]
    fn more_than_can_exist_is_refused() {
        let metered = Usage { core_us: u64::MAX, ..Usage::default() };
        let asked = Asked { metered, limits: metered, replicas: 1, wait_blocks: 0 };
        let refused = quote(&asked, &Rates::PAPER, Multipliers::ONE, &RULE);
        assert_eq!(refused, Err(Unpriceable::TooMuch));
    }

    proptest! {
        #[test]
        fn whatever_happens_by_then_stays_below_the_maximum(
            core_us in 0..1_000_000_000_000_u64, bytes in 0..1_000_000_000_000_u64, replicas in 1..=16_u8,
            demand in 100_000..=100_000_000_u32, place in 800_000..=1_500_000_u32, score in 0..=10_000_u16,
            later in prop::collection::vec(0..=10_000_u16, 0..32), worker in 0..=10_000_u16,
        ) {
            let metered = Usage { core_us, bandwidth_bytes: bytes, ..Usage::default() };
            let wait_blocks = later.len() as u64;
            let asked = Asked { metered, limits: Usage::default(), replicas, wait_blocks };
            let multipliers = Multipliers {
                demand: Ppm::new(demand),
                location: Ppm::new(place),
                reputation: reputation(score).unwrap(),
                ..Multipliers::ONE
            };
            let quote = quote(&asked, &Rates::PAPER, multipliers, &RULE).unwrap();
            prop_assert!(quote.low <= quote.likely && quote.likely <= quote.max);
            let demand = later.iter().fold(multipliers.demand, |d, used| crate::next_demand(d, *used, &RULE));
            let drawn = Multipliers { demand, reputation: reputation(worker).unwrap(), ..multipliers };
            let each = price(&metered, &Rates::PAPER, &drawn).unwrap().get();
            prop_assert!(each * u64::from(replicas) <= quote.max.get());
        }
    }
}
