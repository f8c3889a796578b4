//! Transfer: move MESHX from the sender to another account of the same chain.

use crate::{
    Refusal,
    scratch::{Scratch, Stop},
};
use types::{
    Address, NanoMeshx,
    state::{Destination, Transfer},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    to: Address,
    amount: NanoMeshx,
) -> Result<(), Stop> {
    if amount == NanoMeshx::ZERO {
        return Err(ledger::Refusal::ZeroAmount.into());
    }
    // Escrow holds exactly what open jobs promised; a gift there could never come out again.
    if to.is_pool() {
        return Err(Refusal::PoolAccount(to).into());
    }
    pad.transfer(&[Transfer { from, to: Destination::Account(to), amount }])
}
