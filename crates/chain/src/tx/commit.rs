//! Commit: a drawn worker promises an outcome without showing it.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Scratch, Stop, cost,
};
use crate::effects;
use jobs::Input;
use types::{Hash, JobId};

pub(super) struct Commit<'a> {
    pub(super) job: &'a JobId,
    pub(super) commitment: &'a Hash,
}

impl Handler for Commit<'_> {
    /// Jobs are on shards, so elsewhere none is known.
    const HOME: Home = Home::Any;
    /// Free: a replica speaks twice at most, and the job's payer has paid for it.
    const FEE: Fee = Fee::Free;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Job(*self.job)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let input = Input::Commit { worker: tx.from(), commitment: *self.commitment };
        effects::input(pad, self.job, input, at)
    }
}
