//! CancelJob: the payer takes a job back before workers are drawn for it. It pays for the draw all the same, because it may
//! know already which workers the seed would draw.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Scratch, Stop, cost,
};
use crate::effects;
use jobs::Input;
use types::{JobId, state::JobRecord};

pub(super) struct CancelJob<'a> {
    pub(super) job: &'a JobId,
}

impl Handler for CancelJob<'_> {
    /// Jobs are on shards, so elsewhere none is known.
    const HOME: Home = Home::Any;
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Job(*self.job)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        if let Some(record) = pad.get::<JobRecord>(Key::Job(*self.job))? {
            let replicas = u64::from(record.submission.agreement.replicas);
            pad.gas().charge(cost::DRAW * replicas);
        }
        effects::input(pad, self.job, Input::Cancel { by: tx.from() }, at)
    }
}
