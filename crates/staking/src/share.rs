//! Shares: a delegation is a number of them, and a slash changes what one is worth.
//!
//! A share begins at one nano. Rounding is always against those who move and for those who stay, by less
//! than one nano or one share a time. Tokens enter only together with shares, so a price cannot be pumped by
//! a gift; and those who stay hold `delegator_min` at least, so no last share can gather dust of any size.

use crate::{
    Refusal,
    wide::{mul_div_ceil, mul_div_floor},
};
use types::{NanoMeshx, staking::ValidatorRecord};

/// When slashes have left a share less than a sixteenth of a nano, nobody can join: shares would grow out of the
/// precision rewards are counted in. At 10 % a slash, eight slashes leave 0.43.
const SHARES_PER_NANO_MAX: u128 = 16;

/// Most shares behind one validator: more than there are nano. Rewards are counted in 2⁻⁶⁴ nano a share, so below this
/// no rounding of a reward reaches a nano.
pub(crate) const SHARES_MAX: u128 = u64::MAX as u128;

/// What `shares` are worth, rounded down.
pub(crate) fn worth(validator: &ValidatorRecord, shares: u128) -> NanoMeshx {
    debug_assert!(shares <= validator.shares);
    let tokens = u128::from(validator.tokens.get());
    let worth = mul_div_floor(shares, tokens, validator.shares).unwrap_or(0);
    NanoMeshx::new(u64::try_from(worth).expect("a part of the tokens fits where all of them did"))
}

/// What the operator's own shares are worth, rounded up: an operator that has paid the minimum in has it, with any
/// rounding of the shares.
pub(crate) fn worth_own(validator: &ValidatorRecord) -> NanoMeshx {
    let tokens = u128::from(validator.tokens.get());
    let worth = mul_div_ceil(validator.shares_own, tokens, validator.shares).unwrap_or(0);
    NanoMeshx::new(u64::try_from(worth).expect("a part of the tokens fits where all of them did"))
}

/// The shares that `amount` buys, rounded down.
pub(crate) fn minted(validator: &ValidatorRecord, amount: NanoMeshx) -> Result<u128, Refusal> {
    let (amount, tokens) = (u128::from(amount.get()), u128::from(validator.tokens.get()));
    let minted = match (validator.shares, tokens) {
        (0, _) => amount,
        (shares, tokens) if tokens.saturating_mul(SHARES_PER_NANO_MAX) < shares => {
            return Err(Refusal::Worthless);
        }
        (shares, _) => mul_div_floor(amount, shares, tokens).ok_or(Refusal::Overflow)?,
    };
    if minted == 0 { Err(Refusal::ZeroAmount) } else { Ok(minted) }
}

/// The shares to give up for `amount`, rounded up.
pub(crate) fn sold(validator: &ValidatorRecord, amount: NanoMeshx) -> Result<u128, Refusal> {
    let tokens = u128::from(validator.tokens.get());
    mul_div_ceil(u128::from(amount.get()), validator.shares, tokens).ok_or(Refusal::Overflow)
}
