//! RegisterWorker: offer to run jobs, and put down a bond for each place. A worker that registers again changes its offer.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::places;
use types::{
    City, NanoMeshx,
    state::{Destination, Event, Params, REPUTATION_NEW, Transfer, WorkerRecord, pools},
};

/// Most jobs that one worker runs at once.
const CAPACITY_MAX: u16 = 1_024;
/// A worker may ask for so many times the base price of a core-second. A higher floor would only make draws fail.
const FLOOR_TIMES_MAX: u64 = 100;

pub(super) struct RegisterWorker<'a> {
    pub(super) capacity: &'a u16,
    pub(super) city: &'a City,
    pub(super) floor: &'a NanoMeshx,
}

impl Handler for RegisterWorker<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::NoJobsHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        [Key::Worker(from), Key::Account(pools::places()), Key::Moves]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let Self { capacity, city, floor } = *self;
        let (from, capacity, floor) = (tx.from(), *capacity, *floor);
        let params: Params = pad.expect(Key::Params)?;
        // None at all is how a worker takes a rest.
        if capacity > CAPACITY_MAX {
            return Err(Refusal::Capacity(capacity).into());
        }
        let most = params.rates.core_second.get().saturating_mul(FLOOR_TIMES_MAX);
        if floor.get() > most {
            return Err(Refusal::Floor { asked: floor, most: NanoMeshx::new(most) }.into());
        }
        // Reputation and assignments stay: a new offer is no fresh start.
        let before = match pad.get::<WorkerRecord>(Key::Worker(from))? {
            Some(known) => known,
            None => {
                let count: u32 = pad.get(Key::WorkerCount)?.unwrap_or(0);
                pad.put(Key::WorkerAt(count), &from);
                pad.put(Key::WorkerCount, &count.checked_add(1).ok_or(Refusal::Busy)?);
                let registered = at.height;
                WorkerRecord { reputation: REPUTATION_NEW, registered, ..WorkerRecord::default() }
            }
        };
        let jobs::Bonded { bond, leaving, free_at, pays, gets } =
            jobs::offer(&before, capacity, at.height, &params).ok_or(Refusal::Bond)?;
        let to = Destination::Account;
        pad.transfer(&[
            Transfer { from: pools::places(), to: to(from), amount: gets },
            Transfer { from, to: to(pools::places()), amount: pays },
        ])?;
        let (city, seen, silent) = (city.clone(), at.height, false);
        let offered =
            WorkerRecord { capacity, city, floor, bond, leaving, free_at, ..before.clone() };
        let record = WorkerRecord { seen, silent, ..offered };
        places::offer(pad, from, &before, &record, at)?;
        pad.emit(Event::Worker { worker: from });
        Ok(())
    }
}
