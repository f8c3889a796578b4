//! Heartbeat: a worker is still there, and is paid for the time since its last one.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{earned, places};
use types::{
    NanoMeshx,
    state::{Destination, Params, Transfer, WorkerRecord, pools},
};

pub(super) struct Heartbeat {}

impl Handler for Heartbeat {
    /// Workers are on shards, so elsewhere the sender is none.
    const HOME: Home = Home::Any;
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        [Key::Worker(from)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    /// Pays what [`jobs::availability`] says, as long as the pool has it.
    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let from = tx.from();
        let Some(worker) = pad.get::<WorkerRecord>(Key::Worker(from))? else {
            return Err(Refusal::NotWorker.into());
        };
        let params: Params = pad.expect(Key::Params)?;
        let pool = pools::availability();
        let reward =
            jobs::availability(&worker, at.height, &params).min(pad.account(pool)?.balance);
        let reputation = jobs::recovered(&worker, at.height, &params);
        let here = WorkerRecord { seen: at.height, silent: false, reputation, ..worker.clone() };
        places::offer(pad, from, &worker, &here, at)?;
        if reward > NanoMeshx::ZERO {
            let to = Destination::Account(from);
            pad.transfer(&[Transfer { from: pool, to, amount: reward }])?;
            earned::count(pad, from, reward, |earned| &mut earned.availability)?;
        }
        Ok(())
    }
}
