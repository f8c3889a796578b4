//! ClaimVested: take out what has vested.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use types::{
    NanoMeshx,
    state::{Destination, Transfer, VestingRecord, pools},
};

pub(super) struct ClaimVested<'a> {
    pub(super) amount: &'a NanoMeshx,
}

impl Handler for ClaimVested<'_> {
    /// A genesis says on which chain something vests.
    const HOME: Home = Home::Any;
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        [Key::Vesting(from)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (from, amount) = (tx.from(), *self.amount);
        if amount == NanoMeshx::ZERO {
            return Err(ledger::Refusal::ZeroAmount.into());
        }
        let Some(VestingRecord { vesting, claimed }) = pad.get(Key::Vesting(from))? else {
            return Err(Refusal::NothingVests.into());
        };
        let claimed = ledger::claim(&vesting, claimed, amount, at.height)?;
        pad.put(Key::Vesting(from), &VestingRecord { vesting, claimed });
        let to = Destination::Account(from);
        pad.transfer(&[Transfer { from: pools::team(), to, amount }])
    }
}
