//! Reveal: a worker opens its commitment. The last one settles the job, refund included.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Scratch, Stop, cost,
};
use crate::effects;
use jobs::Input;

pub(super) struct Reveal<'a>(pub(super) &'a types::Reveal);

impl Handler for Reveal<'_> {
    /// Jobs are on shards, so elsewhere none is known.
    const HOME: Home = Home::Any;
    /// Free, as a commitment is: a replica speaks twice at most, and the job's payer has paid for it.
    const FEE: Fee = Fee::Free;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Job(self.0.job)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let input = Input::Reveal { worker: tx.from(), reveal: self.0.clone() };
        effects::input(pad, &self.0.job, input, at)
    }
}
