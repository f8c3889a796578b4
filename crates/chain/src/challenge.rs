//! Challenges: at every boundary a chain asks for a beacon, and makes of it what new evidence must answer; on the backbone
//! also the seeds of the next draw and of a new period.

use crate::{
    apply::BlockContext,
    epoch::is_boundary,
    period, queue,
    scratch::{Scratch, Stop},
    seats,
};
use types::{
    Beacon, Hash,
    attest::Challenges,
    codec::Encode as _,
    domain_hash,
    state::{Key, Params},
};

/// At a boundary: a later block is to carry this height's beacon.
pub(crate) fn ask(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &params) {
        return Ok(());
    }
    // A full queue asks for beacons anyway; the next boundary tries again.
    if !queue::await_beacon(pad, context)? {
        return Ok(());
    }
    let mut challenges: Challenges = pad.get(Key::Challenges)?.unwrap_or_default();
    challenges.awaited = context.height;
    pad.put(Key::Challenges, &challenges);
    Ok(())
}

/// A beacon has come: if it is the one asked for, it makes the next challenge.
pub(crate) fn take(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    context: &BlockContext,
) -> Result<(), Stop> {
    let mut challenges: Challenges = pad.get(Key::Challenges)?.unwrap_or_default();
    if beacon.height != challenges.awaited {
        return Ok(());
    }
    challenges.previous = challenges.current;
    challenges.current = of_beacon(&context.network, beacon);
    challenges.height = beacon.height;
    pad.put(Key::Challenges, &challenges);
    if context.chain.is_shard() {
        return Ok(());
    }
    seats::take_seed(pad, beacon, context)?;
    period::take_seed(pad, beacon, context)
}

fn of_beacon(network: &Hash, beacon: &Beacon) -> Hash {
    domain_hash("meshx/att/challenge/v1", &[&network.0, &beacon.encode()])
}
