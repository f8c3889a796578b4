//! The committee: who may sit in one.

use crate::share;
use types::{
    Address, NanoMeshx, PublicKey,
    staking::{StakingParams, Standing, ValidatorRecord},
};

/// A seat, and the stake behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose validator it is.
    pub operator: Address,
    /// What it votes with.
    pub key: PublicKey,
    /// All stake behind it.
    pub tokens: NanoMeshx,
}

/// Not in jail, and with `validator_min` of its operator's own at stake: what others delegate does not count here.
pub fn is_eligible(validator: &ValidatorRecord, params: &StakingParams) -> bool {
    validator.standing == Standing::Active && share::worth_own(validator) >= params.validator_min
}
