//! The pool: lanes, and what is known of all of them together.

use crate::{
    Arrival, Dropped, Gone, Limits, Pooled, Rejected, Room,
    lane::{Lane, Rate, Waiting},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use types::{Address, Duty, Millis, PublicKey, TxId};

/// Which lane heads a proposer takes first: those before a seat's duty, then those that pay, then those that may turn out
/// to be refused. Among equals the better rate comes first, then the older one.
pub(crate) type Turn = (u8, Reverse<Rate>, u64);
/// The lane's last ready transaction, the first to go at the front: the lowest floor, then the youngest.
pub(crate) type Tail = (Rate, Reverse<u64>, Address, u64);

/// What waits of one peer's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Brought {
    pub(crate) all: Room,
    pub(crate) early: Room,
}

/// Transactions that wait.
pub struct Pool<T> {
    pub(crate) limits: Limits,
    pub(crate) lanes: BTreeMap<Address, Lane<T>>,
    pub(crate) ids: BTreeSet<TxId>,
    pub(crate) ordinary: Room,
    pub(crate) in_seats: Room,
    pub(crate) early: Room,
    pub(crate) peers: BTreeMap<PublicKey, Brought>,
    pub(crate) duties: BTreeSet<Duty>,
    pub(crate) heads: BTreeSet<(Turn, Address)>,
    pub(crate) tails: BTreeSet<Tail>,
    /// Those that are not ready, in the order in which they came.
    pub(crate) unripe: BTreeMap<u64, (Address, u64)>,
    arrivals: u64,
}

impl<T: Pooled> Pool<T> {
    /// An empty pool.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: BTreeMap::new(),
            ids: BTreeSet::new(),
            ordinary: Room { txs: 0, bytes: 0 },
            in_seats: Room { txs: 0, bytes: 0 },
            early: Room { txs: 0, bytes: 0 },
            peers: BTreeMap::new(),
            duties: BTreeSet::new(),
            heads: BTreeSet::new(),
            tails: BTreeSet::new(),
            unripe: BTreeMap::new(),
            arrivals: 0,
        }
    }

    /// How many transactions wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    /// Whether this transaction waits here.
    pub fn contains(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }
    /// What all that wait take up.
    pub fn room(&self) -> Room {
        let mut room = self.ordinary;
        room += self.in_seats;
        room
    }

    /// The transaction of `sender` with this nonce.
    pub fn get(&self, sender: &Address, nonce: u64) -> Option<&T> {
        Some(&self.lanes.get(sender)?.txs.get(&nonce)?.tx)
    }

    /// The next nonce in the state of a sender with waiting transactions, and what its account has left when all of them
    /// are paid for, in nano.
    pub fn standing(&self, sender: &Address) -> Option<(u64, u64)> {
        self.lanes.get(sender).map(|lane| (lane.next, lane.funds.saturating_sub(lane.owed)))
    }

    /// Whether more than half of the room for ordinary ones is taken: from now on one may displace another.
    pub fn is_crowded(&self) -> bool {
        let max = self.limits.ordinary();
        self.ordinary.txs * 2 > max.txs || self.ordinary.bytes * 2 > max.bytes
    }

    /// Whether one that settles nothing, with this tip and length, would be refused for want of room. Cheap, for those
    /// whose signature nobody has checked yet.
    pub fn is_closed_to(&self, tip: u64, bytes: usize) -> bool {
        let need = self.ordinary.lacks(Room::of(bytes), self.limits.ordinary());
        if need == Room::default() || self.early.txs > 0 {
            return false;
        }
        self.tails.first().is_none_or(|(floor, ..)| *floor >= Rate::of(tip, bytes))
    }

    /// The next nonce `sender` should use, counting what waits here after `next`.
    pub fn next_nonce(&self, sender: &Address, next: u64) -> u64 {
        self.lanes.get(sender).map_or(next, |lane| lane.end.max(next))
    }

    /// Take `tx` in. Taking the same one in twice is no error. Returns what had to go for it.
    ///
    /// # Errors
    /// [`Rejected`]; the pool is then as before.
    pub fn insert(&mut self, tx: T, arrival: &Arrival) -> Result<Vec<Dropped<T>>, Rejected> {
        if self.ids.contains(&tx.id()) {
            return Ok(Vec::new());
        }
        let (got, sender) = (tx.nonce(), tx.sender());
        let fresh = Lane::new(arrival.next);
        let lane = self.lanes.get(&sender).unwrap_or(&fresh);
        // The caller may have read the state before the block that the lane has heard of.
        let next = lane.next.max(arrival.next);
        if got < next {
            return Err(Rejected::Used { next, got });
        }
        let end = lane.end.max(next);
        // A transaction may overtake those before it on its way here, but one that is far ahead only takes up room.
        if got > end.saturating_add(self.limits.gap_max) {
            return Err(Rejected::Gap { next: end, got });
        }
        let old = lane.txs.get(&got);
        let new = self.describe(tx, arrival, lane);
        if let Some(old) = old {
            may_replace(old, &new, arrival)?;
        }
        self.check_funds(lane, &new, old, arrival)?;
        let victims = match old {
            Some(old) => {
                self.fits_in_place(lane, &new, old).then(Vec::new).ok_or(Rejected::Full)?
            }
            None => self.find_room(lane, &new, got)?,
        };
        let mut dropped: Vec<Dropped<T>> = victims
            .into_iter()
            .map(|(sender, nonce)| Dropped { tx: self.take(&sender, nonce).tx, why: Gone::Outbid })
            .collect();
        if self.get(&sender, got).is_some() {
            dropped.push(Dropped { tx: self.swap_out(&sender, got).tx, why: Gone::Replaced });
        }
        self.arrivals += 1;
        self.put(sender, got, new, arrival);
        Ok(dropped)
    }

    /// What is kept of `tx`.
    fn describe(&self, tx: T, arrival: &Arrival, lane: &Lane<T>) -> Waiting<T> {
        let (bytes, duty) = (tx.bytes(), tx.duty());
        let free_seat = |duty: &Duty| {
            arrival.proven
                && !self.duties.contains(duty)
                && self.in_seats.fits(Room::of(bytes), self.limits.seats())
                && lane.plain_before(tx.nonce()) <= self.limits.before_seat_max
        };
        let seat = duty.filter(free_seat);
        // What settles pays nothing, whatever tip it names.
        let (rate, cost) = match duty {
            Some(_) => (Rate::NOTHING, 0),
            None => (Rate::of(tx.tip().get(), bytes), tx.cost(arrival.base_fee).get()),
        };
        let sound = duty.is_none() || seat.is_some();
        Waiting {
            tx,
            bytes,
            rate,
            floor: rate,
            cost,
            from: arrival.from,
            at: arrival.now.get(),
            number: self.arrivals,
            seat,
            sound,
        }
    }

    /// All that a sender has waiting must be covered by what its account holds.
    fn check_funds(
        &self,
        lane: &Lane<T>,
        new: &Waiting<T>,
        old: Option<&Waiting<T>>,
        arrival: &Arrival,
    ) -> Result<(), Rejected> {
        let has = arrival.funds.map_or(lane.funds, types::NanoMeshx::get);
        let others = lane.owed - old.map_or(0, |old| old.cost);
        let needs = others.saturating_add(new.cost);
        let nobody = !new.sound && has == 0 && lane.next.max(arrival.next) == 0;
        if needs > has || nobody {
            return Err(Rejected::Unfunded { has, needs });
        }
        Ok(())
    }

    /// Whether `new` fits where `old` was: only more bytes, or another peer, could be too much.
    fn fits_in_place(&self, lane: &Lane<T>, new: &Waiting<T>, old: &Waiting<T>) -> bool {
        let (limits, one) = (&self.limits, Room::of(new.bytes));
        let more = Room { txs: 0, bytes: new.bytes.saturating_sub(old.bytes) };
        let brought = new.from.and_then(|peer| self.peers.get(&peer)).copied().unwrap_or_default();
        self.ordinary.fits(more, limits.ordinary())
            && self.early.fits(more, limits.early())
            && lane.bytes + more.bytes <= limits.lane_bytes_max
            && brought.all.fits(one, limits.peer())
            && brought.early.fits(one, limits.peer_early())
    }

    /// Which ones have to go, so that `new` fits in at `nonce`.
    fn find_room(
        &self,
        lane: &Lane<T>,
        new: &Waiting<T>,
        nonce: u64,
    ) -> Result<Vec<(Address, u64)>, Rejected> {
        let (limits, one) = (&self.limits, Room::of(new.bytes));
        let early = !(new.sound && nonce == lane.ready);
        if lane.txs.len() >= limits.lane_max
            || lane.bytes + new.bytes > limits.lane_bytes_max
            || (early && lane.early >= limits.lane_early_max)
        {
            return Err(Rejected::Crowded);
        }
        let brought = new.from.and_then(|peer| self.peers.get(&peer)).copied().unwrap_or_default();
        if new.from.is_some()
            && !(brought.all.fits(one, limits.peer())
                && (!early || brought.early.fits(one, limits.peer_early())))
        {
            return Err(Rejected::Full);
        }
        if new.seat.is_some() {
            // There is room for it: it would have no seat otherwise.
            return Ok(Vec::new());
        }
        let need = self.ordinary.lacks(one, limits.ordinary());
        if early {
            let fits = self.early.fits(one, limits.early()) && need == Room::default();
            return if fits { Ok(Vec::new()) } else { Err(Rejected::Full) };
        }
        self.victims(need, lane.floor_at(nonce, new.rate)).ok_or(Rejected::Full)
    }

    /// Drop what has waited too long without being ready.
    pub fn expire(&mut self, now: Millis) -> Vec<Dropped<T>> {
        let mut dropped = Vec::new();
        while let Some((_, (sender, nonce))) = self.unripe.first_key_value() {
            let (sender, nonce) = (*sender, *nonce);
            let came = self.lanes[&sender].txs[&nonce].at;
            if now.get().saturating_sub(came) <= self.limits.early_ms.get() {
                break;
            }
            dropped.push(Dropped { tx: self.take(&sender, nonce).tx, why: Gone::Expired });
        }
        dropped
    }

    /// The state's next nonce of `sender` is `next` now: drop everything below, for it is in a block or
    /// never can be.
    pub fn advance(&mut self, sender: &Address, next: u64) {
        let Some(mut lane) = self.unlist(sender) else { return };
        let rest = lane.txs.split_off(&next);
        for (nonce, waiting) in std::mem::replace(&mut lane.txs, rest) {
            lane.funds = lane.funds.saturating_sub(waiting.cost);
            self.forget(&mut lane, nonce, &waiting);
        }
        lane.next = lane.next.max(next);
        if lane.end < lane.next {
            lane.find_end(next);
        }
        lane.refloor(lane.next);
        self.ripen(&mut lane);
        self.list(*sender, lane);
    }

    /// Drop a transaction that a block's state refused for good, and those of its sender behind it,
    /// which would wait for it forever. Returns what was dropped.
    pub fn refuse(&mut self, sender: &Address, nonce: u64) -> Vec<T> {
        let Some(mut lane) = self.unlist(sender) else { return Vec::new() };
        // Those behind it could never be executed, because a nonce has no gaps.
        let gone = lane.txs.split_off(&nonce);
        for (nonce, waiting) in &gone {
            self.forget(&mut lane, *nonce, waiting);
        }
        lane.end = lane.end.min(nonce.max(lane.next));
        lane.ready = lane.ready.min(nonce.max(lane.next));
        self.list(*sender, lane);
        gone.into_values().map(|waiting| waiting.tx).collect()
    }
}

/// Whether `new` pays so much more than `old` that checking and gossiping both is paid for.
fn may_replace<T: Pooled>(
    old: &Waiting<T>,
    new: &Waiting<T>,
    arrival: &Arrival,
) -> Result<(), Rejected> {
    let old_tip = old.tx.tip().get();
    let step = (old_tip / 8).max(arrival.base_fee.get()).max(1);
    let pays = new.tx.duty().is_none() && old.seat.is_none();
    if pays && new.tx.tip().get() >= old_tip.saturating_add(step) {
        return Ok(());
    }
    Err(Rejected::Occupied { nonce: new.tx.nonce(), tip: old_tip.saturating_add(step) })
}
