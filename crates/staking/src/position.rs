//! One account's stake with one validator: the two records every rule works on, and when.

use crate::{Refusal, liable, rewards, share};
use std::collections::BTreeMap;
use types::{
    Address, Height, Millis, NanoMeshx,
    staking::{DelegationRecord, SlashLog, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

/// When something happens: the block, and its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The block's height.
    pub height: Height,
    /// The block's time.
    pub at: Millis,
}

/// The slash logs of the validators that a delegation's arrivals name.
pub type Sources = BTreeMap<Address, SlashLog>;

/// What `delegator` has at stake with `validator`. The caller loads it, and stores it after a rule has changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whose stake it is.
    pub delegator: Address,
    /// The validator it is behind.
    pub validator: ValidatorRecord,
    /// The default when there is no record; a record equal to the default need not be stored.
    pub delegation: DelegationRecord,
    /// One for each `from` in `delegation.arrivals`; more do no harm.
    pub sources: Sources,
}

impl Position {
    /// What the delegation is worth now, rounded down.
    pub fn worth(&self) -> NanoMeshx {
        share::worth(&self.validator, self.delegation.shares)
    }

    /// A copy with its rewards counted and with what its arrivals owe taken off, and the transfers for that.
    pub(crate) fn settled(&self, now: Moment) -> Result<(Self, Vec<Transfer>), Refusal> {
        let mut after = self.clone();
        rewards::accrue(&after.validator, &mut after.delegation)?;
        let slashed = liable::settle_arrivals(&mut after, now)?;
        Ok((after, moved(pools::bonded(), Destination::Burned, slashed)))
    }

    /// Add shares worth `amount`, rounded down: what is below a share is everybody's.
    pub(crate) fn mint(&mut self, amount: NanoMeshx) -> Result<u128, Refusal> {
        let minted = share::minted(&self.validator, amount)?;
        let add = |to: u128| to.checked_add(minted).ok_or(Refusal::Overflow);
        let tokens = self.validator.tokens.checked_add(amount).ok_or(Refusal::Overflow)?;
        let (all, ours) = (add(self.validator.shares)?, add(self.delegation.shares)?);
        if all > share::SHARES_MAX {
            return Err(Refusal::Overflow);
        }
        (self.validator.tokens, self.validator.shares, self.delegation.shares) =
            (tokens, all, ours);
        // Rewards are counted up to now; these shares had no part in earlier ones.
        self.delegation.paid_up_to = self.validator.rewards_per_share;
        self.mirror_own();
        Ok(minted)
    }

    /// Take away `shares` of the delegation and `amount` of the tokens behind them.
    pub(crate) fn burn(&mut self, shares: u128, amount: NanoMeshx) {
        let held = "nobody loses more than the delegation holds";
        self.delegation.shares = self.delegation.shares.checked_sub(shares).expect(held);
        self.validator.shares = self.validator.shares.checked_sub(shares).expect(held);
        self.validator.tokens = self.validator.tokens.checked_sub(amount).expect(held);
        if self.delegation.shares == 0 {
            rewards::release_fraction(&mut self.validator, &mut self.delegation);
        }
        self.mirror_own();
    }

    fn mirror_own(&mut self) {
        if self.delegator == self.validator.operator {
            self.validator.shares_own = self.delegation.shares;
        }
    }
}

/// The transfer of `amount`, or none if it is zero.
pub(crate) fn moved(from: Address, to: Destination, amount: NanoMeshx) -> Vec<Transfer> {
    if amount == NanoMeshx::ZERO { vec![] } else { vec![Transfer { from, to, amount }] }
}
