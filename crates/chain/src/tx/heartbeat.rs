//! Heartbeat: a worker is still there, and is paid for the time since its last one.

use crate::{
    Refusal,
    apply::BlockContext,
    earned,
    scratch::{Scratch, Stop},
};
use types::{
    Address, NanoMeshx,
    state::{Destination, Key, Params, Transfer, WorkerRecord, pools},
};

/// What [`jobs::availability`] says, as long as the pool has it.
pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    context: &BlockContext,
) -> Result<(), Stop> {
    let Some(worker) = pad.get::<WorkerRecord>(Key::Worker(from))? else {
        return Err(Refusal::NotWorker.into());
    };
    let params: Params = pad.expect(Key::Params)?;
    let pool = pools::availability();
    let reward =
        jobs::availability(&worker, context.height, &params).min(pad.account(pool)?.balance);
    pad.put(Key::Worker(from), &WorkerRecord { seen: context.height, ..worker });
    if reward > NanoMeshx::ZERO {
        let to = Destination::Account(from);
        pad.transfer(&[Transfer { from: pool, to, amount: reward }])?;
        earned::count(pad, from, reward, |earned| &mut earned.availability)?;
    }
    Ok(())
}
