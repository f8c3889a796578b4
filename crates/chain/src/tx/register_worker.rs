//! RegisterWorker: offer to run jobs. A worker that registers again changes its offer.

use crate::{
    Refusal,
    apply::BlockContext,
    market,
    scratch::{Scratch, Stop},
};
use types::{
    Address, City, NanoMeshx,
    state::{Event, Key, REPUTATION_NEW, WorkerRecord},
};

const CAPACITY_MAX: u16 = 1_024;

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    capacity: u16,
    city: &City,
    floor: NanoMeshx,
    context: &BlockContext,
) -> Result<(), Stop> {
    if !context.chain.is_shard() {
        return Err(Refusal::NoJobsHere.into());
    }
    if !(1..=CAPACITY_MAX).contains(&capacity) {
        return Err(Refusal::Capacity(capacity).into());
    }
    let mut before = 0;
    let record = match pad.get::<WorkerRecord>(Key::Worker(from))? {
        // Reputation and seats stay: a new offer is no fresh start.
        Some(known) => {
            before = known.capacity;
            WorkerRecord { capacity, city: city.clone(), floor, ..known }
        }
        None => {
            let count: u32 = pad.get(Key::WorkerCount)?.unwrap_or(0);
            pad.put(Key::WorkerAt(count), &from);
            pad.put(Key::WorkerCount, &count.checked_add(1).ok_or(Refusal::Busy)?);
            WorkerRecord {
                capacity,
                running: 0,
                reputation: REPUTATION_NEW,
                city: city.clone(),
                registered: context.height,
                floor,
                seen: context.height,
            }
        }
    };
    market::change(pad, |market| {
        market.capacity = market.capacity - u64::from(before) + u64::from(capacity);
    })?;
    pad.put(Key::Worker(from), &record);
    pad.emit(Event::Worker { worker: from });
    Ok(())
}
