//! The committee: who makes blocks next.

use crate::share;
use std::cmp::Reverse;
use types::{
    Address, NanoMeshx, PublicKey,
    staking::{StakingParams, Standing, ValidatorRecord},
};

/// A seat, and the stake behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub operator: Address,
    pub key: PublicKey,
    pub tokens: NanoMeshx,
}

/// Those with the most stake behind them, at most `seats` and `validators_max`; of equal stake, the lower address
/// comes first. The order of `validators` does not matter.
pub fn committee<'a>(
    validators: impl IntoIterator<Item = &'a ValidatorRecord>,
    seats: u16,
    params: &StakingParams,
) -> Vec<Member> {
    let mut members: Vec<Member> = validators
        .into_iter()
        .filter(|validator| is_eligible(validator, params))
        .map(|v| Member { operator: v.operator, key: v.key, tokens: v.tokens })
        .collect();
    members.sort_unstable_by_key(|member| (Reverse(member.tokens), member.operator));
    members.truncate(usize::from(seats.min(params.validators_max)));
    members
}

/// Not in jail, and with `validator_min` of its operator's own at stake: what others delegate does not count here.
pub fn is_eligible(validator: &ValidatorRecord, params: &StakingParams) -> bool {
    validator.standing == Standing::Active && share::worth_own(validator) >= params.validator_min
}
