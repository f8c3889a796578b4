//! Transfer: move MESHX from the sender to another account of the same chain.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use types::{
    NanoMeshx,
    state::{self, Destination},
};

pub(super) struct Transfer<'a> {
    pub(super) to: &'a Address,
    pub(super) amount: &'a NanoMeshx,
}

impl Handler for Transfer<'_> {
    const HOME: Home = Home::Any;
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Account(*self.to)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, _: &BlockContext) -> Result<(), Stop> {
        let Self { to, amount } = *self;
        if *amount == NanoMeshx::ZERO {
            return Err(ledger::Refusal::ZeroAmount.into());
        }
        // Escrow holds exactly what open jobs promised; a gift there could never come out again.
        if to.is_pool() {
            return Err(Refusal::PoolAccount(*to).into());
        }
        let (from, to) = (tx.from(), Destination::Account(*to));
        pad.transfer(&[state::Transfer { from, to, amount: *amount }])
    }
}
