//! ClaimVested: take out what has vested.

use crate::{
    Refusal,
    apply::BlockContext,
    scratch::{Scratch, Stop},
};
use types::{
    Address, NanoMeshx,
    state::{Destination, Key, Transfer, VestingRecord, pools},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    amount: NanoMeshx,
    context: &BlockContext,
) -> Result<(), Stop> {
    if amount == NanoMeshx::ZERO {
        return Err(ledger::Refusal::ZeroAmount.into());
    }
    let Some(VestingRecord { vesting, claimed }) = pad.get(Key::Vesting(from))? else {
        return Err(Refusal::NothingVests.into());
    };
    let claimed = ledger::claim(&vesting, claimed, amount, context.height)?;
    pad.put(Key::Vesting(from), &VestingRecord { vesting, claimed });
    let to = Destination::Account(from);
    pad.transfer(&[Transfer { from: pools::team(), to, amount }])
}
