//! Rewards without a loop over delegators: the validator counts what a share has earned, each delegation
//! remembers how far it was paid.
//!
//! Counts are in 2⁻⁶⁴ nano and nothing of them is dropped. What a reward does not divide by the shares is carried
//! into the next; what a delegation has beyond whole nano waits in `owed_fraction`, and when the delegation closes it
//! is dust, which the treasury gets with the next reward: nobody else's reward changes by who leaves. So, exactly and
//! at any time,
//!
//! ```text
//! 2⁶⁴ · (rewards pool) = Σ over validators   (remainder + dust + 2⁶⁴ · commission_owed)
//!                      + Σ over delegations  (2⁶⁴ · owed + owed_fraction + shares · (rewards_per_share − paid_up_to))
//! ```
//!
//! Against exact fractions, a reward period puts a delegation off by less than a nano (by shares · 2⁻⁶⁴, and there are
//! fewer than 2⁶⁴ shares), and closing it by less than one more.

use crate::{Moment, Position, Refusal, params::BPS, position::moved};
use types::{
    Address, Millis, NanoMeshx,
    staking::{Commission, DelegationRecord, StakingParams, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

/// What is below one nano, in 2⁻⁶⁴ nano.
const NANO_MASK: u128 = u64::MAX as u128;

/// Give `reward` from `from` to `validator`: its commission, rounded down, then the rest to all shares. Whole nano of dust
/// go to the treasury.
///
/// # Errors
/// [`Refusal::NoStake`] when there are no shares: the caller keeps the money, or gives it to the treasury.
pub fn distribute(
    validator: &mut ValidatorRecord,
    reward: NanoMeshx,
    from: Address,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    if reward == NanoMeshx::ZERO {
        return Err(Refusal::ZeroAmount);
    }
    if validator.shares == 0 {
        return Err(Refusal::NoStake);
    }
    let bps = commission_at(validator.commission, now.at);
    let kept = u128::from(reward.get()) * u128::from(bps.min(BPS)) / u128::from(BPS);
    let kept = u64::try_from(kept).expect("a part of the reward fits where all of it did");
    let shared = (u128::from(reward.get() - kept) << 64)
        .checked_add(validator.remainder)
        .ok_or(Refusal::Overflow)?;
    let rewards_per_share = validator
        .rewards_per_share
        .checked_add(shared / validator.shares)
        .ok_or(Refusal::Overflow)?;
    validator.commission_owed =
        validator.commission_owed.checked_add(NanoMeshx::new(kept)).ok_or(Refusal::Overflow)?;
    validator.rewards_per_share = rewards_per_share;
    validator.remainder = shared % validator.shares;
    let dust = u64::try_from(validator.dust >> 64).expect("128 bits less 64");
    validator.dust &= NANO_MASK;
    let mut transfers = moved(from, Destination::Account(pools::rewards()), reward);
    let treasury = Destination::Account(pools::treasury());
    transfers.extend(moved(pools::rewards(), treasury, NanoMeshx::new(dust)));
    Ok(transfers)
}

/// Divide `total` over validators in proportion to their tokens, each part rounded down. The second value is
/// what rounding leaves over (all, when nobody has tokens): the caller gives it to the treasury.
pub fn divide(
    total: NanoMeshx,
    validators: &[(Address, NanoMeshx)],
) -> (Vec<(Address, NanoMeshx)>, NanoMeshx) {
    let all: u128 = validators.iter().map(|(_, tokens)| u128::from(tokens.get())).sum();
    let mut rest = total.get();
    let mut parts = Vec::with_capacity(validators.len());
    for (validator, tokens) in validators {
        let product = u128::from(total.get()) * u128::from(tokens.get());
        let part = product.checked_div(all).unwrap_or(0);
        let part = u64::try_from(part).expect("a part of the total fits where all of it did");
        rest = rest.checked_sub(part).expect("parts rounded down are no more than the total");
        parts.push((*validator, NanoMeshx::new(part)));
    }
    (parts, NanoMeshx::new(rest))
}

/// Pay the delegator all it is owed, in whole nano; the fraction waits.
///
/// # Errors
/// [`Refusal::NothingOwed`], which is also the answer to a second claim.
pub fn claim(position: &mut Position, now: Moment) -> Result<Vec<Transfer>, Refusal> {
    let (mut after, mut transfers) = position.settled(now)?;
    let owed = std::mem::take(&mut after.delegation.owed);
    if owed == NanoMeshx::ZERO {
        return Err(Refusal::NothingOwed);
    }
    transfers.extend(moved(pools::rewards(), Destination::Account(after.delegator), owed));
    *position = after;
    Ok(transfers)
}

/// Pay the operator the commission it has earned.
///
/// # Errors
/// [`Refusal::NotOperator`], [`Refusal::NothingOwed`].
pub fn claim_commission(
    validator: &mut ValidatorRecord,
    by: Address,
) -> Result<Vec<Transfer>, Refusal> {
    only_operator(validator, by)?;
    let owed = std::mem::take(&mut validator.commission_owed);
    if owed == NanoMeshx::ZERO {
        return Err(Refusal::NothingOwed);
    }
    Ok(moved(pools::rewards(), Destination::Account(by), owed))
}

/// Announce another commission. It counts an unbonding period from now, so that delegators can leave before. A
/// second announcement replaces one that does not count yet.
///
/// # Errors
/// [`Refusal::NotOperator`], [`Refusal::CommissionTooHigh`].
pub fn set_commission(
    validator: &mut ValidatorRecord,
    by: Address,
    bps: u16,
    params: &StakingParams,
    now: Moment,
) -> Result<(), Refusal> {
    only_operator(validator, by)?;
    if bps > params.commission_max_bps {
        return Err(Refusal::CommissionTooHigh { bps, max: params.commission_max_bps });
    }
    validator.commission = Commission {
        bps: commission_at(validator.commission, now.at),
        next_bps: bps,
        next_at: now.at.saturating_add(params.unbonding_ms),
    };
    Ok(())
}

/// The commission that counts at `at`.
pub fn commission_at(commission: Commission, at: Millis) -> u16 {
    if commission.next_at <= at { commission.next_bps } else { commission.bps }
}

pub(crate) fn only_operator(validator: &ValidatorRecord, by: Address) -> Result<(), Refusal> {
    if validator.operator == by {
        return Ok(());
    }
    Err(Refusal::NotOperator { operator: validator.operator })
}

/// Bring `delegation` up to date with what its shares have earned.
pub(crate) fn accrue(
    validator: &ValidatorRecord,
    delegation: &mut DelegationRecord,
) -> Result<(), Refusal> {
    if delegation.shares == 0 {
        return Ok(());
    }
    let earned = validator
        .rewards_per_share
        .checked_sub(delegation.paid_up_to)
        .expect("what a share has earned only grows");
    // What is owed lies in the rewards pool, so it is less than all MESHX there can be: below 2^64 nano.
    let earned = delegation
        .shares
        .checked_mul(earned)
        .and_then(|earned| earned.checked_add(u128::from(delegation.owed_fraction)))
        .ok_or(Refusal::Overflow)?;
    let whole = u64::try_from(earned >> 64).expect("128 bits less 64");
    delegation.owed =
        delegation.owed.checked_add(NanoMeshx::new(whole)).ok_or(Refusal::Overflow)?;
    delegation.owed_fraction = u64::try_from(earned & NANO_MASK).expect("masked to 64 bits");
    delegation.paid_up_to = validator.rewards_per_share;
    Ok(())
}

/// A delegation that closes leaves what it has below a nano as dust. Its record then differs from none
/// at all only by what it is owed.
pub(crate) fn release_fraction(validator: &mut ValidatorRecord, delegation: &mut DelegationRecord) {
    let fraction = u128::from(std::mem::take(&mut delegation.owed_fraction));
    validator.dust =
        validator.dust.checked_add(fraction).expect("fewer delegations than 2^64 ever close");
    delegation.paid_up_to = 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::PublicKey;

    fn check(total: u64, tokens: &[u64]) -> (Vec<u64>, u64) {
        let who = |n: usize| Address::of(&PublicKey([n as u8; 32]));
        let validators: Vec<_> =
            tokens.iter().enumerate().map(|(n, t)| (who(n), NanoMeshx::new(*t))).collect();
        let (parts, rest) = divide(NanoMeshx::new(total), &validators);
        assert!(parts.iter().zip(&validators).all(|(part, v)| part.0 == v.0));
        (parts.iter().map(|part| part.1.get()).collect(), rest.get())
    }

    #[test]
    fn what_does_not_divide_is_left_over() {
        assert_eq!(check(100, &[1, 1, 1]), (vec![33, 33, 33], 1));
        assert_eq!(check(100, &[1, 0]), (vec![100, 0], 0));
        assert_eq!(check(100, &[0, 0]), (vec![0, 0], 100));
        assert_eq!(check(100, &[]), (vec![], 100));
        assert_eq!(check(u64::MAX, &[u64::MAX; 2]), (vec![u64::MAX / 2; 2], 1));
    }

    proptest! {
        #[test]
        fn parts_and_rest_are_the_whole(total: u64, tokens in proptest::collection::vec(any::<u64>(), 0..9)) {
            let (parts, rest) = check(total, &tokens);
            let sum: u128 = parts.iter().map(|part| u128::from(*part)).sum();
            prop_assert_eq!(sum + u128::from(rest), u128::from(total));
            prop_assert!(tokens.iter().all(|t| *t == 0) || rest < tokens.len() as u64);
        }
    }
}
