//! The places from which draws choose, and how they follow what workers offer.
//!
//! Somebody who knows a seed before the draw could register names until the draw picks them. So a draw chooses among the
//! places of before its seed: a change of block *h* counts for draws of later blocks only (ADR 26). It waits in [`Moves`] until the
//! draws of block *h* and of all earlier ones are over.

use crate::{
    Refusal,
    apply::BlockContext,
    gas::cost,
    market,
    scratch::{Scratch, Stop},
};
use types::{
    Address, Height,
    state::{Key, Move, Moves, PlacesOf, WorkerPlace, WorkerRecord},
};

/// Most places that come or go after one block, so that its successor's own work is bounded.
const MOVES_MAX: u32 = 2_048;

/// Record what `worker` offers now, and have its places follow.
///
/// # Errors
/// [`Refusal::Busy`] when too many places wait for older draws.
pub(crate) fn offer(
    pad: &mut Scratch<'_>,
    worker: Address,
    before: &WorkerRecord,
    record: &WorkerRecord,
    at: &BlockContext,
) -> Result<(), Stop> {
    let places = before.places().abs_diff(record.places());
    if places > 0 {
        pad.gas().charge(cost::PLACE * u64::from(places));
        let mut moves: Moves = pad.get(Key::Moves)?.unwrap_or_default();
        let waiting: u32 = moves.iter().map(|one| u32::from(one.places)).sum();
        if waiting + u32::from(places) > MOVES_MAX {
            return Err(Refusal::Busy.into());
        }
        let next = Move { height: at.height, worker, places };
        moves.push(next).map_err(|_| Refusal::Busy)?;
        pad.put(Key::Moves, &moves);
    }
    let capacity = |of: &WorkerRecord| if of.silent { 0 } else { u64::from(of.capacity) };
    market::change(pad, |market| {
        market.capacity = market.capacity - capacity(before) + capacity(record);
    })?;
    pad.put(Key::Worker(worker), record);
    Ok(())
}

/// A draw met `worker` after a long silence: it has no places until its next heartbeat.
pub(crate) fn silence(
    pad: &mut Scratch<'_>,
    worker: Address,
    at: &BlockContext,
) -> Result<(), Stop> {
    let before: WorkerRecord = pad.expect(Key::Worker(worker))?;
    let record = WorkerRecord { silent: true, ..before.clone() };
    match offer(pad, worker, &before, &record, at) {
        // Too many places move already, so nothing was changed. A later draw will meet it again.
        Err(Stop::Refused(_)) => Ok(()),
        done => done,
    }
}

/// The changes that count for draws of block `before`; `None`: no draw is open, so all of them. And those that do not.
pub(crate) fn waiting(
    pad: &Scratch<'_>,
    before: Option<Height>,
) -> Result<(Vec<Move>, Moves), Stop> {
    let moves: Moves = pad.get(Key::Moves)?.unwrap_or_default();
    let counts = |one: &Move| before.is_none_or(|height| one.height < height);
    let (now, later): (Vec<Move>, Vec<Move>) = moves.into_vec().into_iter().partition(counts);
    Ok((now, Moves::new(later).expect("some of those that there were")))
}

/// Give `worker` as many places as it is to have.
pub(crate) fn follow(pad: &mut Scratch<'_>, worker: Address) -> Result<(), Stop> {
    let record: WorkerRecord = pad.expect(Key::Worker(worker))?;
    let wanted = usize::from(record.places());
    let mut count: u32 = pad.get(Key::WorkerPlaces)?.unwrap_or(0);
    let mut own: PlacesOf = pad.get(Key::PlacesOf(worker))?.unwrap_or_default();
    if own.len() == wanted {
        return Ok(());
    }
    while own.len() < wanted {
        let nth = u16::try_from(own.len()).expect("at most as many as a worker may have");
        pad.put(Key::WorkerPlace(count), &WorkerPlace { worker, nth });
        own.push(count).expect("at most as many as a worker may have");
        count = count.checked_add(1).expect("fewer places than bonds of a nano");
    }
    // The last places of all fill the gaps, because a draw picks a number and reads only that place.
    let going = own.len() - wanted;
    let least = count - u32::try_from(going).expect("at most as many as a worker may have");
    pad.need((least..count).map(Key::WorkerPlace))?;
    let last = |number| pad.expect::<WorkerPlace>(Key::WorkerPlace(number));
    let fillers = (least..count).map(last).collect::<Result<Vec<_>, Stop>>()?;
    pad.need(fillers.iter().map(|place| Key::PlacesOf(place.worker)))?;
    let mut own = own.into_vec();
    while own.len() > wanted {
        let gap = own.pop().expect("more than are wanted");
        count -= 1;
        if gap != count {
            let filler: WorkerPlace = pad.expect(Key::WorkerPlace(count))?;
            pad.put(Key::WorkerPlace(gap), &filler);
            if filler.worker == worker {
                own[usize::from(filler.nth)] = gap;
            } else {
                let mut theirs: PlacesOf = pad.expect(Key::PlacesOf(filler.worker))?;
                let moved = theirs.iter_mut().nth(usize::from(filler.nth));
                *moved.expect("a place is known to its worker") = gap;
                pad.put(Key::PlacesOf(filler.worker), &theirs);
            }
        }
        pad.forget(Key::WorkerPlace(count));
    }
    match own.is_empty() {
        true => pad.forget(Key::PlacesOf(worker)),
        false => pad.put(Key::PlacesOf(worker), &PlacesOf::new(own).expect("fewer than before")),
    }
    pad.put(Key::WorkerPlaces, &count);
    Ok(())
}
