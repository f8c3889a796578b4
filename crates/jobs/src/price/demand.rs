//! Demand: one multiplier that moves prices until the market pays for 60 % of what it has.

use types::{DemandRule, Ppm};

/// The least a rule may allow: an eighth of it is one part per million, so it can always move both ways.
pub const DEMAND_MIN: Ppm = Ppm::new(8);

/// All of the market's capacity, in basis points.
const FULL_BPS: u16 = 10_000;

/// Why a rule for demand is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadDemandRule {
    #[error("a target of {target_bps} basis points is not within 1 to 9999")]
    Target { target_bps: u16 },
    #[error("demand cannot range from {min} to {max}: 0.000008 ≤ min ≤ max must hold")]
    Bounds { min: Ppm, max: Ppm },
}

impl BadDemandRule {
    /// The name of this fault in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Target { .. } => "demand_target",
            Self::Bounds { .. } => "demand_bounds",
        }
    }
}

/// Whether `rule` can be followed; genesis and governance ask before they store one.
///
/// # Errors
/// [`BadDemandRule`] names the first thing wrong.
pub fn check_demand(rule: &DemandRule) -> Result<(), BadDemandRule> {
    let DemandRule { target_bps, min, max } = *rule;
    if target_bps == 0 || target_bps >= FULL_BPS {
        return Err(BadDemandRule::Target { target_bps });
    }
    if min < DEMAND_MIN || max < min {
        return Err(BadDemandRule::Bounds { min, max });
    }
    Ok(())
}

/// The multiplier of the block after one that used `demand` and in which `utilisation_bps` of the
/// market's capacity was paid for.
///
/// A market that stands idle takes an eighth off, a full one puts an eighth on, and between them it is
/// in proportion to the way from the target, rounded down but at least one part per million, so that
/// no price is stuck. Utilisation above 10,000 counts as full. A multiplier outside the rule's bounds
/// (governance moved them) goes to the nearer bound at once.
pub fn next_demand(demand: Ppm, utilisation_bps: u16, rule: &DemandRule) -> Ppm {
    let (now, used) = (demand.get(), utilisation_bps.min(FULL_BPS));
    let target = rule.target_bps.min(FULL_BPS);
    let span = if used < target { target } else { FULL_BPS - target };
    let gap = u64::from(used.abs_diff(target));
    let part = u64::from(now) * gap / (u64::from(span.max(1)) * 8);
    let change = u32::try_from(part).expect("at most an eighth of a u32").max(1);
    let moved = match used.cmp(&target) {
        std::cmp::Ordering::Less => now.saturating_sub(change),
        std::cmp::Ordering::Equal => now,
        std::cmp::Ordering::Greater => now.saturating_add(change),
    };
    // Not `clamp`, which panics on bounds that `check_demand` would have refused.
    Ppm::new(moved).min(rule.max).max(rule.min)
}

/// The highest that demand can be `blocks` blocks from now: a full market in each of them.
pub fn demand_max_after(demand: Ppm, blocks: u64, rule: &DemandRule) -> Ppm {
    let mut highest = demand;
    // From 8 ppm to the highest u32 are fewer than 300 steps, so this loop ends early.
    for _ in 0..blocks {
        let next = next_demand(highest, FULL_BPS, rule);
        if next == highest {
            break;
        }
        highest = next;
    }
    highest.max(demand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: DemandRule = DemandRule::DEFAULT;

    #[test]
    fn moves_by_an_eighth_at_the_ends_and_rests_at_the_target() {
        let next = |bps| next_demand(Ppm::ONE, bps, &RULE).get();
        assert_eq!(
            [0, 3_000, 6_000, 8_000, 10_000, u16::MAX].map(next),
            [875_000, 937_500, 1_000_000, 1_062_500, 1_125_000, 1_125_000]
        );
        assert_eq!(next_demand(RULE.min, 0, &RULE), RULE.min);
        assert_eq!(next_demand(RULE.max, 10_000, &RULE), RULE.max);
    }

    #[test]
    fn refuses_rules_under_which_it_could_be_stuck() {
        assert_eq!(check_demand(&RULE), Ok(()));
        for target_bps in [0, 10_000, u16::MAX] {
            let rule = DemandRule { target_bps, ..RULE };
            assert_eq!(check_demand(&rule), Err(BadDemandRule::Target { target_bps }));
        }
        for (min, max) in [(Ppm::new(7), Ppm::ONE), (Ppm::ONE, Ppm::new(8))] {
            let rule = DemandRule { min, max, ..RULE };
            assert_eq!(check_demand(&rule), Err(BadDemandRule::Bounds { min, max }));
        }
    }

    /// A market whose buyers take less the dearer it is: utilisation = appetite / demand.
    fn utilisation(appetite_bps: u64, demand: Ppm) -> u16 {
        let used = appetite_bps * 1_000_000 / u64::from(demand.get());
        u16::try_from(used.min(10_000)).unwrap()
    }

    /// Seeded: with any appetite, 100 blocks bring an idle and a full market into 55 to 65 %,
    /// and they stay.
    #[test]
    fn finds_the_target_from_below_and_from_above_and_stays() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..200 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // At rest demand is between 0.5 and 50, both well inside the bounds.
            let appetite = 3_000 + state % 297_000;
            for start in [RULE.min, RULE.max] {
                let mut demand = start;
                for block in 0..1_000 {
                    let used = utilisation(appetite, demand);
                    let settled = (5_500..=6_500).contains(&used);
                    assert!(block < 100 || settled, "block {block}: {used} of appetite {appetite}");
                    demand = next_demand(demand, used, &RULE);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn moves_the_right_way_by_at_most_an_eighth(
            bounds: (u32, u32), demand: u32, used: u16, target_bps in 1..10_000_u16,
        ) {
            let (min, max) = (bounds.0.min(bounds.1).max(8), bounds.0.max(bounds.1).max(8));
            let rule = DemandRule { target_bps, min: Ppm::new(min), max: Ppm::new(max) };
            prop_assert_eq!(check_demand(&rule), Ok(()));
            let now = demand.clamp(min, max);
            let next = next_demand(Ppm::new(now), used, &rule).get();
            prop_assert!((min..=max).contains(&next));
            prop_assert!(now.abs_diff(next) <= now / 8);
            prop_assert!(used <= target_bps || next > now || now == max);
            prop_assert!(used != target_bps || next == now);
            prop_assert!(used >= target_bps || next < now || now == min);
        }

        #[test]
        fn no_way_of_demand_leads_above_its_bound(
            demand in 100_000..=100_000_000_u32, used in prop::collection::vec(0..=10_000_u16, 0..64),
        ) {
            let start = Ppm::new(demand);
            let bound = demand_max_after(start, used.len() as u64, &RULE);
            let end = used.iter().fold(start, |demand, used| next_demand(demand, *used, &RULE));
            prop_assert!(end <= bound);
            prop_assert!(demand_max_after(start, u64::MAX, &RULE) == RULE.max);
        }
    }
}
