//! Seat: a shard learns who was drawn for it.

use crate::{
    Refusal,
    apply::BlockContext,
    proved,
    scratch::{Scratch, Stop},
};
use types::{
    Relayed,
    committee::SeatsRecord,
    state::{Event, Key},
};

/// Numbers may be left out: only the newest seats matter.
pub(super) fn apply(
    pad: &mut Scratch<'_>,
    relayed: &Relayed<SeatsRecord>,
    context: &BlockContext,
) -> Result<(), Stop> {
    let seats = &relayed.proved.record;
    if !context.chain.is_shard() {
        return Err(Refusal::OwnSeats.into());
    }
    if seats.chain != context.chain {
        return Err(Refusal::SeatsElsewhere(seats.chain).into());
    }
    let key = Key::Seats(context.chain);
    // Before any curve is touched: the number, so that the same is not judged twice.
    let known = pad.get::<SeatsRecord>(key)?.map_or(0, |known| known.number);
    if seats.number <= known {
        return Err(Refusal::SeatsKnown { known, got: seats.number }.into());
    }
    proved::check(relayed, &key, context)?;
    pad.put(key, seats);
    pad.emit(Event::Seats { chain: context.chain, number: seats.number });
    Ok(())
}
