//! The base fee: follows load by at most an eighth a block, and is burned; the tip is the proposer's.

use types::{BaseFeeRule, NanoMeshx};

/// The least a rule may allow: an eighth of it is one nano, so the fee can always move both ways.
pub const BASE_FEE_MIN: NanoMeshx = NanoMeshx::new(8);

/// Why fees refused. A refusal changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum FeeRefusal {
    #[error("a base fee needs a target above zero")]
    NoTarget,
    #[error(
        "the base fee cannot range from {min} to {max} MESHX: {BASE_FEE_MIN} ≤ min ≤ max must hold"
    )]
    BadBounds { min: NanoMeshx, max: NanoMeshx },
    #[error("the base fee is {base_fee} MESHX, but at most {offered} was offered")]
    BelowBaseFee { base_fee: NanoMeshx, offered: NanoMeshx },
}

impl FeeRefusal {
    /// The name of this refusal in the API, such as `below_base_fee`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoTarget => "no_target",
            Self::BadBounds { .. } => "bad_bounds",
            Self::BelowBaseFee { .. } => "below_base_fee",
        }
    }
}

/// What a transaction pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The base fee.
    pub burned: NanoMeshx,
    /// To the proposer of the block.
    pub tip: NanoMeshx,
}

/// Whether `rule` can be followed; genesis and governance ask before they store one.
///
/// # Errors
/// [`FeeRefusal::NoTarget`] or [`FeeRefusal::BadBounds`].
pub fn check_base_fee(rule: &BaseFeeRule) -> Result<(), FeeRefusal> {
    let (min, max) = (rule.min, rule.max);
    if rule.target == 0 {
        return Err(FeeRefusal::NoTarget);
    }
    if min < BASE_FEE_MIN || max < min {
        return Err(FeeRefusal::BadBounds { min, max });
    }
    Ok(())
}

/// The fee of the block after one that charged `fee` and used `used`.
///
/// An empty block takes an eighth off, one at twice the target or above puts an eighth on, and between
/// them it is in proportion, rounded down but at least one nano, so that no fee is stuck. A fee outside
/// the rule's bounds (governance moved them) goes to the nearer bound at once.
pub fn next_base_fee(fee: NanoMeshx, used: u64, rule: &BaseFeeRule) -> NanoMeshx {
    let (target, now) = (rule.target, fee.get());
    let gap = used.abs_diff(target).min(target);
    let part = u128::from(now) * u128::from(gap) / (u128::from(target.max(1)) * 8);
    let change = u64::try_from(part).expect("at most an eighth of a u64").max(1);
    let moved = match used.cmp(&target) {
        std::cmp::Ordering::Less => now.saturating_sub(change),
        std::cmp::Ordering::Equal => now,
        std::cmp::Ordering::Greater => now.saturating_add(change),
    };
    // Not `clamp`, which panics on bounds that `check_base_fee` would have refused.
    NanoMeshx::new(moved).min(rule.max).max(rule.min)
}

/// Divide what a transaction offers: the base fee is burned, the tip is `tip` or what is left of
/// `offered`, whichever is less. What is offered beyond both stays with the payer.
///
/// # Errors
/// [`FeeRefusal::BelowBaseFee`] if `offered` does not cover the base fee.
pub fn charge(base_fee: NanoMeshx, offered: NanoMeshx, tip: NanoMeshx) -> Result<Fee, FeeRefusal> {
    let left =
        offered.checked_sub(base_fee).ok_or(FeeRefusal::BelowBaseFee { base_fee, offered })?;
    Ok(Fee { burned: base_fee, tip: tip.min(left) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(target: u64, min: u64, max: u64) -> BaseFeeRule {
        BaseFeeRule { target, min: NanoMeshx::new(min), max: NanoMeshx::new(max) }
    }
    fn next(fee: u64, used: u64) -> u64 {
        next_base_fee(NanoMeshx::new(fee), used, &rule(100, 8, 1_000_000)).get()
    }

    #[test]
    fn follows_load_by_at_most_an_eighth() {
        assert_eq!(
            [0, 50, 100, 150, 200, u64::MAX].map(|used| next(800, used)),
            [700, 750, 800, 850, 900, 900]
        );
        assert_eq!(
            [next(8, 0), next(8, 101), next(9, 99), next(1_000_000, 200)],
            [8, 9, 8, 1_000_000]
        );
    }

    #[test]
    fn refuses_rules_under_which_it_could_be_stuck() {
        assert_eq!(check_base_fee(&rule(1, 8, 8)), Ok(()));
        assert_eq!(check_base_fee(&rule(0, 8, 8)), Err(FeeRefusal::NoTarget));
        for (min, max) in [(7, 100), (0, 0), (9, 8)] {
            let refused =
                FeeRefusal::BadBounds { min: NanoMeshx::new(min), max: NanoMeshx::new(max) };
            assert_eq!(check_base_fee(&rule(1, min, max)), Err(refused));
        }
    }

    #[test]
    fn an_offer_below_the_base_fee_is_refused() {
        let nano = NanoMeshx::new;
        let fee = |burned, tip| Ok(Fee { burned: nano(burned), tip: nano(tip) });
        assert_eq!(charge(nano(8), nano(8), nano(5)), fee(8, 0));
        assert_eq!(charge(nano(8), nano(20), nano(5)), fee(8, 5));
        let refused = FeeRefusal::BelowBaseFee { base_fee: nano(8), offered: nano(7) };
        assert_eq!(charge(nano(8), nano(7), nano(0)), Err(refused));
    }

    proptest! {
        #[test]
        fn moves_the_right_way_by_at_most_an_eighth(
            bounds: (u64, u64), fee: u64, used: u64, target in 1..=u64::MAX,
        ) {
            let (min, max) = (bounds.0.min(bounds.1).max(8), bounds.0.max(bounds.1).max(8));
            let rule = rule(target, min, max);
            prop_assert_eq!(check_base_fee(&rule), Ok(()));
            let fee = fee.clamp(min, max);
            let next = next_base_fee(NanoMeshx::new(fee), used, &rule).get();
            prop_assert!((min..=max).contains(&next));
            prop_assert!(fee.abs_diff(next) <= fee / 8);
            prop_assert!(used <= target || next > fee || fee == max);
            prop_assert!(used != target || next == fee);
            prop_assert!(used >= target || next < fee || fee == min);
        }

        #[test]
        fn what_is_paid_is_within_the_offer(base: u64, offered: u64, tip: u64) {
            let nano = NanoMeshx::new;
            if let Ok(fee) = charge(nano(base), nano(offered), nano(tip)) {
                let paid = fee.burned.checked_add(fee.tip).unwrap();
                prop_assert!(paid.get() <= offered && fee.tip.get() <= tip);
            } else {
                prop_assert!(offered < base);
            }
        }
    }
}
