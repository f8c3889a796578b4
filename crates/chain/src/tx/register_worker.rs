//! RegisterWorker: offer to run jobs. A worker that registers again changes its offer.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::market;
use types::{
    City, NanoMeshx,
    state::{Event, REPUTATION_NEW, WorkerRecord},
};

/// Most places of one worker. Being there is paid for each place, and nobody can check how many a machine has.
const CAPACITY_MAX: u16 = 1_024;

pub(super) struct RegisterWorker<'a> {
    pub(super) capacity: &'a u16,
    pub(super) city: &'a City,
    pub(super) floor: &'a NanoMeshx,
}

impl Handler for RegisterWorker<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::NoJobsHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        [Key::Worker(from)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let Self { capacity, city, floor } = *self;
        let (from, capacity, floor) = (tx.from(), *capacity, *floor);
        // None at all is how a worker takes a rest.
        if capacity > CAPACITY_MAX {
            return Err(Refusal::Capacity(capacity).into());
        }
        let mut before = 0;
        let record = match pad.get::<WorkerRecord>(Key::Worker(from))? {
            // Reputation and assignments stay: a new offer is no fresh start.
            Some(known) => {
                before = known.capacity;
                WorkerRecord { capacity, city: city.clone(), floor, ..known }
            }
            None => {
                let count: u32 = pad.get(Key::WorkerCount)?.unwrap_or(0);
                // Numbers have no gaps, because a draw picks a number and reads only that worker.
                pad.put(Key::WorkerAt(count), &from);
                pad.put(Key::WorkerCount, &count.checked_add(1).ok_or(Refusal::Busy)?);
                WorkerRecord {
                    capacity,
                    running: 0,
                    reputation: REPUTATION_NEW,
                    city: city.clone(),
                    registered: at.height,
                    floor,
                    seen: at.height,
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
}
